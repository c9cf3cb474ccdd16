"""The API for public counts."""

import json

from flask import Blueprint
from flask.typing import ResponseReturnValue

from petitions.queries import published_counts
from petitions.queries.catalogue import catalogue
from petitions.queries.counts import Numbers
from petitions.web import page_cache, security

bp = Blueprint("api_counts", __name__)


@bp.get("/api/v1/campaigns/<campaign>/counts.json")
def campaign_counts(campaign: str) -> ResponseReturnValue:
    """The numbers of each public case and their total, from the last batch or live, and when the next come."""

    def build() -> str:
        found = catalogue().campaign(campaign)
        numbers = published_counts.public(found)
        as_of = numbers.as_of.isoformat(timespec="seconds")
        next_at = numbers.next_at.isoformat(timespec="seconds") if numbers.next_at else None
        cases = {case.slug: _public(numbers.of(case.id)) for case in found.cases}
        answer = {"campaign": found.slug, "as_of": as_of, "next_at": next_at}
        return json.dumps({**answer, "total": _public(numbers.total), "cases": cases})

    return page_cache.page(
        build, cache=page_cache.NUMBERS, content_type="application/json", headers=security.FOR_OTHER_SITES
    )


def _public(numbers: Numbers) -> dict[str, int]:
    return {"confirmed": numbers.confirmed, "paper": numbers.paper, "letters": numbers.letters}
