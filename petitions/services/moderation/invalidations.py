"""Invalidation in bulk: signatures that meet a condition are invalidated for a reason, and can be restored."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from petitions import clock
from petitions.db.transactions import reading, transaction, write_queue
from petitions.domain.states import InvalidationKind, SignatureState
from petitions.errors import NotFound, ReasonMissing
from petitions.models import Campaign, Invalidation, Signature, Signer
from petitions.queries import moderation
from petitions.queries.moderation import Condition
from petitions.services import journal, ledger
from petitions.services.signatures import batch_updates

_WAS_CONFIRMED = Signature.confirmed_at.is_not(None)
_WAS = {
    SignatureState.CONFIRMED: _WAS_CONFIRMED,
    SignatureState.HELD: ~_WAS_CONFIRMED & Signature.held_at.is_not(None),
    SignatureState.PENDING: ~_WAS_CONFIRMED & Signature.held_at.is_(None),
}


def prepare_invalidation(
    slug: str,
    condition: Condition,
    reason: str,
    by: str = journal.COMMAND,
    kind: InvalidationKind = InvalidationKind.OTHER,
) -> int:
    """Store condition and reason, with the number of matching signatures; returns its id. Invalidates nothing yet.

    Later signatures never match, so that the number stays right. Raises ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    now = clock.now()
    with reading() as connection:
        last = connection.scalar(select(func.max(Signer.id))) or 0
    condition = replace(condition, signed_until=min(condition.signed_until or now, now), last_signer=last)
    previewed = moderation.matching(slug, condition)
    with transaction() as store:
        campaign_id = store.scalar(select(Campaign.id).where(Campaign.slug == slug))
        if campaign_id is None:
            raise NotFound(campaign=slug)
        row = Invalidation(
            campaign_id=campaign_id, condition=condition.as_json(), reason=reason.strip(), kind=kind, created_at=now
        )
        row.previewed = previewed
        store.add(row)
        store.flush()
        journal.record(store, by, "invalidation prepared", f"invalidation {row.id}", previewed)
        return row.id


def run_invalidation(number: int, by: str = journal.COMMAND) -> int:
    """Invalidate the signatures, in batches; returns how many. After an interruption it is run again."""
    campaign_id = _record_in_ledger(number, ledger.INVALIDATED, by, "invalidation begun")
    invalidated = sum(
        write_queue().submit(_invalidate_batch, (number, span)) for span in batch_updates.spans(campaign_id)
    )
    with transaction() as store:
        is_new = (Invalidation.id == number) & Invalidation.ran_at.is_(None)
        store.execute(update(Invalidation).where(is_new).values(ran_at=clock.now()))
        journal.record(store, by, "invalidation run", f"invalidation {number}", invalidated)
    return invalidated


def undo_invalidation(number: int, by: str = journal.COMMAND) -> int:
    """Restore each signature's former state, unless its signer withdrew it; returns how many. Repeatable."""
    campaign_id = _record_in_ledger(number, ledger.RESTORED, by, "undo of invalidation begun")
    with transaction() as store:  # first, so that a run in progress invalidates no more
        is_done = (Invalidation.id == number) & Invalidation.undone_at.is_(None)
        store.execute(update(Invalidation).where(is_done).values(undone_at=clock.now()))
    restored = sum(write_queue().submit(_restore_batch, (number, span)) for span in batch_updates.spans(campaign_id))
    journal.note(by, "invalidation undone", f"invalidation {number}", restored)
    return restored


def _record_in_ledger(number: int, what: str, by: str, act: str) -> int:
    """Record the act, so that it is repeated after a backup is restored; returns the campaign's id."""
    columns = (Invalidation.campaign_id, Invalidation.created_at, Invalidation.condition, Invalidation.reason)
    with transaction() as store:
        row = store.execute(select(*columns).where(Invalidation.id == number)).one_or_none()
        if row is None:
            raise NotFound(invalidation=number)
        said = {"made": row.created_at.isoformat(), "condition": row.condition, "reason": row.reason}
        line = {"what": what, "campaign": row.campaign_id, **said}
        ledger.append(store.connection(), [line], clock.now())
        journal.record(store, by, act, f"invalidation {number}")
    return int(row.campaign_id)


def replay_invalidation(line: ledger.Line) -> None:
    """Repeat an act from the ledger after a backup was restored, unless the database has it already."""
    made_at = datetime.fromisoformat(line["made"])
    with transaction() as store:
        row = store.scalar(select(Invalidation).where(Invalidation.created_at == made_at))
        if row is None:
            row = Invalidation(campaign_id=line["campaign"], condition=line["condition"], reason=line["reason"])
            row.previewed, row.created_at = 0, made_at
            store.add(row)
            store.flush()
        number, is_done = row.id, row.ran_at is not None
    if line["what"] == ledger.RESTORED:
        undo_invalidation(number)
    elif not is_done:
        run_invalidation(number)


def _invalidate_batch(connection: Connection, batches: Sequence[tuple[int, batch_updates.Span]]) -> list[int]:
    return [_invalidate(connection, number, span) for number, span in batches]


def _invalidate(connection: Connection, number: int, span: batch_updates.Span) -> int:
    now = clock.now()
    columns = (Invalidation.campaign_id, Invalidation.condition)
    living = (Invalidation.id == number) & Invalidation.undone_at.is_(None)
    row = connection.execute(select(*columns).where(living).with_for_update()).one_or_none()
    if row is None:
        return 0
    condition = Condition.from_json(row.condition)
    values = {"invalidated_at": clock.minute_of(now), "invalidation_id": number}
    steps = [
        batch_updates.Step(before, SignatureState.INVALIDATED, values, condition.clauses())
        for before in condition.states
    ]
    invalidated = sum(batch_updates.change(connection, row.campaign_id, span, step, now) for step in steps)
    grown = {"struck": Invalidation.struck + invalidated}
    connection.execute(update(Invalidation).where(Invalidation.id == number).values(grown))
    return invalidated


def _restore_batch(connection: Connection, batches: Sequence[tuple[int, batch_updates.Span]]) -> list[int]:
    return [_restore(connection, number, span) for number, span in batches]


def _restore(connection: Connection, number: int, span: batch_updates.Span) -> int:
    campaign_id = connection.scalar(select(Invalidation.campaign_id).where(Invalidation.id == number)) or 0
    values = {"invalidated_at": None, "invalidation_id": None}
    struck_by_it = Signature.invalidation_id == number
    steps = [
        batch_updates.Step(SignatureState.INVALIDATED, after, values, (struck_by_it, was))
        for after, was in _WAS.items()
    ]
    return sum(batch_updates.change(connection, campaign_id, span, step, clock.now()) for step in steps)
