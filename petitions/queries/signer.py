"""What a signer's links may show: which cases, never a name, which the server cannot read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, select

from petitions.db.transactions import read_autocommit, reading
from petitions.domain.states import SignatureState
from petitions.errors import LinkUnknown
from petitions.models import Signature, Signer

LARGEST_ID = 2**31 - 1  # of an INTEGER column: Postgres raises an error for a larger id, as in a forged link


@dataclass(frozen=True)
class SignerFacts:
    """A signer's row, and the cases by state."""

    id: int
    campaign_id: int
    link_id: bytes = field(repr=False)
    address_key: bytes = field(repr=False)
    email_key: bytes = field(repr=False)
    locale: str
    newsletter: bool
    is_named: bool
    asked_at: datetime
    is_confirmed: bool
    cases: dict[str, list[int]]
    signed_at: dict[int, datetime]
    uncounted: list[int]  # the mailbox signed with another spelling, which this signer must not learn

    def in_state(self, state: SignatureState) -> list[int]:
        """The ids of the cases whose signature is in `state`."""
        return self.cases.get(state, [])

    @property
    def pending(self) -> list[int]:
        """Cases that wait for a confirmation."""
        return self.in_state(SignatureState.PENDING)

    @property
    def confirmed(self) -> list[int]:
        """Cases whose signature was confirmed, held ones included: only staff see a hold."""
        return self.in_state(SignatureState.CONFIRMED) + self.in_state(SignatureState.HELD) + self.uncounted


@dataclass(frozen=True)
class KnownSigner:
    """A signer who signed before, found for a new entry."""

    id: int
    asked_at: datetime
    is_confirmed: bool
    states: dict[int, SignatureState]  # by case


def known_signers(
    connection: Connection, keys: Collection[tuple[int, bytes, bytes]]
) -> dict[tuple[int, bytes, bytes], KnownSigner]:
    """The known ones of these signers (campaign, address key, name key), by key.

    One statement, or none without keys.
    """
    if not keys:
        return {}
    campaigns, addresses, names = (sorted(set(each)) for each in zip(*keys, strict=True))
    found: dict[tuple[int, bytes, bytes], KnownSigner] = {}
    for row in connection.execute(_KNOWN, {"campaigns": campaigns, "addresses": addresses, "names": names}):
        key = (row.campaign_id, row.address_key, row.name_key)
        signer = found.setdefault(key, KnownSigner(row.id, row.asked_at, row.confirmed_at is not None, {}))
        if row.case_id is not None:
            signer.states[row.case_id] = SignatureState(row.state)
    return found


_KNOWN = (
    select(Signer.campaign_id, Signer.address_key, Signer.name_key, Signer.id, Signer.asked_at, Signer.confirmed_at)
    .add_columns(Signature.case_id, Signature.state)
    .outerjoin(Signature, Signature.signer_id == Signer.id)
    .where(
        Signer.campaign_id.in_(
            bindparam("campaigns", expanding=True)
        ),  # the first column of the index, so always given
        Signer.address_key.in_(bindparam("addresses", expanding=True)),
        Signer.name_key.in_(bindparam("names", expanding=True)),
    )
)


def facts(signer_id: int) -> SignerFacts:
    """The facts of a signer; raises LinkUnknown if there is none, or it was erased."""
    if signer_id > LARGEST_ID:
        raise LinkUnknown()
    with read_autocommit() as connection:
        return _facts(connection.execute(_BY_ID, {"id": signer_id}).all())


def facts_behind(link_id: bytes) -> SignerFacts:
    """The same, by link_id."""
    with read_autocommit() as connection:
        return _facts(connection.execute(_BY_LINK, {"link_id": link_id}).all())


def at_address(campaign_id: int, address_key: bytes) -> list[SignerFacts]:
    """The signers with exactly this address; may be empty."""
    return _where(Signer.campaign_id == campaign_id, Signer.address_key == address_key)


def in_mailbox(campaign_id: int, email_key: bytes) -> list[SignerFacts]:
    """The signers whose addresses may be one mailbox, such as those with a +tag."""
    return _where(Signer.campaign_id == campaign_id, Signer.email_key == email_key)


def named(signer: SignerFacts, name_key: bytes) -> SignerFacts | None:
    """The signer with this name at the same address; None if there is none."""
    same = (Signer.campaign_id == signer.campaign_id, Signer.address_key == signer.address_key)
    with read_autocommit() as connection:
        found = connection.scalar(select(Signer.id).where(*same, Signer.name_key == name_key))
    return facts(found) if found else None


def others_waiting(signer: SignerFacts) -> int:
    """How many other entries are pending at the signer's address, perhaps typed by other people."""
    others = (Signer.campaign_id == signer.campaign_id, Signer.address_key == signer.address_key)
    statement = select(func.count(Signer.id)).where(*others, Signer.confirmed_at.is_(None), Signer.id != signer.id)
    with read_autocommit() as connection:
        return connection.scalar(statement) or 0


def _where(*conditions: ColumnElement[bool]) -> list[SignerFacts]:
    with reading() as connection:
        ids = list(connection.scalars(select(Signer.id).where(*conditions).order_by(Signer.id)))
    return [facts(signer_id) for signer_id in ids]


def _facts(rows: Sequence[Row[Any]]) -> SignerFacts:
    if not rows or rows[0].link_id is None:
        raise LinkUnknown()
    cases: dict[str, list[int]] = {}
    uncounted = []
    for row in rows:
        if row.case_id is not None:
            cases.setdefault(row.state, []).append(row.case_id)
            if row.state == SignatureState.INVALIDATED and row.invalidation_id is None:
                uncounted.append(row.case_id)
    first = rows[0]
    return SignerFacts(
        *(first.id, first.campaign_id, first.link_id, first.address_key, first.email_key, first.locale),
        *(first.newsletter, first.is_named, first.asked_at, first.confirmed_at is not None),
        cases=cases,
        signed_at={row.case_id: row.signed_at for row in rows if row.case_id is not None},
        uncounted=uncounted,
    )


_FACTS = (
    select(Signer.id, Signer.campaign_id, Signer.link_id, Signer.address_key, Signer.email_key, Signer.locale)
    .add_columns(Signer.newsletter, Signer.is_named, Signer.asked_at, Signer.confirmed_at)
    .add_columns(Signature.case_id, Signature.state, Signature.signed_at, Signature.invalidation_id)
    .outerjoin(Signature, Signature.signer_id == Signer.id)
    .where(Signer.erased_at.is_(None))
    .order_by(Signature.case_id)
)
_BY_ID = _FACTS.where(Signer.id == bindparam("id"))
_BY_LINK = _FACTS.where(Signer.link_id == bindparam("link_id"))
