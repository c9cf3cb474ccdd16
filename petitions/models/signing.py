"""Who signed what. Name and address lie here only sealed and blinded."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.domain.states import SignatureState, one_of


class Signer(Base):
    """A person in one campaign, known by a name and by an address as it was typed; `link_id` is its name in links.

    `slot` is a place of the mailbox (one or two, as the campaign says). It is taken at the first confirmation, so that
    what strangers type keeps nobody out; without one, nothing of the signer counts. Erasing a signer sets all that is
    personal to NULL: the row then says only that somebody signed, and every link to it is dead. `sealed_name` is a
    corrected name: nobody here can open `sealed` to change it.
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
    is_named: Mapped[bool] = mapped_column(server_default=true())  # may be named to those whom a case addresses
    is_of_age: Mapped[bool | None]  # where the campaign asks for it
    locale: Mapped[str | None] = mapped_column(String(12))
    newsletter: Mapped[bool]
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
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
