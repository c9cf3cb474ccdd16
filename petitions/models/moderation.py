"""Tables against abuse: suppression, mail quota, holds, invalidations; and marks and check values."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime


class Suppression(Base):
    """A mailbox that gets no e-mail. The key is a keyed hash of the address: it names nobody."""

    __tablename__ = "suppressions"

    mailbox_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    reason: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MailSlot(Base):
    """One of the daily e-mails of a mailbox (named by a keyed hash); free again at `ends_at` (Unix seconds)."""

    __tablename__ = "mail_slots"

    mailbox_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    ends_at: Mapped[int] = mapped_column(BigInteger, index=True)


class Hold(Base):
    """From `began_at` to `ended_at`, new confirmations of the campaign are held back and not counted."""

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invalidation(Base):
    """Invalidation of many signatures: its condition, reason and preview, when it ran and when it was undone."""

    __tablename__ = "invalidations"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    condition: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(12), default="other", server_default="other")  # an InvalidationKind
    previewed: Mapped[int]
    struck: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ran_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Mark(Base):
    """When something was last done; from "retention" and "boot" it is known whether the clock jumped.

    `subject` is the campaign's row id, or the machine's start, if there are several marks of a kind.
    """

    __tablename__ = "marks"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    subject: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Check(Base):
    """The check value of a secret, or of a file beside the database, to detect that it was replaced."""

    __tablename__ = "checks"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(String(100))
