"""The table of the outbox: e-mails that wait to be sent."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.domain.states import MessageState, one_of


class Message(Base):
    """An e-mail that waits, or that failed recently; sent e-mails leave no row.

    `payload` is the address, encrypted with the server's key. Without a signer it is a request for the link to the
    signer's page: the worker looks up the signers, so that a request takes equally long for every address.
    """

    __tablename__ = "messages"
    __table_args__ = (one_of("state", MessageState), Index("ix_messages_state_due_at", "state", "due_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    signer_id: Mapped[int | None] = mapped_column(ForeignKey("signers.id"), index=True)
    lane: Mapped[int] = mapped_column(default=0, server_default="0")  # the order of sending: the smallest number first
    locale: Mapped[str] = mapped_column(String(12))
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(String(40))
