"""The staff accounts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from petitions.db.transactions import reading
from petitions.models import Account, StaffSession


@dataclass(frozen=True)
class Member:
    """An account, and its number of sessions."""

    name: str
    created_at: datetime
    disabled_at: datetime | None
    sessions: int


def members(since: datetime) -> list[Member]:
    """All accounts by name, with the number of sessions that began after `since`."""
    is_theirs = and_(StaffSession.account_id == Account.id, StaffSession.created_at > since)
    columns = (Account.name, Account.created_at, Account.disabled_at, func.count(StaffSession.token_hash))
    statement = select(*columns).outerjoin(StaffSession, is_theirs).group_by(Account.id).order_by(Account.name)
    with reading() as connection:
        return [Member(*row) for row in connection.execute(statement)]
