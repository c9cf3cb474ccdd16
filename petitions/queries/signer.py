"""What one signer's links may show: which cases, never a name (the server cannot read it)."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select

from petitions.db.transactions import looking, reading
from petitions.errors import LinkUnknown
from petitions.models import Signature, Signer
from petitions.models.states import SignatureState

LARGEST_ID = 2**31 - 1  # of an INTEGER column; a forged link may ask for more, which Postgres answers with an error


@dataclass(frozen=True)
class SignerFacts:
    """A signer's row, and the cases by state."""

    id: int
    campaign_id: int
    salt: bytes = field(repr=False)
    locale: str
    newsletter: bool
    asked_at: datetime
    cases: dict[str, list[int]]
    signed_at: dict[int, datetime]

    def in_state(self, state: SignatureState) -> list[int]:
        """The ids of the cases whose signature is in `state`."""
        return self.cases.get(state, [])

    @property
    def pending(self) -> list[int]:
        """Cases that wait for a confirmation."""
        return self.in_state(SignatureState.PENDING)

    @property
    def confirmed(self) -> list[int]:
        """Cases whose signature was confirmed; that one of them is held is for staff, not for its signer."""
        return self.in_state(SignatureState.CONFIRMED) + self.in_state(SignatureState.HELD)


def facts(signer_id: int) -> SignerFacts:
    """What is known of a signer; raises LinkUnknown if there is none, or it was erased."""
    if signer_id > LARGEST_ID:
        raise LinkUnknown()
    with looking() as connection:
        rows = connection.execute(_FACTS, {"id": signer_id}).all()
    if not rows or rows[0].link_salt is None:
        raise LinkUnknown()
    cases: dict[str, list[int]] = {}
    for row in rows:
        if row.case_id is not None:
            cases.setdefault(row.state, []).append(row.case_id)
    first = rows[0]
    return SignerFacts(
        *(signer_id, first.campaign_id, first.link_salt, first.locale, first.newsletter, first.asked_at),
        cases=cases,
        signed_at={row.case_id: row.signed_at for row in rows if row.case_id is not None},
    )


_FACTS = (
    select(Signer.campaign_id, Signer.link_salt, Signer.locale, Signer.newsletter, Signer.asked_at)
    .add_columns(Signature.case_id, Signature.state, Signature.signed_at)
    .outerjoin(Signature, Signature.signer_id == Signer.id)
    .where(Signer.id == bindparam("id"), Signer.erased_at.is_(None))
    .order_by(Signature.case_id)
)


def by_mailbox(campaign_id: int, email_key: bytes) -> list[SignerFacts]:
    """The signers who share a mailbox; an empty list for a mailbox that never signed."""
    statement = select(Signer.id).where(Signer.campaign_id == campaign_id, Signer.email_key == email_key)
    with reading() as connection:
        ids = list(connection.scalars(statement))
    return [facts(signer_id) for signer_id in ids]
