"""Engine options, and the settings of each new connection."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from petitions.settings import Settings

POOL, OVERFLOW = 10, 6  # connections of a process: kept open, and added under load
POOL_SECONDS = 5  # a longer wait for a connection raises Busy
BUSY_TIMEOUT_MS = 5_000  # a last resort: our own writers wait at the WriteLock


def options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for `create_engine` under these settings."""
    # Fewer connections than threads: most threads wait in the write queue, which needs one connection, or for the GIL.
    # No thread takes a second connection while it holds one, so there is no deadlock on the pool.
    # hide_parameters: messages of database errors would otherwise quote personal data
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
    """Set up every SQLite connection of `engine`: durable commits, foreign keys, and explicit BEGIN statements."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # _begin_sqlite sends BEGIN
    # `synchronous` is set per connection; FULL: an acknowledged signature survives a power loss
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # erased data leaves no bytes in free pages
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE would make readers wait for writers; a deferred transaction may fail at its first write.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class WriteLock:
    """Serialises the writers of one SQLite file: a mutex between threads, a file lock between processes.

    SQLite's own busy handler polls with sleeps, so that some writers starve for seconds. Postgres needs no such lock.
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
        """Hold the lock for the block. Re-entrant within a thread."""
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
        """Close the lock file; it is opened again when needed."""
        with self._threads:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _take(self) -> None:
        assert self._path is not None  # noqa: S101 - held() returned already
        if self._file is None:
            self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)
