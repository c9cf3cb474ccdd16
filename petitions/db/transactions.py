"""Reading and writing transactions, for everything but the signing path (which waits in db/queue.py)."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from petitions.db.base import db
from petitions.db.engine import WriteLock
from petitions.db.queue import WriteQueue


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection whose statements all see one snapshot; nothing it does is kept."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


@contextmanager
def transaction() -> Iterator[Session]:
    """Keep all of the block's changes, or none of them. The only place that commits a session."""
    with write_lock().held():
        db.session.rollback()  # a read transaction left open could not be turned into a writing one
        db.session.connection(execution_options={"writes": True})
        try:
            yield db.session()
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def write_lock() -> WriteLock:
    """This application's queue of SQLite writers."""
    lock: WriteLock = current_app.extensions["petitions_write_lock"]
    return lock


def write_queue() -> WriteQueue:
    """This application's group commit."""
    queue: WriteQueue = current_app.extensions["petitions_write_queue"]
    return queue
