"""Staff accounts and logins. Sessions are rows in the database, so that the server can end them."""

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.errors import (
    AccountExists,
    LoginBusy,
    LoginRefused,
    NotFound,
    PasswordTooShort,
    PasswordWrong,
    TooManyTries,
)
from petitions.models import Account, StaffSession
from petitions.services import journal
from petitions.services.limits import networks, rate_limits

log = logging.getLogger(__name__)

Result = TypeVar("Result")
SHORTEST_PASSWORD = 12
SESSION_LIFETIME = timedelta(hours=12)

# Argon2id, RFC 9106's second recommended option scaled to a host with 1 GB: about 30 ms and 19 MiB per attempt.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# An unknown name must take as long to refuse as a known one.
_DUMMY_HASH = _hasher.hash(secrets.token_hex(16))
# Two threads hash for the whole process, as each keeps its memory. With 16 attempts waiting further ones are refused,
# so that signing goes on.
_HASHING = ThreadPoolExecutor(2, "password")
_PLACES = threading.BoundedSemaphore(16)


@dataclass(frozen=True)
class Login:
    """The logged-in account, and its session's data."""

    account_id: int
    name: str
    data: dict[str, str]


def create_account(name: str, password: str, by: str = journal.COMMAND) -> None:
    """Create a staff account; raises PasswordTooShort or AccountExists."""
    hashed = _new_hash(password)
    with transaction() as store:
        if store.scalar(select(Account.id).where(Account.name == _folded(name))) is not None:
            raise AccountExists()
        account = Account(name=_folded(name), password_hash=hashed, created_at=clock.now())
        store.add(account)
        store.flush()
        journal.record(store, by, "account created", f"account {account.id}")


def set_password(name: str, password: str, kept_token: str = "", by: str = journal.COMMAND) -> None:
    """Change the password and end all sessions except that of `kept_token`. Raises PasswordTooShort or NotFound."""
    hashed = _new_hash(password)
    with transaction() as store:
        account = _changed(store, name)
        account.password_hash = hashed
        _end_sessions(store, account, by, "password changed", kept_token)


def end_sessions(name: str, by: str = journal.COMMAND) -> None:
    """End all sessions of this account; raises NotFound."""
    with transaction() as store:
        _end_sessions(store, _changed(store, name), by, "sessions ended")


def set_enabled(name: str, is_enabled: bool, by: str = journal.COMMAND) -> None:
    """Enable the account, or disable it and end its sessions. Raises NotFound."""
    with transaction() as store:
        account = _changed(store, name)
        account.disabled_at = None if is_enabled else account.disabled_at or clock.now()
        _end_sessions(store, account, by, "account enabled" if is_enabled else "account disabled")


def log_in(name: str, password: str, network: str, old_token: str = "") -> str:
    """Check name and password; returns a new session's token for the cookie and ends the session `old_token`.

    Raises LoginRefused, LoginBusy, or TooManyTries: per network, per name and network, or per name over all networks
    from which the account never logged in (so that guessing from elsewhere does not lock its owner out).
    """
    account, place, token = _account(name), networks.widest(network), secrets.token_urlsafe(32)
    known = f"{_folded(name)} {place}"
    tries = [(rate_limits.LOGIN_TRIES_NETWORK, place)] if place else []
    tries.append((rate_limits.LOGIN_TRIES, f"{_folded(name)} {network}"))
    if not rate_limits.is_used(rate_limits.LOGIN_KNOWN, known):
        tries.append((rate_limits.LOGIN_TRIES_ACCOUNT, _folded(name)))
    try:
        for rule, value in tries:
            rate_limits.spend(rule, value)
    except TooManyTries as exc:
        log.warning("login limited account=%s limit=%s", account.id if account else "unknown", exc.details["kind"])
        raise
    account_id = _verify(account, password)
    with transaction() as store:
        if _changed(store, name).password_hash != (account.password_hash if account else ""):
            raise LoginRefused()  # the password was changed meanwhile, and its sessions ended
        now = clock.now()
        is_old = StaffSession.created_at < now - SESSION_LIFETIME
        store.execute(delete(StaffSession).where(is_old | (StaffSession.token_hash == _hash(old_token))))
        for rule, value in tries:  # successful logins do not count
            rate_limits.give_back(store.connection(), rule, value)
        rate_limits.use(store.connection(), rate_limits.LOGIN_KNOWN, [rate_limits.LOGIN_KNOWN.key(known)], now)
        data = {"csrf_token": secrets.token_hex(20)}  # set here, so that showing a form writes nothing
        session = StaffSession(token_hash=_hash(token), account_id=account_id, data=data, created_at=now)
        store.add(session)
        journal.record(store, f"account {account_id}", "login")
    return token


