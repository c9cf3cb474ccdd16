"""Rate limits: how often something may happen in a time window. In the database, so exact over all processes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter

from sqlalchemy import Connection, case, delete, select, update

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import read_autocommit, transaction, write_queue
from petitions.domain import sealing
from petitions.errors import TooManyTries
from petitions.models import Limit
from petitions.services.keys.keyring import keyring

CLOCK_TOLERANCE = 60  # seconds by which two servers' clocks may differ


@dataclass(frozen=True)
class Rule:
    """At most `most` uses in a `window`, which begins with the first use."""

    kind: str
    most: int
    window: timedelta

    def key(self, value: str) -> str:
        """The row's key for `value`: a keyed hash, so that the table names nobody."""
        return f"{self.kind}:{sealing.blind_index(keyring().secret_key.encode(), self.kind, value).hex()[:40]}"


CODE_TRIES = Rule("code", 5, timedelta(hours=24))
CODE_TRIES_NETWORK = Rule("code-network", 60, timedelta(hours=1))
LOGIN_TRIES = Rule("login", 10, timedelta(minutes=15))  # per name and network
LOGIN_TRIES_NETWORK = Rule("login-network", 30, timedelta(minutes=15))  # per network, all names together
LOGIN_TRIES_ACCOUNT = Rule(
    "login-account", 30, timedelta(minutes=15)
)  # per account, from all networks without an earlier login
LOGIN_KNOWN = Rule("login-known", 1, timedelta(days=30))  # networks from which the account logged in
ASKS = Rule("asks", 30, timedelta(hours=1))  # requests for the link to the signer's page, per network
HELP_DESK = Rule("help-desk", 30, timedelta(days=1))  # the same, asked for by staff; all of them together
UNKNOWN_ORIGIN = Rule("no-origin", 20, timedelta(minutes=10))
INVALID = Rule("invalid", 240, timedelta(minutes=1))  # invalid forms, per network: each costs 15 ms
WRONG_SECRET = Rule(
    "bounce-secret", 20, timedelta(minutes=10)
)  # wrong secrets of a mail service; the right one is not limited


def use(connection: Connection, rule: Rule, keys: Sequence[str], now: datetime) -> list[int]:
    """Count one use for each of `keys`; returns for each its number within the key's window."""
    seconds = int(rule.window.total_seconds())
    ends_at = int(now.timestamp()) + seconds
    new = Counter(keys)
    returned = bulk.insert(
        connection,
        Limit,
        ("key", "used"),
        sorted(new.items()),
        same={"ends_at": ends_at},
        on_conflict=_count_up(seconds, CLOCK_TOLERANCE),
        returning=("key", "used"),
    )
    before = {key: used - new[key] for key, used in returned}
    numbers = []
    for key in keys:
        before[key] += 1
        numbers.append(before[key])
    return numbers


@cache
def _count_up(seconds: int, tolerance: int) -> bulk.OnConflict:
    def complete(statement: bulk.Insert) -> bulk.Insert:
        new, old = statement.excluded, Limit.__table__.c
        # A window that ends later than a new one would end was begun while the clock was ahead: it is over too
        is_over = (old.ends_at <= new.ends_at - seconds) | (old.ends_at > new.ends_at + tolerance)
        used = case((is_over, new.used), else_=old.used + new.used)
        ends_at = case((is_over, new.ends_at), else_=old.ends_at)
        return statement.on_conflict_do_update(index_elements=["key"], set_={"used": used, "ends_at": ends_at})

    return complete


def spend(rule: Rule, value: str) -> None:
    """Count one try, durably, before it is made; raises TooManyTries when it is one too many."""
    if write_queue().submit(_spend_batch, (rule, rule.key(value))) > rule.most:
        raise TooManyTries(kind=rule.kind, seconds=int(rule.window.total_seconds()))


def reserve(rules: Sequence[Rule], value: str, wanted: int) -> int:
    """How many of the `wanted` uses all `rules` still allow; so many are counted in each."""
    with transaction() as session:
        connection = session.connection()
        allowed = wanted
        for rule in rules:
            used = use(connection, rule, [rule.key(value)] * wanted, clock.now())[-1] - wanted
            allowed = min(allowed, max(0, rule.most - used))
        for rule in rules:
            give_back(connection, rule, value, wanted - allowed)
        return allowed


def give_back(connection: Connection, rule: Rule, value: str, number: int = 1) -> None:
    """Count so many uses less, within the caller's transaction."""
    used = (Limit.key == rule.key(value)) & (Limit.used >= number)
    connection.execute(update(Limit).where(used).values(used=Limit.used - number))


def is_used(rule: Rule, value: str) -> bool:
    """Whether there was a use in a window that is not over."""
    living = (Limit.key == rule.key(value)) & (Limit.ends_at > int(clock.now().timestamp()))
    with read_autocommit() as connection:
        return connection.scalar(select(Limit.key).where(living)) is not None


def purge() -> None:
    """Delete the windows that are over, and yesterday's random half of the network key."""
    with transaction() as session:
        session.execute(delete(Limit).where(Limit.ends_at < int(clock.now().timestamp())))


def _spend_batch(connection: Connection, items: Sequence[tuple[Rule, str]]) -> list[int]:
    """Rule by rule in one order, so that two processes on Postgres lock the rows alike."""
    numbers: dict[Rule, Iterator[int]] = {}
    for rule in sorted({rule for rule, _ in items}, key=attrgetter("kind")):
        numbers[rule] = iter(use(connection, rule, [key for each, key in items if each == rule], clock.now()))
    return [next(numbers[rule]) for rule, _ in items]
