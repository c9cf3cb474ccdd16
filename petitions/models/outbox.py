"""The outbox: mails are rows first, written with what they are about."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.models.states import MessageState, one_of


class Message(Base):
    """One mail. `payload` (address and name, sealed with the server's key) is wiped once it is sent."""

    __tablename__ = "messages"
    __table_args__ = (one_of("state", MessageState), Index("ix_messages_state_due_at", "state", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    signer_id: Mapped[int] = mapped_column(ForeignKey("signers.id"), index=True)
    locale: Mapped[str] = mapped_column(String(12))
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(String(40))
