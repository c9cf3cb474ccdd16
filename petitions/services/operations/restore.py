"""Replay after a restored backup: repeats what the ledger records, so that no erased or withdrawn data comes back."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from petitions import clock
from petitions.db.transactions import transaction, truncate_log
from petitions.domain.states import SignatureState
from petitions.models import Signature, Signer, Suppression
from petitions.services import ledger
from petitions.services.mailing.suppression import insert_suppression
from petitions.services.moderation import invalidations
from petitions.services.paper import collectors
from petitions.services.privacy import retention
from petitions.services.privacy.erasure import erase_signers
from petitions.services.signatures import signatures

BATCH = 500  # lines per transaction


def replay() -> int:
    """Repeat the ledger's entries, oldest first; returns how many changed something. Idempotent.

    A line about a signer applies only if the signer did nothing later: a failed transaction may have left a line.
    """
    number = 0
    for what, group in groupby(ledger.lines(), key=lambda line: str(line["what"])):
        lines = list(group)
        if what in (ledger.INVALIDATED, ledger.RESTORED):
            for line in lines:
                invalidations.replay_invalidation(line)
        elif what == ledger.KEY_DESTROYED:
            for slug in {line["campaign"] for line in lines}:
                retention.destroy_key(slug, clock.now())
        else:
            for start in range(0, len(lines), BATCH):
                with transaction() as store:
                    number += _replay_lines(store.connection(), what, lines[start : start + BATCH])
    with transaction() as store:
        ledger.note_length(store.connection(), ledger.lengths()[1], is_set=True)
    truncate_log()
    return number


def _replay_lines(connection: Connection, what: str, lines: Sequence[ledger.Line]) -> int:
    if what in (ledger.ERASED, ledger.EXPIRED):
        return _erase(connection, what, lines)
    return sum(_CHANGES[what](connection, line) for line in lines if what in _CHANGES)


def _erase(connection: Connection, what: str, lines: Sequence[ledger.Line]) -> int:
    at = {line["signer"]: line["at"] for line in lines}
    old = Signer.id.in_([name for name in at if isinstance(name, int)])  # lines from before version 0.1.0
    new = Signer.link_id.in_([bytes.fromhex(name) for name in at if isinstance(name, str)])
    columns = (Signer.id, Signer.link_id, Signer.asked_at, Signer.confirmed_at)
    rows = connection.execute(select(*columns).where(old | new, Signer.erased_at.is_(None))).all()
    now, ids = clock.now(), []
    for row in rows:
        said = at.get(row.link_id.hex() if row.link_id else "") or at[row.id]
        if max(row.asked_at, row.confirmed_at or row.asked_at) <= said:
            ids.append(row.id)
    if what == ledger.ERASED:
        signatures.take_back(connection, ids, now)
    else:
        signatures.move(connection, ids, SignatureState.PENDING, SignatureState.EXPIRED, now)
    return erase_signers(connection, ids, now, what)


def _withdraw(connection: Connection, line: ledger.Line) -> int:
    signer_id = connection.scalar(select(Signer.id).where(_is_of(line)))
    signed = (Signature.signer_id == signer_id, Signature.case_id.in_(line["cases"]))
    is_earlier = Signature.signed_at <= line["at"]
    is_new = or_(Signature.withdrawn_at.is_(None), Signature.withdrawn_at < line["at"])  # otherwise signed again later
    cases = list(connection.scalars(select(Signature.case_id).where(*signed, is_earlier, is_new)))
    if signer_id is not None and cases:
        signatures.take_back(connection, [signer_id], clock.now(), cases)
    return len(cases)


def _correct(connection: Connection, line: ledger.Line) -> int:
    """Stop delivering the name: the backup lacks the corrected one, and the present one is wrong."""
    sealed = connection.execute(select(Signer.id, Signer.sealed_name).where(_is_of(line))).one_or_none()
    if sealed is None or ledger.is_of(line, sealed.sealed_name):
        return 0
    return _set(connection, line, is_named=False)


def _set(connection: Connection, line: ledger.Line, **values: Any) -> int:
    return connection.execute(update(Signer).where(_is_of(line)).values(**values)).rowcount


def _suppress(connection: Connection, line: ledger.Line) -> int:
    insert_suppression(connection, line["mailbox"], line["reason"])
    return 1


def _lift(connection: Connection, line: ledger.Line) -> int:
    connection.execute(delete(Suppression).where(Suppression.mailbox_key == line["mailbox"]))
    return 1


def _forget(connection: Connection, line: ledger.Line) -> int:
    return collectors.forget(connection, line["campaign"], line["code"], line["at"])


def _is_of(line: ledger.Line) -> ColumnElement[bool]:
    return (Signer.link_id == bytes.fromhex(line["signer"])) & Signer.erased_at.is_(None)


_CHANGES = {
    ledger.WITHDRAWN: _withdraw,
    ledger.CORRECTED: _correct,
    ledger.NEWS: lambda connection, line: _set(connection, line, newsletter=line["wanted"]),
    ledger.NAMED: lambda connection, line: _set(connection, line, is_named=line["wanted"]),
    ledger.SUPPRESSED: _suppress,
    ledger.LIFTED: _lift,
    ledger.COLLECTOR_ERASED: _forget,
}
