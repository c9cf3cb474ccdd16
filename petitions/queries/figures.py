"""The public figures of a campaign: what was counted, week by week. Nothing in them lets anyone infer a person.

Numbers of online signatures are those that are published anyway. Others are rounded down to fives, and end with the
last week that ended at least a day ago; weeks with fewer than five changes are put together with their neighbours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.states import ActionKind
from petitions.models import Count, Invalidation, Recount
from petitions.queries import actions
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.counts import NOTHING, Numbers, of_campaign

STEP = 5  # signers; also the fewest that are shown together
ROUNDED = ("withdrawn", "invalidated", "expired")


@dataclass(frozen=True)
class Weeks:
    """Signatures confirmed from the day `begin` to the day `end`; one week, or several small ones together."""

    begin: date
    end: date
    confirmed: int


@dataclass(frozen=True)
class Figures:
    """All figures that are not on other public pages. `recounted_at` is None before the first recount."""

    until: datetime
    by_case: dict[int, Numbers]
    weeks: list[Weeks]
    people: int
    recounted_at: datetime | None
    agrees: bool
    posted: dict[str, int]  # letters by case, as their writers report
    invalidated: dict[str, int]  # signatures by InvalidationKind

    def of(self, case_id: int) -> Numbers:
        """The case's rounded numbers."""
        return self.by_case.get(case_id, NOTHING)


def figures_of(campaign: PublicCampaign) -> Figures:
    """The figures of the public cases."""
    until = _until(clock.now(), campaign.timezone)
    today = clock.now().astimezone(ZoneInfo(campaign.timezone)).date()
    shown = [case.id for case in campaign.cases]
    numbers = of_campaign(campaign.id, before=until)
    changes = select(Count.hour_at, func.sum(Count.confirmed)).where(Count.case_id.in_(shown), Count.hour_at < until)
    kinds = (
        select(Invalidation.kind, func.sum(Invalidation.struck))
        .where(Invalidation.campaign_id == campaign.id, Invalidation.ran_at < until, Invalidation.undone_at.is_(None))
        .group_by(Invalidation.kind)
    )
    with reading() as connection:
        struck = {kind: _down(int(number)) for kind, number in connection.execute(kinds)}
        hours = connection.execute(changes.group_by(Count.hour_at).order_by(Count.hour_at)).all()
        recount = connection.execute(select(Recount).where(Recount.campaign_id == campaign.id)).one_or_none()
    return Figures(
        until=until,
        by_case={number: _rounded(numbers.of(number)) for number in shown},
        weeks=_weeks(((at, int(change)) for at, change in hours), campaign.timezone),
        people=_down(recount.people) if recount else 0,
        recounted_at=recount.at if recount else None,
        agrees=bool(recount and recount.agrees),
        invalidated={kind: number for kind, number in sorted(struck.items()) if number},
        posted={slug: _down(number) for slug, number in actions.sums(campaign.slug, ActionKind.POSTED, today).items()},
    )


def _until(now: datetime, timezone: str) -> datetime:
    """The last Monday, 0:00, that is at least a day ago."""
    here = (now - timedelta(days=1)).astimezone(ZoneInfo(timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return here - timedelta(days=here.weekday())


def _weeks(hours: Iterable[tuple[datetime, int]], timezone: str) -> list[Weeks]:
    """Changes by week; a week waits for the next one until they are enough together, and the last one is left out."""
    by_monday: dict[date, int] = {}
    for at, change in hours:
        day = at.astimezone(ZoneInfo(timezone)).date()
        monday = day - timedelta(days=day.weekday())
        by_monday[monday] = by_monday.get(monday, 0) + change
    weeks, begin, sum_so_far = [], None, 0
    for monday in sorted(by_monday):
        begin, sum_so_far = begin or monday, sum_so_far + by_monday[monday]
        if sum_so_far >= STEP:
            weeks.append(Weeks(begin, monday + timedelta(days=6), sum_so_far))
            begin, sum_so_far = None, 0
    return weeks


def _rounded(numbers: Numbers) -> Numbers:
    return Numbers(**{name: _down(getattr(numbers, name)) for name in ROUNDED})


def _down(number: int) -> int:
    return max(0, number) // STEP * STEP
