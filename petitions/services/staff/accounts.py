"""Staff accounts and logins. Sessions are rows in the database, so that the server can end them."""

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.domain.roles import Role
from petitions.errors import (
    AccountExists,
    LoginBusy,
    LoginRefused,
    NameMissing,
    NotFound,
    PasswordCommon,
    PasswordTooShort,
    PasswordWrong,
    TooManyTries,
)
from petitions.models import Account, StaffSession
from petitions.services import journal
from petitions.services.limits import networks, rate_limits
from petitions.services.staff import factors

log = logging.getLogger(__name__)

Result = TypeVar("Result")
SHORTEST_PASSWORD = 12
FEWEST_LETTERS = 5  # different ones in a password
LONGEST_NAME = 120
SESSION_LIFETIME = timedelta(hours=12)
COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")

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
    role: Role = Role.OWNER
    has_factor: bool = False


def create_account(name: str, password: str, by: str = journal.COMMAND, role: Role = Role.OWNER) -> None:
    """Create a staff account; raises PasswordTooShort, PasswordCommon, NameMissing or AccountExists."""
    add(name, new_hash(password, name), role, None, by)


def add(name: str, password_hash: str, role: Role, ends_at: datetime | None, by: str) -> int:
    """Add an account with this hash of a password; returns its id. Raises AccountExists or NameMissing."""
    if not folded(name) or len(folded(name)) > LONGEST_NAME:
        raise NameMissing(longest=LONGEST_NAME)
    with transaction() as store:
        if store.scalar(select(Account.id).where(Account.name == folded(name))) is not None:
            raise AccountExists()
        account = Account(name=folded(name), password_hash=password_hash, role=role, ends_at=ends_at)
        account.created_at = clock.now()
        store.add(account)
        store.flush()
        journal.record(store, by, "account created", f"account {account.id}")
        return account.id


def set_password(name: str, password: str, kept_token: str = "", by: str = journal.COMMAND) -> None:
    """Change the password and end all sessions except that of `kept_token`. Raises PasswordTooShort or NotFound."""
    hashed = new_hash(password, name)
    with transaction() as store:
        account = changed(store, name)
        account.password_hash = hashed
        end_all_sessions(store, account, by, "password changed", kept_token)


def end_sessions(name: str, by: str = journal.COMMAND) -> None:
    """End all sessions of this account; raises NotFound."""
    with transaction() as store:
        end_all_sessions(store, changed(store, name), by, "sessions ended")


def end_session(account_id: int, key: str, by: str) -> None:
    """End one session of this account, by its key; raises NotFound."""
    with transaction() as store:
        theirs = StaffSession.account_id == account_id
        found = [each for each in store.scalars(select(StaffSession).where(theirs)) if each.token_hash.hex() == key]
        if not found:
            raise NotFound()
        store.delete(found[0])
        journal.record(store, by, "session ended", f"account {account_id}")


def key_of(token: str) -> str:
    """The key by which pages name the session of this token."""
    return _hash(token).hex()


def set_enabled(name: str, is_enabled: bool, by: str = journal.COMMAND) -> None:
    """Enable the account, or disable it and end its sessions. Raises NotFound."""
    with transaction() as store:
        account = changed(store, name)
        account.disabled_at = None if is_enabled else account.disabled_at or clock.now()
        end_all_sessions(store, account, by, "account enabled" if is_enabled else "account disabled")


