"""Tallies: paper signatures and letters that came back, counted per case."""

from datetime import date

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain.states import TallyKind
from petitions.models import Tally
from petitions.queries.catalogue import PublicCase
from petitions.services import journal
from petitions.services.signatures import counting


def record_tally(case: PublicCase, kind: TallyKind, number: int, happened_on: date, note: str = "") -> None:
    """Add a batch to the case's count; a negative number corrects an earlier one."""
    now = clock.now()
    with transaction() as store:
        tally = Tally(case_id=case.id, kind=kind, number=number, happened_on=happened_on, note=note, recorded_at=now)
        store.add(tally)
        store.flush()
        counting.shift(store.connection(), [(case.id, kind, number)], now)
        journal.record(store, journal.COMMAND, "tally recorded", f"{case.slug} {kind}", number)
