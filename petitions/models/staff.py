"""Tables of staff accounts, sessions and journal, and of the recipient keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.domain.roles import Role
from petitions.domain.states import one_of

NO_PASSWORD = "!"  # no hash, so no password fits  # noqa: S105


class Account(Base):
    """A member of staff."""

    __tablename__ = "accounts"
    __table_args__ = (one_of("role", Role),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    role: Mapped[str] = mapped_column(String(10), default=Role.OWNER, server_default=Role.OWNER)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # from then on it cannot log in
    factor: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed with the master key
    factor_step: Mapped[int] = mapped_column(default=0, server_default="0")  # the last period whose code was used
    recovery: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")  # keyed hashes
    invited_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)  # of the invitation's token
    invited_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffSession(Base):
    """A staff session. Only the hash of the cookie's token is stored."""

    __tablename__ = "staff_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JournalRow(Base):
    """A row of the journal (see services/journal.py); `actor` is an account's id or a word."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(40))
    act: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(160))
    number: Mapped[int | None]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Recipient(Base):
    """A recipient key: a public key of the organisation. Its private half is never on the server."""

    __tablename__ = "recipients"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(String(120))
    public_key: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
