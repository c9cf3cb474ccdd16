"""Tables of signers and signatures. Names and addresses are stored only encrypted and as blind indexes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.domain.states import SignatureState, one_of


class Signer(Base):
    """A person in one campaign, identified by name and address as typed; `link_id` identifies the signer in links.

    `slot` is a place in the mailbox (one or two, as the campaign allows). It is taken at the first confirmation, so
    that entries by others do not use it up; signatures of a signer without a place do not count. Erasure sets all
    personal columns to NULL: the row then says only that somebody signed, and its links are dead. `sealed_name` is a
    corrected name, because the server cannot decrypt `sealed` to change it.
    """

    __tablename__ = "signers"
    __table_args__ = (
        UniqueConstraint("campaign_id", "address_key", "name_key"),
        UniqueConstraint("campaign_id", "email_key", "slot"),
        CheckConstraint("slot BETWEEN 1 AND 9", name="slot_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    link_id: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    address_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    name_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    slot: Mapped[int | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_named: Mapped[bool] = mapped_column(server_default=true())  # the name may be delivered to the addressees
    is_of_age: Mapped[bool | None]  # if the campaign asks for it
    locale: Mapped[str | None] = mapped_column(String(12))
    newsletter: Mapped[bool]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    collector_id: Mapped[int | None] = mapped_column(ForeignKey("collectors.id"))


class Signature(Base):
    """Signer x case: the unit that is counted. Every change of state is accompanied by a change of the counts.

    No second index: signing writes nine of these rows per signer, and no page for visitors searches them by case.
    """

    __tablename__ = "signatures"
    __table_args__ = (
        one_of("state", SignatureState),
        {"sqlite_with_rowid": False},
    )

    signer_id: Mapped[int] = mapped_column(ForeignKey("signers.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    letter_version_id: Mapped[int | None] = mapped_column(ForeignKey("letter_versions.id"))
    consent_version_id: Mapped[int | None] = mapped_column(ForeignKey("consent_versions.id"))
    invalidation_id: Mapped[int | None] = mapped_column(ForeignKey("invalidations.id"))
    source: Mapped[str] = mapped_column(String(12))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invalidated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
