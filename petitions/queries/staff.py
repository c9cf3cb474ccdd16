"""The staff accounts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.roles import Right, Role, may
from petitions.models import NO_PASSWORD, Account, StaffSession


@dataclass(frozen=True)
class Member:
    """An account, and its number of sessions."""

    name: str
    created_at: datetime
    disabled_at: datetime | None
    role: Role
    ends_at: datetime | None
    has_factor: bool
    is_invited: bool
    sessions: int


def has_second_person(account_id: int, right: Right) -> bool:
    """Whether another account that can log in has this right too."""
    roles = [role for role in Role if may(role, right)]
    is_other = (Account.id != account_id) & Account.role.in_(roles) & Account.disabled_at.is_(None)
    lasts = Account.ends_at.is_(None) | (Account.ends_at > clock.now())
    never = Account.password_hash == NO_PASSWORD
    with reading() as connection:
        return connection.scalar(select(Account.id).where(is_other, lasts, ~never).limit(1)) is not None


def members(since: datetime) -> list[Member]:
    """All accounts by name, with the number of sessions that began after `since`."""
    is_theirs = and_(StaffSession.account_id == Account.id, StaffSession.created_at > since)
    number = func.count(StaffSession.token_hash).label("number")
    columns = (Account.__table__, number)
    statement = select(*columns).outerjoin(StaffSession, is_theirs).group_by(Account.id).order_by(Account.name)
    with reading() as connection:
        return [
            Member(
                *(row.name, row.created_at, row.disabled_at, Role(row.role), row.ends_at),
                *(row.factor is not None, row.invited_hash is not None, row.number),
            )
            for row in connection.execute(statement)
        ]


@dataclass(frozen=True)
class OpenSession:
    """A session of an account; `key` names it, and is no secret: the cookie's token cannot be computed from it."""

    key: str
    created_at: datetime


def open_sessions(account_id: int, since: datetime) -> list[OpenSession]:
    """The sessions of this account that began after `since`, the newest first."""
    is_theirs = (StaffSession.account_id == account_id) & (StaffSession.created_at > since)
    statement = select(StaffSession.token_hash, StaffSession.created_at).where(is_theirs)
    with reading() as connection:
        rows = connection.execute(statement.order_by(StaffSession.created_at.desc())).all()
    return [OpenSession(row.token_hash.hex(), row.created_at) for row in rows]
