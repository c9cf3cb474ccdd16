"""Tallies: paper signatures and letters that came back, counted per case.

Who counts paper reports a number; it counts publicly once a second person, who does not see it, has counted the same.
Where only one account may enter paper, a number counts at once. No number is ever changed: a mistake that counts
already is corrected by an entry with the opposite number, one that does not yet count is cancelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain.states import TallyKind
from petitions.errors import CountDiffers, CountFaulty, NotFound, SecondPersonNeeded
from petitions.models import Case, Tally
from petitions.queries.catalogue import PublicCase
from petitions.services import journal
from petitions.services.signatures import counting

MOST = 100_000  # in one entry


@dataclass(frozen=True)
class Entry:
    """A number of acts of one kind that came back for a case."""

    case: PublicCase
    kind: TallyKind
    number: int


def record_tally(case: PublicCase, kind: TallyKind, number: int, happened_on: date, note: str = "") -> None:
    """Add a batch to the case's count at once, by a command; a negative number corrects an earlier one."""
    report([Entry(case, kind, number)], happened_on, note, journal.COMMAND, is_alone=True)


def report(
    entries: Sequence[Entry],
    happened_on: date,
    note: str,
    by: str,
    *,
    is_alone: bool,
    collector_id: int | None = None,
) -> None:
    """Record what was counted, and which collector returned it, if any.

    With `is_alone` no other account could verify it, so it counts at once.

    All entries or none. Raises CountFaulty for a number that cannot be right.
    """
    now = clock.now()
    with transaction() as store:
        for entry in entries:
            if not 0 < abs(entry.number) <= MOST:
                raise CountFaulty(case=entry.case.slug, most=MOST)
            tally = Tally(case_id=entry.case.id, kind=entry.kind, number=entry.number, reported_by=by, recorded_at=now)
            tally.happened_on, tally.note, tally.collector_id = happened_on, note, collector_id
            store.add(tally)
            if is_alone:
                _count(store, tally, by, now)
            act = "tally recorded" if is_alone else "tally reported"
            # The second person may be somebody who reads the journal
            shown = entry.number if is_alone else None
            journal.record(store, by, act, f"{entry.case.slug} {entry.kind}", shown)


def verify(tally_id: int, number: int, by: str) -> None:
    """Count the entry, because a second person counted the same `number`.

    Raises NotFound unless it waits, SecondPersonNeeded for who reported it, CountDiffers, or CountFaulty.
    """
    with transaction() as store:
        tally = _waiting(store, tally_id)
        if tally.reported_by == by:
            raise SecondPersonNeeded()
        if tally.number != number:
            raise CountDiffers()
        _count(store, tally, by, clock.now())
        journal.record(store, by, "tally verified", f"tally {tally_id} {tally.kind}", number)


def cancel(tally_id: int, by: str) -> None:
    """Set aside an entry that does not count yet; it stays on record. Raises NotFound unless it waits."""
    with transaction() as store:
        tally = _waiting(store, tally_id)
        tally.cancelled_at = clock.now()
        journal.record(store, by, "tally cancelled", f"tally {tally_id} {tally.kind}", tally.number)


def _waiting(store: Session, tally_id: int) -> Tally:
    """The entry, locked, if it neither counts nor is cancelled; raises NotFound."""
    waits = (Tally.id == tally_id) & Tally.verified_at.is_(None) & Tally.cancelled_at.is_(None)
    tally = store.scalar(select(Tally).where(waits).with_for_update())
    if tally is None:
        raise NotFound(tally=tally_id)
    return tally


def _count(store: Session, tally: Tally, by: str, now: datetime) -> None:
    """Let the entry count, in the caller's transaction; raises CountFaulty if the case's sum would be negative."""
    tally.verified_by, tally.verified_at = by, now
    store.flush()
    one_by_one = select(Case.id).where(Case.id == tally.case_id).with_for_update(key_share=True)
    store.execute(one_by_one)
    is_same = (Tally.case_id == tally.case_id) & (Tally.kind == tally.kind) & Tally.verified_at.is_not(None)
    if (store.scalar(select(func.sum(Tally.number)).where(is_same)) or 0) < 0:
        raise CountFaulty(case=tally.case_id)
    counting.shift(store.connection(), [(tally.case_id, tally.kind, tally.number)], now)
