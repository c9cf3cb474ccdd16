"""Transactions for reading and writing, except on the signing path (see db/queue.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from petitions.db.base import db
from petitions.db.engine import BUSY_TIMEOUT_MS, WriteLock
from petitions.db.queue import WriteQueue, is_damaged, is_transient, refusal
from petitions.errors import DatabaseDamaged
from petitions.parts import Part

WRITE_LOCK: Part[WriteLock] = Part()
WRITE_QUEUE: Part[WriteQueue] = Part()


@contextmanager
def _outages() -> Iterator[None]:
    """Turn database errors that may pass into Busy, and an unreadable SQLite file into DatabaseDamaged."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as exc:
        if is_damaged(exc):
            raise DatabaseDamaged() from exc
        if not is_transient(exc):
            raise
        raise refusal(exc) from exc


@contextmanager
def reading() -> Iterator[Connection]:
    """A read-only connection whose statements all see one snapshot. Raises Busy if the database cannot be reached."""
    with _outages(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def read_autocommit() -> Iterator[Connection]:
    """A connection for one statement, which needs no transaction; saves two round trips on Postgres."""
    with _outages(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def transaction() -> Iterator[Session]:
    """A session that is committed after the block, or rolled back on any error. Raises Busy like `reading`.

    The only place that commits a session.
    """
    with _outages(), write_lock().held():
        db.session.rollback()  # SQLite cannot turn an open read transaction into a writing one
        db.session.connection(execution_options={"writes": True})
        try:
            yield db.session()
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def truncate_log() -> bool:
    """Copy SQLite's write-ahead log into the database file and empty it, so that erased bytes are gone from both.

    Returns False while a long read prevents it; the caller then tries again later. Always True on Postgres.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    with write_lock().held(), db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA busy_timeout=100")  # short, because signers wait meanwhile
        try:
            is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not is_busy


def damage(is_thorough: bool) -> str:
    """What is wrong with the SQLite file, as a sentence; empty if nothing is. `is_thorough` reads the whole file."""
    if db.engine.dialect.name != "sqlite":
        return ""
    try:
        with reading() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() if is_thorough else "ok"
    except DatabaseDamaged:
        said = "it cannot be read"
    if said == "ok":
        return ""
    advice = "Stop the server and restore a backup: docs/operating.md says how."
    return f"The database {db.engine.url.database} is damaged ({said}). {advice}"


def write_lock() -> WriteLock:
    """This application's lock between SQLite writers."""
    return WRITE_LOCK.of()


def write_queue() -> WriteQueue:
    """This application's group-commit queue."""
    return WRITE_QUEUE.of()
