"""The counts: sums over the hourly counts, never a count over signatures."""

from dataclasses import dataclass, fields
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, exists, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.models import Case, Count, Hold, Signature


@dataclass(frozen=True)
class Numbers:
    """How many signatures are in each state, and how many acts came on paper."""

    pending: int = 0
    held: int = 0
    confirmed: int = 0
    withdrawn: int = 0
    invalidated: int = 0
    expired: int = 0
    paper: int = 0
    letters: int = 0

    @property
    def signatures(self) -> int:
        """The public number of signatures: confirmed online, and on paper. Letters are shown beside it."""
        return self.confirmed + self.paper

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(*(getattr(self, name) + getattr(other, name) for name in COLUMNS))


COLUMNS = tuple(each.name for each in fields(Numbers))
NOTHING = Numbers()


@dataclass(frozen=True)
class Counts:
    """The numbers of a campaign's cases at one moment."""

    as_of: datetime
    by_case: dict[int, Numbers]
    is_on_hold: bool = False  # new confirmations are held back until staff decide
    next_at: datetime | None = None  # when the public numbers may change; None: at any moment, or never

    def of(self, case_id: int) -> Numbers:
        """The case's numbers; all zero without any activity."""
        return self.by_case.get(case_id, NOTHING)

    @property
    def total(self) -> Numbers:
        """The sum over all cases."""
        return sum(self.by_case.values(), NOTHING)


def of_campaign(campaign_id: int, *, since: datetime | None = None, before: datetime | None = None) -> Counts:
    """The numbers of each case, or their changes in the hours from `since` on and before `before`."""
    sums = [func.coalesce(func.sum(getattr(Count, name)), 0) for name in COLUMNS]
    is_on_hold = exists().where(Hold.campaign_id == campaign_id, Hold.ended_at.is_(None))
    statement = (
        select(Count.case_id, *sums, is_on_hold.label("is_on_hold"))
        .join(Case, Case.id == Count.case_id)
        .where(Case.campaign_id == campaign_id)
        .group_by(Count.case_id)
    )
    if since is not None:
        statement = statement.where(Count.hour_at >= since)
    if before is not None:
        statement = statement.where(Count.hour_at < before)
    with reading() as connection:
        rows = connection.execute(statement).all()
    by_case = {row[0]: Numbers(*(int(value) for value in row[1:-1])) for row in rows}
    return Counts(clock.now(), by_case, bool(rows and rows[0].is_on_hold))


def since_midnight(campaign_id: int, timezone: str) -> Counts:
    """The changes of today, in the campaign's time zone."""
    here = clock.now().astimezone(ZoneInfo(timezone))
    return of_campaign(campaign_id, since=here.replace(hour=0, minute=0, second=0, microsecond=0))


def recounted(connection: Connection) -> dict[tuple[int, str], int]:
    """Signatures by (case, state), counted one by one, to check the counts. Slow: it reads all of them."""
    statement = select(Signature.case_id, Signature.state, func.count()).group_by(Signature.case_id, Signature.state)
    return {(case_id, state): number for case_id, state, number in connection.execute(statement)}
