"""The counts for other programs."""

import json

from flask import Blueprint
from flask.typing import ResponseReturnValue

from petitions.queries import counts
from petitions.queries.catalogue import catalogue
from petitions.queries.counts import Numbers
from petitions.web import ready

bp = Blueprint("api_counts", __name__)


@bp.get("/api/v1/campaigns/<campaign>/counts.json")
def campaign_counts(campaign: str) -> ResponseReturnValue:
    """The numbers of each public case, and their total; a few seconds old at most."""

    def build() -> str:
        found = catalogue().campaign(campaign)
        numbers = counts.of_campaign(found.id)
        cases = {case.slug: _public(numbers.of(case.id)) for case in found.cases}
        total = {key: sum(case[key] for case in cases.values()) for key in _public(counts.NOTHING)}
        as_of = numbers.as_of.isoformat(timespec="seconds")
        return json.dumps({"campaign": found.slug, "as_of": as_of, "total": total, "cases": cases})

    return ready.page(build, cache=ready.NUMBERS, content_type="application/json")


def _public(numbers: Numbers) -> dict[str, int]:
    return {
        "confirmed": numbers.confirmed,
        "waiting": numbers.pending,
        "paper": numbers.paper,
        "letters": numbers.letters,
    }