def prove_password(name: str, password: str, network: str) -> None:
    """Check the password that a logged-in member of staff repeats; raises PasswordWrong, TooManyTries or LoginBusy."""
    value = f"{_folded(name)} {network}"
    rate_limits.spend(rate_limits.LOGIN_TRIES, value)
    try:
        _verify(_account(name), password)
    except LoginRefused as exc:
        raise PasswordWrong() from exc
    with transaction() as store:
        rate_limits.give_back(store.connection(), rate_limits.LOGIN_TRIES, value)


def _changed(store: Session, name: str) -> Account:
    """The account, locked for a change; raises NotFound."""
    account = store.scalar(select(Account).where(Account.name == _folded(name)).with_for_update())
    if account is None:
        raise NotFound(account=_folded(name))
    return account


def _end_sessions(store: Session, account: Account, by: str, act: str, kept_token: str = "") -> None:
    """End all sessions except one, and record the act in the journal."""
    others = (StaffSession.account_id == account.id) & (StaffSession.token_hash != _hash(kept_token))
    store.execute(delete(StaffSession).where(others))
    journal.record(store, by, act, f"account {account.id}")


def _account(name: str) -> Row[int, str, datetime | None] | None:
    """The account of this name; a name with NUL, which Postgres does not accept, is unknown."""
    columns = (Account.id, Account.password_hash, Account.disabled_at)
    statement = select(*columns).where(Account.name == _folded(name))
    with reading() as connection:
        return connection.execute(statement).one_or_none()


def _verify(account: Row[int, str, datetime | None] | None, password: str) -> int:
    try:
        _hash_in_pool(lambda: _hasher.verify(account.password_hash if account else _DUMMY_HASH, password))
        if account is None or account.disabled_at is not None:
            raise LoginRefused()
    except (Argon2Error, InvalidHashError, LoginRefused) as exc:
        log.warning("login refused account=%s", account.id if account else "unknown")
        raise LoginRefused() from exc
    return int(account.id)


def _new_hash(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(shortest=SHORTEST_PASSWORD)
    return _hash_in_pool(lambda: _hasher.hash(password))


def _hash_in_pool(work: Callable[[], Result]) -> Result:
    """Run `work` in the hashing threads and return its result; raises LoginBusy when too many wait."""
    if not _PLACES.acquire(blocking=False):
        raise LoginBusy(seconds=5)
    try:
        return _HASHING.submit(work).result()
    finally:
        _PLACES.release()


def login_of(token: str) -> Login | None:
    """The login of a session's token; None if the session ended or is too old."""
    statement = (
        select(Account.id, Account.name, StaffSession.data)
        .join(StaffSession, StaffSession.account_id == Account.id)
        .where(StaffSession.token_hash == _hash(token), StaffSession.created_at > clock.now() - SESSION_LIFETIME)
        .where(Account.disabled_at.is_(None))
    )
    with reading() as connection:
        row = connection.execute(statement).one_or_none()
    return Login(row.id, row.name, row.data) if row else None


def log_out(token: str) -> None:
    """End this session."""
    with transaction() as store:
        store.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def _folded(name: str) -> str:
    return name.replace("\0", "?").strip().casefold()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
