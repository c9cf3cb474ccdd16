"""Reading and writing transactions, for everything but the signing path (which waits in db/queue.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from petitions.db.base import db
from petitions.db.engine import BUSY_TIMEOUT_MS, WriteLock
from petitions.db.queue import WriteQueue, is_damaged, is_transient
from petitions.errors import Busy, DatabaseDamaged


@contextmanager
def _outages() -> Iterator[None]:
    """A database that is away, or in the way of itself, is no mistake of ours: later it will be well."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as exc:
        if is_damaged(exc):
            raise DatabaseDamaged() from exc
        if not is_transient(exc):
            raise
        raise Busy() from exc


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection whose statements all see one snapshot; nothing it does is kept. Raises Busy without a database."""
    with _outages(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def read_autocommit() -> Iterator[Connection]:
    """A connection for a single statement, which sees one snapshot anyway; on Postgres it saves two round trips."""
    with _outages(), db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def transaction() -> Iterator[Session]:
    """Keep all of the block's changes, or none of them. The only place that commits a session. Raises Busy as well."""
    with _outages(), write_lock().held():
        db.session.rollback()  # a read transaction left open could not be turned into a writing one
        db.session.connection(execution_options={"writes": True})
        try:
            yield db.session()
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def truncate_log() -> bool:
    """Move what SQLite's log holds into the database, and empty the log: erased bytes then lie nowhere.

    False while a long reader is in the way; then try again later. True on Postgres, where there is nothing to do.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    with write_lock().held(), db.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA busy_timeout=100")  # signers wait meanwhile
        try:
            is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not is_busy


def damage(is_thorough: bool) -> str:
    """What is wrong with the database file, as a sentence; empty if nothing is. Slow if `is_thorough`: it reads all."""
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
    """This application's queue of SQLite writers."""
    lock: WriteLock = current_app.extensions["petitions_write_lock"]
    return lock


def write_queue() -> WriteQueue:
    """This application's group commit."""
    queue: WriteQueue = current_app.extensions["petitions_write_queue"]
    return queue
