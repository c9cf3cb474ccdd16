"""What came back on paper, as staff see it: sums with their parts, and what waits for a second person."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, case, func, select

from petitions.db.transactions import reading
from petitions.domain.states import TallyKind
from petitions.models import Case, Collector, Tally


@dataclass(frozen=True)
class Waiting:
    """An entry that does not count yet. Its number is not shown to who verifies it."""

    id: int
    case_slug: str
    kind: TallyKind
    number: int
    happened_on: date
    note: str
    collector: str | None
    reported_by: str
    recorded_at: datetime


@dataclass(frozen=True)
class Sums:
    """Per case and kind: what counts, and how many entries wait, but not the numbers in them."""

    verified: Counter[tuple[str, str]]
    waiting: Counter[tuple[str, str]]


def waiting(campaign_id: int) -> list[Waiting]:
    """The campaign's entries that wait for a second person, oldest first."""
    columns = (Tally.id, Case.slug, Tally.kind, Tally.number, Tally.happened_on, Tally.note, Collector.title)
    statement = (
        select(*columns, Tally.reported_by, Tally.recorded_at)
        .join(Case, Case.id == Tally.case_id)
        .outerjoin(Collector, Collector.id == Tally.collector_id)
        .where(Case.campaign_id == campaign_id, Tally.verified_at.is_(None), Tally.cancelled_at.is_(None))
        .order_by(Tally.id)
    )
    with reading() as connection:
        return [_waiting(row) for row in connection.execute(statement)]


def sums(campaign_id: int) -> Sums:
    """The campaign's sums, from the entries themselves."""
    is_verified = Tally.verified_at.is_not(None)
    statement = (
        select(
            Case.slug,
            Tally.kind,
            func.coalesce(func.sum(case((is_verified, Tally.number))), 0).label("verified"),
            func.count(case((~is_verified, Tally.id))).label("waiting"),
        )
        .join(Case, Case.id == Tally.case_id)
        .where(Case.campaign_id == campaign_id, Tally.cancelled_at.is_(None))
        .group_by(Case.slug, Tally.kind)
    )
    with reading() as connection:
        rows = connection.execute(statement).all()
    return Sums(
        Counter({(row.slug, row.kind): int(row.verified) for row in rows}),
        Counter({(row.slug, row.kind): int(row.waiting) for row in rows}),
    )


def _waiting(row: Row[int, str, str, int, date, str, str | None, str, datetime]) -> Waiting:
    return Waiting(row[0], row[1], TallyKind(row[2]), *row[3:])
