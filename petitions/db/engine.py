"""Engine options, and what each new connection must be told."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from petitions.settings import Settings

POOL, OVERFLOW = 10, 6  # connections of a process: kept, and more for a rush
POOL_SECONDS = 5  # longer waits are Busy
BUSY_TIMEOUT_MS = 5_000  # the last resort only: our own writers queue at the WriteLock


def options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for `create_engine`, for this installation."""
    # Fewer than threads: most of them wait in the queue, which needs one connection, or for their turn in Python.
    # Nobody takes a second one while holding a first, so nobody can wait for ever.
    # hide_parameters: the message of a database error would quote them
    pool = {
        "hide_parameters": True,
        "pool_size": POOL,
        "max_overflow": OVERFLOW,
        "pool_timeout": POOL_SECONDS,
        "pool_pre_ping": not settings.is_sqlite,
    }
    if settings.is_sqlite:
        return {**pool, "connect_args": {"check_same_thread": False}}
    return {**pool, "connect_args": {"connect_timeout": 5, "application_name": "petitions"}}


def prepare(engine: Engine) -> None:
    """Make every connection of `engine` durable and strict, and let transactions begin as their callers asked."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we send BEGIN ourselves
    # synchronous is per connection: FULL means an acknowledged signature survives power loss
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # erased people leave no bytes in free pages
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A reader that begins IMMEDIATE would queue behind every writer; a writer that begins deferred may fail half-way.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class WriteLock:
    """Lets the writers of one SQLite file queue: a mutex between threads, a file lock between processes.

    SQLite's own busy handler sleeps and tries again, which starves some writers for seconds. Postgres needs neither.
    """

    def __init__(self, settings: Settings) -> None:
        self._threads = threading.RLock()
        self._depth = 0
        self._path: Path | None = None
        if settings.is_sqlite:
            self._path = settings.sqlite_path.with_name(settings.sqlite_path.name + ".lock")
        self._file: Any = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the turn, and keep it for the block. The same thread may nest."""
        if self._path is None:
            yield
            return
        with self._threads:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._take()
                yield
            finally:
                self._depth -= 1
                if self._depth == 0 and self._file is not None:
                    fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock's file back; it is opened again at need."""
        with self._threads:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _take(self) -> None:
        assert self._path is not None  # noqa: S101 - held() returned already
        if self._file is None:
            self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)
