"""Staff: accounts and logins. Sessions live in the database, so that they can be ended here."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, select

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.errors import DomainError, LoginRefused
from petitions.models import Account, StaffSession
from petitions.services import limits

SHORTEST_PASSWORD = 12
SESSION_LASTS = timedelta(hours=12)

# RFC 9106's second choice scaled to a host with 1 GB: about 30 ms and 19 MiB a try.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Somebody who does not exist takes as long to refuse as somebody who does.
_NOBODY = _hasher.hash(secrets.token_hex(16))


class PasswordTooShort(DomainError):
    """The password has fewer than 12 characters."""

    code = "password_too_short"


class AccountExists(DomainError):
    """There is an account of that name already."""

    code = "account_exists"


@dataclass(frozen=True)
class Login:
    """Who is logged in, and the session's own data."""

    account_id: int
    name: str
    data: dict[str, str]


def create_account(name: str, password: str) -> None:
    """Add a member of staff; raises PasswordTooShort or AccountExists."""
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(shortest=SHORTEST_PASSWORD)
    hashed = _hasher.hash(password)
    with transaction() as store:
        if store.scalar(select(Account.id).where(Account.name == _folded(name))) is not None:
            raise AccountExists()
        store.add(Account(name=_folded(name), password_hash=hashed, created_at=clock.now()))


def log_in(name: str, password: str, network: str) -> str:
    """A new session's secret, for the cookie. Raises LoginRefused, or TooManyTries for this name from this network."""
    account_id = prove_password(name, password, network)
    token = secrets.token_urlsafe(32)
    with transaction() as store:
        now = clock.now()
        store.execute(delete(StaffSession).where(StaffSession.created_at < now - SESSION_LASTS))
        data = {"csrf_token": secrets.token_hex(20)}  # set here, so that no page that shows a form writes
        session = StaffSession(token_hash=_hash(token), account_id=account_id, data=data, created_at=now)
        store.add(session)
    return token


def prove_password(name: str, password: str, network: str) -> int:
    """The account that this name and password belong to; raises what `log_in` raises. Also asked before an export."""
    limits.spend(limits.LOGIN_TRIES, f"{_folded(name)} {network}")
    with reading() as connection:
        statement = select(Account.id, Account.password_hash).where(Account.name == _folded(name))
        account = connection.execute(statement).one_or_none() if _may_be_a_name(name) else None
    try:
        _hasher.verify(account.password_hash if account else _NOBODY, password)
    except (Argon2Error, InvalidHashError) as why:
        raise LoginRefused() from why
    if account is None:
        raise LoginRefused()
    return int(account.id)


def login_of(token: str) -> Login | None:
    """Whose session this secret opens; None if it was ended or is over."""
    statement = (
        select(Account.id, Account.name, StaffSession.data)
        .join(StaffSession, StaffSession.account_id == Account.id)
        .where(StaffSession.token_hash == _hash(token), StaffSession.created_at > clock.now() - SESSION_LASTS)
    )
    with reading() as connection:
        row = connection.execute(statement).one_or_none()
    return Login(row.id, row.name, row.data) if row else None


def log_out(token: str) -> None:
    """End this session."""
    with transaction() as store:
        store.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def _may_be_a_name(typed: str) -> bool:
    """Postgres takes no NUL, not even to look for it."""
    return "\0" not in typed


def _folded(name: str) -> str:
    return name.strip().casefold()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
