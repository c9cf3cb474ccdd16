"""The integrity page: what was counted, in parts, by case and week; as a page and as CSV."""

import csv
import io

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from petitions.domain.states import InvalidationKind
from petitions.queries import published_counts
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.figures import Weeks, figures_of
from petitions.web import page_cache
from petitions.web.public.views import find_campaign, render

bp = Blueprint("figures", __name__)
CHART_WIDTH, CHART_HEIGHT, GAP = 600, 160, 4  # units of the drawing


@bp.get("/<lang:lang>/<campaign>/figures/")
def page(campaign: str) -> ResponseReturnValue:
    """All figures of the campaign, with a chart and its table."""

    def build() -> str:
        found = find_campaign(campaign)
        figures = figures_of(found)
        size = (CHART_WIDTH, CHART_HEIGHT)
        return render("figures.html", found, figures=figures, bars=bars(figures.weeks), chart_size=size)

    return page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/figures.csv")
def as_csv(campaign: str) -> ResponseReturnValue:
    """The same as a table for programs (RFC 4180, UTF-8 with a byte order mark for spreadsheets)."""
    return page_cache.page(lambda: _csv(find_campaign(campaign)), content_type="text/csv; charset=utf-8")


def bars(weeks: list[Weeks]) -> list[tuple[float, float, float, float]]:
    """A bar for each entry: x, y, width and height, in units of the drawing."""
    if not weeks:
        return []
    highest = max(each.confirmed for each in weeks)
    step = CHART_WIDTH / len(weeks)
    return [
        (round(place * step, 1), round(CHART_HEIGHT - height, 1), round(max(1.0, step - GAP), 1), round(height, 1))
        for place, height in enumerate(CHART_HEIGHT * each.confirmed / highest for each in weeks)
    ]


def _csv(campaign: PublicCampaign) -> str:
    figures, public = figures_of(campaign), published_counts.public(campaign)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["kind", "from", "to", "case", "confirmed", "paper", "letters", "withdrawn", "invalidated", "expired", "posted"]
    )
    for case in campaign.cases:
        shown, rounded = public.of(case.id), figures.of(case.id)
        first = [shown.confirmed, shown.paper, shown.letters]
        others = [rounded.withdrawn, rounded.invalidated, rounded.expired, figures.posted.get(case.slug, 0)]
        writer.writerow(["case", "", "", case.slug, *first, *others])
    for week in figures.weeks:
        writer.writerow(["weeks", week.begin.isoformat(), week.end.isoformat(), "", week.confirmed, *[""] * 6])
    writer.writerow(["people", "", "", "", figures.people, *[""] * 6])
    return "\ufeff" + out.getvalue()


@bp.app_context_processor
def _helpers() -> dict[str, object]:
    return {"meaning_of_counts": meaning_of_counts, "invalidation_kinds": invalidation_kinds}


def invalidation_kinds() -> dict[str, str]:
    """The kinds of reasons for an invalidation, in words."""
    return {
        InvalidationKind.PROGRAM: _("sent by a program"),
        InvalidationKind.INVENTED: _("invented names or addresses"),
        InvalidationKind.TWICE: _("the same person several times"),
        InvalidationKind.OTHER: _("another reason"),
    }


def meaning_of_counts() -> list[str]:
    """What a count means, in three sentences."""
    return [
        _("A signature online counts once its e-mail address was confirmed, once for each person and case."),
        _(
            "Signatures on paper count with them, as soon as we have counted the sheets; letters are shown beside, "
            "and never added."
        ),
        _(
            "Whoever withdraws is no longer counted; erased names stay counted, because erasing does not withdraw "
            "a signature."
        ),
    ]
