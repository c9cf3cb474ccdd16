"""Group commit: writers that wait at the same time share one transaction and one flush to disk.

A commit costs a flush, which takes milliseconds on real disks. Each writer puts its item into a queue. The first one
becomes the leader: it takes all waiting items as a batch, applies them in one transaction, commits once, makes the
first writer that arrived meanwhile the next leader, and wakes its followers. No writer returns before the commit.
Guarantees:

1. `submit` returns only after the item's transaction is on disk; if it raises, nothing of the item was stored.
2. An item that cannot be applied fails alone: the batch is rolled back and its items run again one by one.
3. When too many writers wait, `submit` raises Busy at once.
4. After a lost connection the batch is tried again as a whole. A commit whose answer was lost is recognised by the
   unique keys, so handlers must be idempotent.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from petitions.db.engine import WriteLock
from petitions.errors import Busy, DatabaseDamaged

Item = TypeVar("Item")
Result = TypeVar("Result")
Handler = Callable[[Connection, Sequence[Item]], Sequence[Result]]

RETRIES = 3
RETRY_SECONDS = 5.0
LARGEST_BATCH = 64


class _PendingWrite(Generic[Item, Result]):
    """An item that waits for its commit."""

    def __init__(self, handler: Handler[Item, Result], item: Item) -> None:
        self.handler = handler
        self.item = item
        self.is_done = False
        self.woken = threading.Lock()  # released once the writer may go on: committed, or now the leader
        self.woken.acquire()
        self.result: Result | None = None
        self.failure: BaseException | None = Busy()  # until the commit returned, so that no error path reports success


class WriteQueue:
    """The group-commit queue of one process; thread-safe."""

    def __init__(self, engine: Engine, lock: WriteLock, *, most_waiting: int = 200) -> None:
        self._engine = engine.execution_options(writes=True)
        self._lock = lock
        self.most_waiting = most_waiting
        self.waiting: deque[_PendingWrite[Any, Any]] = deque()
        self._is_led = False
        self._order = threading.Lock()  # guards `waiting` and `_is_led`; held very briefly
        self._kept: Connection | None = None  # the leader's, reused until an error occurs

    def submit(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Apply `item` durably with `handler(connection, items)`, which returns one result per item, in order.

        Raises Busy when the queue is full or the database cannot be reached, and whatever the handler raised for this
        item.
        """
        if len(self.waiting) >= self.most_waiting:
            raise Busy(waiting=len(self.waiting))
        write = _PendingWrite(handler, item)
        with self._order:
            self.waiting.append(write)
            leads, self._is_led = not self._is_led, True
        if not leads:
            write.woken.acquire()
        if not write.is_done:
            self._lead(write)
        if write.failure is not None:
            raise write.failure
        return write.result  # type: ignore[return-value]  # None only where the handler returned it

    def _lead(self, leader: _PendingWrite[Any, Any]) -> None:
        """Commit one batch as its leader; the leader's own item is the first one."""
        batch = [leader]
        try:
            with self._lock.held():  # first, so that writers arriving during the wait join the batch
                batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), LARGEST_BATCH))]
                self._do(batch)
        except BaseException:  # the lock failed: an item that is reported as failed must not be applied later
            with suppress(ValueError):
                self.waiting.remove(leader)
            raise
        finally:
            self._wake_next_leader()
            for write in batch:
                write.is_done = True
                write.woken.release()

    def _wake_next_leader(self) -> None:
        """Make the first waiting writer the next leader before this batch's followers wake."""
        with self._order:
            self._is_led = bool(self.waiting)
            if self._is_led:
                self.waiting[0].woken.release()

    def _do(self, batch: list[_PendingWrite[Any, Any]]) -> None:
        """Apply the batch; if that fails, apply each of its items alone."""
        try:
            self._run(batch)
        except (Busy, DatabaseDamaged) as exc:
            # The database cannot be reached: trying each item alone would keep all of them waiting
            for write in batch:
                write.failure = exc
        except BaseException as exc:
            if len(batch) == 1:
                batch[0].failure = exc
            else:
                for write in batch:
                    self._run_alone(write)

    def _run_alone(self, write: _PendingWrite[Any, Any]) -> None:
        try:
            self._run([write])
        except BaseException as exc:
            write.failure = exc

    def _run(self, batch: list[_PendingWrite[Any, Any]]) -> None:
        """Apply the batch in one transaction; retry it as a whole, with back-off, after transient errors."""
        give_up_at = time.monotonic() + RETRY_SECONDS
        for attempt in range(RETRIES + 1):
            try:
                results = self._committed(batch)
                break
            except (DBAPIError, PoolTimeout) as exc:
                if is_damaged(exc):
                    raise DatabaseDamaged() from exc
                if not is_transient(exc):
                    raise
                if attempt == RETRIES or time.monotonic() > give_up_at:
                    raise refusal(exc) from exc
                time.sleep(0.05 * 4**attempt)
        for write, result in zip(batch, results, strict=True):
            write.result, write.failure = result, None

    def _committed(self, batch: list[_PendingWrite[Any, Any]]) -> list[Any]:
        """The results of one committed transaction. After any error the next one gets a new connection."""
        connection, self._kept = self._kept or self._engine.connect(), None
        try:
            with connection.begin():
                results = _apply(connection, batch)
        except BaseException:
            connection.close()
            raise
        self._kept = connection
        return results

    def close(self) -> None:
        """Close the kept connection; the next writer opens a new one."""
        connection, self._kept = self._kept, None
        if connection is not None:
            connection.close()


def _apply(connection: Connection, batch: list[_PendingWrite[Any, Any]]) -> list[Any]:
    """Call each handler once with all its items; returns the results in the batch's order."""
    results: list[Any] = [None] * len(batch)
    by_handler: dict[Handler[Any, Any], list[int]] = {}
    for place, write in enumerate(batch):
        by_handler.setdefault(write.handler, []).append(place)
    # A fixed order of handlers: two processes on Postgres take row locks in the same order, so they cannot deadlock.
    for handler, places in sorted(by_handler.items(), key=lambda each: _name(each[0])):
        for place, result in zip(places, handler(connection, [batch[p].item for p in places]), strict=True):
            results[place] = result
    return results


def _name(handler: Handler[Any, Any]) -> tuple[str, str]:
    return getattr(handler, "__module__", ""), getattr(handler, "__qualname__", "")


def is_damaged(exc: DBAPIError | PoolTimeout) -> bool:
    """Whether SQLite can no longer read its file."""
    return isinstance(exc, DatabaseError) and getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF in _UNREADABLE


def refusal(exc: DBAPIError | PoolTimeout) -> Busy:
    """Busy, which says so if the database's disk is full: SQLITE_FULL, or Postgres' disk_full (53100)."""
    reason = getattr(exc, "orig", None)
    is_full = getattr(reason, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return Busy(disk="full") if is_full or getattr(reason, "sqlstate", "") == "53100" else Busy()


_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_transient(exc: DBAPIError | PoolTimeout) -> bool:
    """Whether the same transaction may succeed when tried again: lost connection, deadlock, lock timeout."""
    if isinstance(exc, PoolTimeout):
        return True
    return exc.connection_invalidated or isinstance(exc, (OperationalError, InterfaceError))
