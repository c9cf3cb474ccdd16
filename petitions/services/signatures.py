"""The two things that can happen to signatures: some are added, some change their state. The counts go along."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, update

from petitions.db import bulk
from petitions.models import Signature
from petitions.models.states import SignatureState
from petitions.services import counting

NewSignature = tuple[int, int, int, str]  # signer, case, letter version, source
Moved = dict[int, list[int]]  # by signer: the cases that changed

_MOVES = {
    SignatureState.HELD: "held_at",
    SignatureState.CONFIRMED: "confirmed_at",
    SignatureState.WITHDRAWN: "withdrawn_at",
    SignatureState.INVALIDATED: "invalidated_at",
    SignatureState.EXPIRED: "expired_at",
}


def add(connection: Connection, new: Iterable[NewSignature], now: datetime) -> Moved:
    """Insert pending signatures; gives those that were not there yet."""
    returned = bulk.insert(
        connection,
        Signature.__table__,  # type: ignore[arg-type]
        ("signer_id", "case_id", "state", "letter_version_id", "source", "signed_at"),
        [(signer, case, SignatureState.PENDING, version, source, now) for signer, case, version, source in new],
        on_conflict="DO NOTHING",
        returning=("signer_id", "case_id"),
    )
    counting.shift(connection, ((case_id, SignatureState.PENDING, 1) for _, case_id in returned), now)
    return _by_signer(returned)


def move(
    connection: Connection, signer_ids: Sequence[int], before: SignatureState, after: SignatureState, now: datetime
) -> Moved:
    """Change the state of these signers' signatures, only where it is `before`; gives those that really changed."""
    statement = (
        update(Signature)
        .where(Signature.signer_id.in_(bindparam("signer_ids", expanding=True)), Signature.state == before)
        .values({"state": after, _MOVES[after]: now})
        .returning(Signature.signer_id, Signature.case_id)
    )
    returned = connection.execute(statement, {"signer_ids": sorted(set(signer_ids))}).all()
    changes = [(case_id, column, by) for _, case_id in returned for column, by in ((before, -1), (after, 1))]
    counting.shift(connection, changes, now)
    return _by_signer(returned)


def _by_signer(rows: Iterable[tuple[int, int]]) -> Moved:
    moved: Moved = {}
    for signer_id, case_id in rows:
        moved.setdefault(signer_id, []).append(case_id)
    return moved
