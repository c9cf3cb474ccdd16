"""Group commit: everybody who waits shares one transaction and one flush to disk.

A commit costs a flush, and on real disks a flush costs milliseconds. So a writer puts its item into a queue; the first
one leads: it takes *all* waiting items, runs them in one transaction, commits once, hands the lead to the first of
those who came meanwhile, and wakes the others. Nobody is answered before the commit returned. What holds:

1. `submit` returns only after the item's transaction is on disk, or raises and nothing of it was kept.
2. An item that cannot be applied costs only itself: the batch is rolled back and its items run again one by one.
3. When too many wait, `submit` says Busy at once instead of piling up.
4. A lost connection is retried as a whole; a commit that happened although its answer was lost is found again by
   the unique keys, so handlers must be idempotent.
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
    """One writer's place in the queue."""

    def __init__(self, handler: Handler[Item, Result], item: Item) -> None:
        self.handler = handler
        self.item = item
        self.is_done = False
        self.woken = threading.Lock()  # free once its writer may go on: it is done, or it leads
        self.woken.acquire()
        self.result: Result | None = None
        self.failure: BaseException | None = Busy()  # until the commit returned: nobody is thanked by accident


class WriteQueue:
    """The queue of one process. Safe for any number of threads."""

    def __init__(self, engine: Engine, lock: WriteLock, *, most_waiting: int = 200) -> None:
        self._engine = engine.execution_options(writes=True)
        self._lock = lock
        self._most_waiting = most_waiting
        self._waiting: deque[_PendingWrite[Any, Any]] = deque()
        self._is_led = False
        self._order = threading.Lock()  # of who waits and who leads; held for an instant only
        self._kept: Connection | None = None  # the leader's; kept while all goes well

    def submit(self, handler: Handler[Item, Result], item: Item) -> Result:
        """Apply `item` durably with `handler(connection, items)`, which returns a result for each item in order.

        Raises Busy when the queue is full or the database cannot be reached, and whatever the handler raised for
        this item alone.
        """
        if len(self._waiting) >= self._most_waiting:
            raise Busy(waiting=len(self._waiting))
        write = _PendingWrite(handler, item)
        with self._order:
            self._waiting.append(write)
            leads, self._is_led = not self._is_led, True
        if not leads:
            write.woken.acquire()
        if not write.is_done:
            self._lead(write)
        if write.failure is not None:
            raise write.failure
        return write.result  # type: ignore[return-value]  # None only where the handler returned it

    def _lead(self, leader: _PendingWrite[Any, Any]) -> None:
        """Take what waits, the leader's own item first, and do it in one transaction."""
        batch = [leader]
        try:
            with self._lock.held():  # taken first: those who come while we wait for other processes join this batch
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
                self._do(batch)
        except BaseException:  # the lock itself failed: what we report as failed, nobody may do later
            with suppress(ValueError):
                self._waiting.remove(leader)
            raise
        finally:
            self._wake_next_leader()
            for write in batch:
                write.is_done = True
                write.woken.release()

    def _wake_next_leader(self) -> None:
        """Let the first of those who came meanwhile lead, before the others wake and stand in its way."""
        with self._order:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].woken.release()

    def _do(self, batch: list[_PendingWrite[Any, Any]]) -> None:
        """Run the batch, or each of its items alone if that fails."""
        try:
            self._run(batch)
        except (
            Busy,
            DatabaseDamaged,
        ) as exc:  # the database is away: to ask once for each would keep all of them waiting
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
        """One transaction, tried again as a whole when the connection was at fault."""
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
                    raise Busy() from exc
                time.sleep(0.05 * 4**attempt)
        for write, result in zip(batch, results, strict=True):
            write.result, write.failure = result, None

    def _committed(self, batch: list[_PendingWrite[Any, Any]]) -> list[Any]:
        """The results of one transaction, on disk. After any mishap the next one gets another connection."""
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
        """Give the connection back; the next writer opens one again."""
        connection, self._kept = self._kept, None
        if connection is not None:
            connection.close()


def _apply(connection: Connection, batch: list[_PendingWrite[Any, Any]]) -> list[Any]:
    """Give each handler its items together; the results come back in the batch's order."""
    results: list[Any] = [None] * len(batch)
    by_handler: dict[Handler[Any, Any], list[int]] = {}
    for place, write in enumerate(batch):
        by_handler.setdefault(write.handler, []).append(place)
    # In one order everywhere: two processes that meet on Postgres take the locks of busy rows alike.
    for handler, places in sorted(by_handler.items(), key=lambda each: getattr(each[0], "__qualname__", "")):
        for place, result in zip(places, handler(connection, [batch[p].item for p in places]), strict=True):
            results[place] = result
    return results


def is_damaged(exc: DBAPIError | PoolTimeout) -> bool:
    """Whether SQLite can no longer read its own file."""
    return isinstance(exc, DatabaseError) and getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF in _UNREADABLE


_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_transient(exc: DBAPIError | PoolTimeout) -> bool:
    """Whether the same transaction may well succeed in a moment: a lost server, a deadlock, a lock held too long."""
    if isinstance(exc, PoolTimeout):
        return True
    return exc.connection_invalidated or isinstance(exc, (OperationalError, InterfaceError))
