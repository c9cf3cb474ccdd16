"""Connections: each is durable and strict; readers never wait for writers; writers queue."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, event, text

from petitions.db import engine as db_engine
from petitions.db.base import db
from petitions.db.engine import WriteLock
from petitions.settings import Settings
from tests.support.statements import statements

STRICT = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 5000}
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def weaknesses(engine: Engine, number: int) -> list[tuple[str, Any]]:
    """What `number` connections, open at once, do not keep to."""
    found = []
    with ExitStack() as stack:
        for _ in range(number):
            connection = stack.enter_context(engine.connect())
            for pragma, wanted in STRICT.items():
                real = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
                if real != wanted:
                    found.append((pragma, real))
    return found


def everyone(engine: Engine) -> int:
    """How many connections the pool ever gives out at once."""
    return int(engine.pool.size() + engine.pool._max_overflow)  # type: ignore[attr-defined]  # noqa: SLF001 - no public name tells it


@on_sqlite
def test_every_connection_of_the_pool_is_durable_and_strict(context: Flask) -> None:
    assert everyone(db.engine) == 16
    assert weaknesses(db.engine, everyone(db.engine)) == []
    assert weaknesses(db.engine, everyone(db.engine)) == [], "and when it comes back from the pool"


@on_sqlite
def test_a_connection_that_forgets_to_flush_is_found(database_url: str) -> None:
    """The mutant: all but the first connection keep SQLite's NORMAL, which loses acknowledged rows at power loss."""
    engine = create_engine(database_url)
    first = iter([True])

    def careless(connection: Any, record: Any) -> None:
        db_engine._prepare_sqlite(connection, record)  # noqa: SLF001 - no public name tells it
        if not next(first, False):
            connection.execute("PRAGMA synchronous=NORMAL")

    event.listen(engine, "connect", careless)
    assert weaknesses(engine, 1) == []
    assert weaknesses(engine, 3) == [("synchronous", 1)] * 2
    engine.dispose()


@on_sqlite
def test_readers_begin_without_a_lock_and_writers_with_one(context: Flask) -> None:
    with statements(db.engine) as seen:
        with db.engine.connect() as reader:
            reader.execute(text("SELECT 1"))
        with db.engine.execution_options(writes=True).connect() as writer:
            writer.execute(text("SELECT 1"))
    assert [each for each in seen if each.startswith("BEGIN")] == ["BEGIN", "BEGIN IMMEDIATE"]


@on_sqlite
def test_a_reader_does_not_wait_for_a_writer_and_sees_what_was_before(context: Flask) -> None:
    count = text("SELECT count(*) FROM accounts")
    with db.engine.execution_options(writes=True).begin() as writer:
        writer.execute(text("INSERT INTO accounts (name, password_hash, created_at) VALUES ('a', 'b', '2026-01-01')"))
        begun = time.monotonic()
        with db.engine.connect() as reader:
            assert reader.scalar(count) == 0
        assert time.monotonic() - begun < 1
    with db.engine.connect() as reader:
        assert reader.scalar(count) == 1


def test_postgres_is_asked_whether_it_is_still_there_and_sqlite_is_not(tmp_path: Path) -> None:
    for url, pings in (("sqlite:///a.db", False), ("postgresql://u@h/d", True)):
        options = db_engine.options(Settings(database_url=url).completed())
        assert options["pool_pre_ping"] is pings
        assert options["pool_size"] + options["max_overflow"] == 16, "docs/scaling.md counts on it"
    assert options["connect_args"]["connect_timeout"] == 5


@on_sqlite
def test_the_write_lock_lets_one_thread_in_at_a_time_and_the_same_one_twice(database_url: str) -> None:
    lock = WriteLock(Settings(database_url=database_url).completed())
    inside, most = [], []

    def enter() -> None:
        for _ in range(20):
            with lock.held(), lock.held():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lock.close()
    assert len(most) == 160
    assert max(most) == 1


def _hold(database_url: str, held: Any, may_go: Any) -> None:
    """In another process: keep the lock."""
    lock = WriteLock(Settings(database_url=database_url).completed())
    with lock.held():
        held.set()
        may_go.wait(20)
    lock.close()


@on_sqlite
def test_the_write_lock_is_shared_with_other_processes(database_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, may_go = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(database_url, held, may_go))
    other.start()
    lock = WriteLock(Settings(database_url=database_url).completed())
    got = threading.Event()
    waiting = threading.Thread(target=lambda: _take(lock, got.set))
    try:
        assert held.wait(20)
        waiting.start()
        assert not got.wait(0.2), "somebody else has it"
    finally:
        may_go.set()
        other.join(20)
    assert got.wait(20)
    waiting.join()
    lock.close()


def _take(lock: WriteLock, then: Callable[[], None]) -> None:
    with lock.held():
        then()


@on_sqlite
def test_a_lock_file_that_cannot_be_opened_says_so_and_works_later(database_url: str, tmp_path: Path) -> None:
    lock = WriteLock(Settings(database_url=database_url).completed())
    (tmp_path / "petitions.db.lock").mkdir()
    with pytest.raises(IsADirectoryError), lock.held():
        raise AssertionError("nobody may get in")
    (tmp_path / "petitions.db.lock").rmdir()
    with lock.held():
        assert (tmp_path / "petitions.db.lock").is_file()
    lock.close()


def test_postgres_needs_no_write_lock() -> None:
    lock = WriteLock(Settings(database_url="postgresql://u@h/d").completed())
    with lock.held(), lock.held():
        assert lock._file is None  # noqa: SLF001 - no public name tells it