def log_in(name: str, password: str, network: str, old_token: str = "", code: str = "") -> str:
    """Check name, password and second factor; returns a new session's token for the cookie, and ends the session
    `old_token`.

    Raises LoginRefused, LoginBusy, or TooManyTries: per network, per name and network, or per name over all networks
    from which the account never logged in (so that guessing from elsewhere does not lock its owner out).
    """
    account, place, token = _account(name), networks.widest(network), secrets.token_urlsafe(32)
    known = f"{folded(name)} {place}"
    tries = [(rate_limits.LOGIN_TRIES_NETWORK, place)] if place else []
    tries.append((rate_limits.LOGIN_TRIES, f"{folded(name)} {network}"))
    if not rate_limits.is_used(rate_limits.LOGIN_KNOWN, known):
        tries.append((rate_limits.LOGIN_TRIES_ACCOUNT, folded(name)))
    try:
        for rule, value in tries:
            rate_limits.spend(rule, value)
    except TooManyTries as exc:
        log.warning("login limited account=%s limit=%s", account.id if account else "unknown", exc.details["kind"])
        raise
    account_id = _verify(account, password)
    with transaction() as store:
        row = changed(store, name)
        if row.password_hash != (account.password_hash if account else ""):
            raise LoginRefused()  # the password was changed meanwhile, and its sessions ended
        if not factors.accepts(row, code):
            log.warning("login refused account=%s factor=wrong", account_id)
            raise LoginRefused()
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
    value = f"{folded(name)} {network}"
    rate_limits.spend(rate_limits.LOGIN_TRIES, value)
    try:
        _verify(_account(name), password)
    except LoginRefused as exc:
        raise PasswordWrong() from exc
    with transaction() as store:
        rate_limits.give_back(store.connection(), rate_limits.LOGIN_TRIES, value)


def changed(store: Session, name: str) -> Account:
    """The account, locked for a change; raises NotFound."""
    account = store.scalar(select(Account).where(Account.name == folded(name)).with_for_update())
    if account is None:
        raise NotFound(account=folded(name))
    return account


def end_all_sessions(store: Session, account: Account, by: str, act: str, kept_token: str = "") -> None:
    """End all sessions except one, and record the act in the journal."""
    others = (StaffSession.account_id == account.id) & (StaffSession.token_hash != _hash(kept_token))
    store.execute(delete(StaffSession).where(others))
    journal.record(store, by, act, f"account {account.id}")


def _account(name: str) -> Row[int, str, datetime | None, datetime | None] | None:
    """The account of this name; a name with NUL, which Postgres does not accept, is unknown."""
    columns = (Account.id, Account.password_hash, Account.disabled_at, Account.ends_at)
    statement = select(*columns).where(Account.name == folded(name))
    with reading() as connection:
        return connection.execute(statement).one_or_none()


def _verify(account: Row[int, str, datetime | None, datetime | None] | None, password: str) -> int:
    try:
        _hash_in_pool(lambda: _hasher.verify(account.password_hash if account else _DUMMY_HASH, password))
        if account is None or account.disabled_at is not None or _has_ended(account.ends_at):
            raise LoginRefused()
    except (Argon2Error, InvalidHashError, LoginRefused) as exc:
        log.warning("login refused account=%s", account.id if account else "unknown")
        raise LoginRefused() from exc
    return int(account.id)


def new_hash(password: str, name: str) -> str:
    """The hash of a new password of `name`; raises PasswordTooShort or PasswordCommon."""
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(shortest=SHORTEST_PASSWORD)
    plain = password.casefold()
    if plain in _common_passwords() or len(set(plain)) < FEWEST_LETTERS or (name and plain in folded(name) * 5):
        raise PasswordCommon()
    return _hash_in_pool(lambda: _hasher.hash(password))


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(COMMON_PASSWORDS.read_text(encoding="utf-8").split())


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
        select(Account.id, Account.name, StaffSession.data, Account.role, Account.factor.is_not(None), Account.ends_at)
        .join(StaffSession, StaffSession.account_id == Account.id)
        .where(StaffSession.token_hash == _hash(token), StaffSession.created_at > clock.now() - SESSION_LIFETIME)
        .where(Account.disabled_at.is_(None))
    )
    with reading() as connection:
        row = connection.execute(statement).one_or_none()
    if row is None or _has_ended(row.ends_at):
        return None
    return Login(row.id, row.name, row.data, Role(row.role), bool(row[4]))


def log_out(token: str) -> None:
    """End this session."""
    with transaction() as store:
        store.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def _has_ended(ends_at: datetime | None) -> bool:
    return ends_at is not None and ends_at <= clock.now()


def folded(name: str) -> str:
    """The name as it is stored: the same for capital and small letters."""
    return name.replace("\0", "?").strip().casefold()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
