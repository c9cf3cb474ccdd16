"""Adds signatures and changes their states; the counts are updated in the same transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Update, bindparam, update

from petitions.clock import minute_of
from petitions.db import bulk
from petitions.db.base import UtcDateTime
from petitions.domain.states import SignatureState
from petitions.models import Signature
from petitions.queries.catalogue import PublicCase
from petitions.services.signatures import counting


class Wanted(NamedTuple):
    """A signature that somebody wants to give: to which words, and where the signer came from."""

    case_id: int
    letter_version_id: int
    consent_version_id: int
    source: str


class NewSignature(NamedTuple):
    """A row to insert."""

    signer_id: int
    case_id: int
    letter_version_id: int
    consent_version_id: int
    source: str


Moved = dict[int, list[int]]  # changed cases by signer

# The states from which a signer may withdraw, in the order in which a signature goes through them: on Postgres, a
# signature that is confirmed at the same time is then found in the next state. In the other order it would be missed.
LIVING = (SignatureState.PENDING, SignatureState.HELD, SignatureState.CONFIRMED)
ENDED = (SignatureState.WITHDRAWN, SignatureState.EXPIRED)  # may be signed again

_MOVES = {
    SignatureState.HELD: "held_at",
    SignatureState.CONFIRMED: "confirmed_at",
    SignatureState.WITHDRAWN: "withdrawn_at",
    SignatureState.INVALIDATED: "invalidated_at",
    SignatureState.EXPIRED: "expired_at",
}


def wanted(cases: Sequence[PublicCase], locale: str, consent: int, source: str) -> tuple[Wanted, ...]:
    """What a reader of `locale` signs in these cases, each once."""
    return tuple(
        Wanted(case.id, case.letter_versions[case.locale_for(locale)], consent, source) for case in dict.fromkeys(cases)
    )


def revive(
    connection: Connection,
    signer_id: int,
    case_ids: Sequence[int],
    now: datetime,
    states: Iterable[SignatureState] = ENDED,
) -> list[int]:
    """Make withdrawn or expired signatures pending again, because their signer signed again; returns their cases.

    A caller that knows the possible `states` saves the statements for the others.
    """
    moved = (move(connection, [signer_id], before, SignatureState.PENDING, now, case_ids) for before in states)
    return [case_id for each in moved for case_id in each.get(signer_id, [])]


def take_back(
    connection: Connection, signer_ids: Sequence[int], now: datetime, case_ids: Sequence[int] | None = None
) -> None:
    """Withdraw these signers' signatures for good: undoing an invalidation does not restore them either."""
    for before in (SignatureState.INVALIDATED, *LIVING):
        move(connection, signer_ids, before, SignatureState.WITHDRAWN, now, case_ids)


def add(connection: Connection, first: Sequence[NewSignature], further: Sequence[NewSignature], now: datetime) -> Moved:
    """Insert pending signatures: `first` of new signers, and `further` ones; returns those that were not there yet.

    `first` needs no RETURNING, because all of those rows are new.
    """
    same = {"state": SignatureState.PENDING, "signed_at": minute_of(now)}
    bulk.insert(connection, Signature, NewSignature._fields, first, same=same)
    added = [each[:2] for each in first] + bulk.insert(
        connection,
        Signature,
        NewSignature._fields,
        further,
        same=same,
        on_conflict=bulk.skip,
        returning=("signer_id", "case_id"),
    )
    counting.shift(connection, ((case_id, SignatureState.PENDING, 1) for _, case_id in added), now)
    return _by_signer(added)


def move(
    connection: Connection,
    signer_ids: Sequence[int],
    before: SignatureState,
    after: SignatureState,
    now: datetime,
    case_ids: Sequence[int] | None = None,
) -> Moved:
    """Change the state of these signers' signatures from `before` to `after`; returns those that changed.

    `case_ids` restricts it to those cases.
    """
    values = {"b_signers": sorted(set(signer_ids)), "b_now": minute_of(now)}
    if case_ids is not None:
        values["b_cases"] = list(case_ids)
    returned = connection.execute(_moving(before, after, case_ids is not None), values).all()
    changes = [(case_id, column, by) for _, case_id in returned for column, by in ((before, -1), (after, 1))]
    counting.shift(connection, changes, now)
    return _by_signer(returned)


@cache
def _moving(before: SignatureState, after: SignatureState, of_some_cases: bool) -> Update:
    """The statement, cached, because building it costs more than running it."""
    statement = (
        update(Signature)
        .where(Signature.signer_id.in_(bindparam("b_signers", expanding=True)), Signature.state == before)
        .values({"state": after, **_times(after)})
        .returning(Signature.signer_id, Signature.case_id)
    )
    if of_some_cases:
        statement = statement.where(Signature.case_id.in_(bindparam("b_cases", expanding=True)))
    return statement


def _times(after: SignatureState) -> dict[str, Any]:
    """The timestamps that belong to the new state; a signature that is pending again keeps only its withdrawal."""
    now = bindparam("b_now", type_=UtcDateTime())
    if after == SignatureState.PENDING:
        return {"signed_at": now, **dict.fromkeys(set(_MOVES.values()) - {"withdrawn_at"})}
    return {_MOVES[after]: now}


def _by_signer(rows: Iterable[tuple[int, int]]) -> Moved:
    moved: Moved = {}
    for signer_id, case_id in rows:
        moved.setdefault(signer_id, []).append(case_id)
    return moved
