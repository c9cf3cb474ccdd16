"""Invitations: a link with which somebody chooses the password of a new account, or of one whose password is lost."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import select

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.domain.roles import Role
from petitions.errors import LinkUnknown
from petitions.models import NO_PASSWORD, Account
from petitions.services import journal
from petitions.services.staff import accounts

LIFETIME = timedelta(days=7)


def invite(name: str, role: Role, ends_at: datetime | None, by: str) -> str:
    """Create an account without a password; returns the token of its link. Raises AccountExists or NameMissing."""
    return _with_token(accounts.add(name, NO_PASSWORD, role, ends_at, by), "account created", by)


def renew(name: str, by: str) -> str:
    """A new link for an account, which keeps its password until the link is used; raises NotFound."""
    with reading() as connection:
        account_id = connection.scalar(select(Account.id).where(Account.name == accounts.folded(name)))
    return _with_token(account_id or 0, "account invited again", by)


def name_of(token: str) -> str:
    """The account that this link belongs to; raises LinkUnknown if the link was used or is too old."""
    is_valid = (Account.invited_hash == _hash(token)) & (Account.invited_until > clock.now())
    with reading() as connection:
        name = connection.scalar(select(Account.name).where(is_valid, Account.disabled_at.is_(None)))
    if name is None:
        raise LinkUnknown()
    return str(name)


def accept(token: str, password: str) -> None:
    """Set the password; the link works once. Raises LinkUnknown, PasswordTooShort or PasswordCommon."""
    name = name_of(token)
    accounts.set_password(name, password, by="invitation")
    with transaction() as store:
        account = accounts.changed(store, name)
        account.invited_hash, account.invited_until = None, None


def _with_token(account_id: int, act: str, by: str) -> str:
    token = secrets.token_urlsafe(24)
    with transaction() as store:
        account = store.get(Account, account_id, with_for_update=True)
        if account is None:
            raise LinkUnknown()
        account.invited_hash, account.invited_until = _hash(token), clock.now() + LIFETIME
        journal.record(store, by, act, f"account {account_id}")
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
