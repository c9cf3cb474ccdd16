"""Who signed what. Name and address lie here only sealed and blinded."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.models.states import SignatureState, one_of


class Signer(Base):
    """A person in one campaign. The two unique keys let two people share a mailbox, and nobody sign twice.

    Erasing a signer sets the sealed payloads, both keys and the salt to NULL: the row then says only that somebody
    signed, and every link to it is dead. `sealed_name` is a corrected name: the server
    cannot open `sealed` to change it.
    """

    __tablename__ = "signers"
    __table_args__ = (
        UniqueConstraint("campaign_id", "email_key", "slot"),
        UniqueConstraint("campaign_id", "email_key", "name_key"),
        CheckConstraint("slot BETWEEN 1 AND 9", name="slot_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    email_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    slot: Mapped[int]
    name_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_name: Mapped[bytes | None] = mapped_column(LargeBinary)
    link_salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    locale: Mapped[str] = mapped_column(String(12))
    newsletter: Mapped[bool]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    pass_id: Mapped[int | None] = mapped_column(ForeignKey("passes.id"))


class Signature(Base):
    """Signer x case, the thing that is counted. Every change of state goes with a change of the counts.

    No second index: nine rows a signer are written here, and nothing on the way to a visitor searches by case.
    """

    __tablename__ = "signatures"
    __table_args__ = (
        one_of("state", SignatureState),
        {"sqlite_with_rowid": False},
    )

    signer_id: Mapped[int] = mapped_column(ForeignKey("signers.id"), primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    letter_version_id: Mapped[int] = mapped_column(ForeignKey("letter_versions.id"))
    consent_version_id: Mapped[int | None] = mapped_column(ForeignKey("consent_versions.id"))
    invalidation_id: Mapped[int | None] = mapped_column(ForeignKey("invalidations.id"))
    source: Mapped[str] = mapped_column(String(12))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invalidated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
