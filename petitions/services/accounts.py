"""Staff: accounts and logins. Sessions live in the database, so that they can be ended here."""

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Row, delete, select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.errors import Busy, DomainError, LoginRefused, TooManyTries
from petitions.models import Account, Limit, StaffSession
from petitions.services import limits, networks

log = logging.getLogger(__name__)

Result = TypeVar("Result")
SHORTEST_PASSWORD = 12
SESSION_LASTS = timedelta(hours=12)

# RFC 9106's second choice scaled to a host with 1 GB: about 30 ms and 19 MiB a try.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Somebody who does not exist takes as long to refuse as somebody who does.
_NOBODY = _hasher.hash(secrets.token_hex(16))
# Two threads for all hashes of a process: each keeps the memory of its last one. Whoever finds 16 waiting is sent away,
# so that others can sign meanwhile.
_HASHING = ThreadPoolExecutor(2, "password")
_PLACES = threading.BoundedSemaphore(16)


class LoginBusy(Busy):
    """So many are logging in that this try was not looked at."""

    code = "login_busy"


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
    hashed = _hash_in_turn(lambda: _hasher.hash(password))
    with transaction() as store:
        if store.scalar(select(Account.id).where(Account.name == _folded(name))) is not None:
            raise AccountExists()
        store.add(Account(name=_folded(name), password_hash=hashed, created_at=clock.now()))


def log_in(name: str, password: str, network: str, old_token: str = "") -> str:
    """A new session's secret, for the cookie; ends the session `old_token` of the same browser.

    Raises LoginRefused, TooManyTries (for this network, for this name from it, or for this name from all networks from
    which nobody has logged in to it: the owner comes in from a network of theirs) or LoginBusy.
    """
    account, place, token = _account(name), networks.widest(network), secrets.token_urlsafe(32)
    known = f"{_folded(name)} {place}"
    try:
        if place:
            limits.spend(limits.LOGIN_TRIES_NETWORK, place)
        _spend_try(name, network)
        if not limits.is_used(limits.LOGIN_KNOWN, known):
            limits.spend(limits.LOGIN_TRIES_ACCOUNT, _folded(name))
    except TooManyTries as exc:
        log.warning("login limited account=%s limit=%s", account.id if account else "unknown", exc.details["kind"])
        raise
    account_id = _verify(account, password)
    with transaction() as store:
        now = clock.now()
        is_old = StaffSession.created_at < now - SESSION_LASTS
        store.execute(delete(StaffSession).where(is_old | (StaffSession.token_hash == _hash(old_token))))
        _forgive(store, name, network)
        limits.use(store.connection(), limits.LOGIN_KNOWN, [limits.LOGIN_KNOWN.key(known)], now)
        data = {"csrf_token": secrets.token_hex(20)}  # set here, so that no page that shows a form writes
        session = StaffSession(token_hash=_hash(token), account_id=account_id, data=data, created_at=now)
        store.add(session)
    return token


def prove_password(name: str, password: str, network: str) -> None:
    """Ask for the password of somebody who is logged in; raises LoginRefused, TooManyTries or LoginBusy."""
    _spend_try(name, network)
    _verify(_account(name), password)
    with transaction() as store:
        _forgive(store, name, network)


def _spend_try(name: str, network: str) -> None:
    limits.spend(limits.LOGIN_TRIES, f"{_folded(name)} {network}")


def _forgive(store: Session, name: str, network: str) -> None:
    """Whoever knows the password may type it as often as they like."""
    store.execute(delete(Limit).where(Limit.key == limits.LOGIN_TRIES.key(f"{_folded(name)} {network}")))


def _account(name: str) -> Row[int, str] | None:
    """The account of this name; Postgres takes no NUL, not even to look for it."""
    statement = select(Account.id, Account.password_hash).where(Account.name == _folded(name).replace("\0", "?"))
    with reading() as connection:
        return connection.execute(statement).one_or_none()


def _verify(account: Row[int, str] | None, password: str) -> int:
    try:
        _hash_in_turn(lambda: _hasher.verify(account.password_hash if account else _NOBODY, password))
        if account is None:
            raise LoginRefused()
    except (Argon2Error, InvalidHashError, LoginRefused) as exc:
        log.warning("login refused account=%s", account.id if account else "unknown")
        raise LoginRefused() from exc
    return int(account.id)


def _hash_in_turn(work: Callable[[], Result]) -> Result:
    """What `work` gives, which hashes; raises LoginBusy where too many wait."""
    if not _PLACES.acquire(blocking=False):
        raise LoginBusy(seconds=5)
    try:
        return _HASHING.submit(work).result()
    finally:
        _PLACES.release()


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


def _folded(name: str) -> str:
    return name.strip().casefold()


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
