"""Group commit: shared, durable, and an invalid item fails alone."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import IntegrityError

from petitions.db import engine as db_engine
from petitions.db import queue as db_queue
from petitions.db.base import db
from petitions.db.engine import WriteLock
from petitions.db.queue import LARGEST_BATCH, WriteQueue
from petitions.db.transactions import write_lock, write_queue
from petitions.errors import Busy
from petitions.migrations.upgrade import upgrade
from petitions.models import Limit
from petitions.settings import Settings
from tests.support.factories import Keys, close_app, in_threads, make_app, queue_held, rows, start_threads, together
from tests.support.postgres import Postgres
from tests.support.statements import commits

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


def insert(connection: Connection, items: Sequence[str]) -> list[str]:
    """Write one row for each item; an item that is there already, or is called `bad`, is an error."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    for item in items:
        value = None if item == "bad" else item
        connection.exec_driver_sql(f"INSERT INTO limits (key, used, ends_at) VALUES ({mark}, 1, 1)", (value,))
    return [item.upper() for item in items]


def stored() -> list[str]:
    """The keys in the table."""
    return [row.key for row in rows(Limit)]


class Batches:
    """A handler that notes with how many items it was called."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, connection: Connection, items: Sequence[str]) -> list[str]:
        self.sizes.append(len(items))
        return insert(connection, items)


def test_an_item_is_stored_when_submit_returns_and_the_result_is_its_own(context: Flask) -> None:
    assert write_queue().submit(insert, "a") == "A"
    assert stored() == ["a"]


def test_many_waiters_share_one_commit(context: Flask) -> None:
    batches, results = Batches(), {}

    def write(name: str) -> None:
        results[name] = write_queue().submit(batches, name)

    with commits(db.engine) as seen:
        assert together(context, [lambda n=n: write(f"item{n}") for n in range(20)]) == [None] * 20
    assert len(seen) == 2, "one for who held the queue, one for all who waited"
    assert batches.sizes == [20]
    assert results == {f"item{n}": f"ITEM{n}" for n in range(20)}
    assert len(stored()) == 20


def test_a_bad_item_costs_only_itself(context: Flask) -> None:
    batches = Batches()
    names = ["a", "b", "bad", "c", "d"]
    raised = together(context, [lambda name=name: write_queue().submit(batches, name) for name in names])
    assert [type(exc).__name__ for exc in raised] == ["NoneType", "NoneType", "IntegrityError", "NoneType", "NoneType"]
    assert sorted(stored()) == ["a", "b", "c", "d"]
    assert batches.sizes == [5, 1, 1, 1, 1, 1]


def test_a_bad_item_alone_leaves_nothing_and_the_queue_goes_on(context: Flask) -> None:
    with pytest.raises(IntegrityError):
        write_queue().submit(insert, "bad")
    assert write_queue().submit(insert, "good") == "GOOD"
    assert stored() == ["good"]


def test_different_kinds_of_work_share_a_batch_and_get_their_own_results(context: Flask) -> None:
    def shout(connection: Connection, items: Sequence[str]) -> list[str]:
        insert(connection, items)
        return [f"{item}!" for item in items]

    results = {}

    def write(name: str, handler: Any) -> None:
        results[name] = write_queue().submit(handler, name)

    with commits(db.engine) as seen:
        works = [lambda n=n: write(f"i{n}", shout if n % 2 else insert) for n in range(6)]
        assert together(context, works) == [None] * 6
    assert len(seen) == 2
    assert results == {"i0": "I0", "i1": "i1!", "i2": "I2", "i3": "i3!", "i4": "I4", "i5": "i5!"}


def test_a_handler_that_loses_a_result_is_an_error_and_keeps_nothing(context: Flask) -> None:
    def forgetful(connection: Connection, items: Sequence[str]) -> list[str]:
        return insert(connection, items)[1:]

    with pytest.raises(ValueError, match="zip"):
        write_queue().submit(forgetful, "a")
    assert stored() == []


def test_a_batch_is_never_larger_than_its_bound(context: Flask) -> None:
    batches = Batches()
    number = LARGEST_BATCH + 6
    works = [lambda n=n: write_queue().submit(batches, f"item{n}") for n in range(number)]
    assert together(context, works) == [None] * number
    assert batches.sizes[0] == LARGEST_BATCH
    assert sum(batches.sizes) == number


def test_when_too_many_wait_the_next_is_reported_at_once_and_nothing_of_it_is_kept(
    database_url: str, tmp_path: Path, keys: Keys
) -> None:
    app = make_app(database_url, tmp_path, keys, write_queue=3)
    with app.app_context():
        with queue_held(app, arrived=3):
            finished = start_threads(app, [lambda n=n: write_queue().submit(insert, f"item{n}") for n in range(3)])
            _wait_until_full()
            begun = time.monotonic()
            with pytest.raises(Busy):
                write_queue().submit(insert, "late")
            assert time.monotonic() - begun < 0.5
        assert finished() == [None] * 3
        assert sorted(stored()) == ["item0", "item1", "item2"]
        assert write_queue().submit(insert, "later") == "LATER"
    close_app(app)


def _wait_until_full() -> None:
    give_up_at = time.monotonic() + 20
    while len(write_queue().waiting) < 3:
        assert time.monotonic() < give_up_at
        time.sleep(0.002)


def test_the_writer_keeps_its_connection_until_something_goes_wrong(context: Flask) -> None:
    opened = []

    def note(*_: Any) -> None:
        opened.append(1)

    write_queue().close()
    event.listen(db.engine, "checkout", note)
    try:
        for name in ("a", "b", "c"):
            write_queue().submit(insert, name)
        assert len(opened) == 1
        with pytest.raises(IntegrityError):
            write_queue().submit(insert, "a")
        write_queue().submit(insert, "d")
        assert len(opened) == 2
    finally:
        event.remove(db.engine, "checkout", note)


def test_who_came_meanwhile_leads_before_the_others_wake(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_queue, "LARGEST_BATCH", 2)
    called: list[str] = []
    with queue_held(context, arrived=3):
        finished = start_threads(context, [lambda n=n: write_queue().submit(insert, f"item{n}") for n in range(3)])
        while len(write_queue().waiting) < 3:
            time.sleep(0.002)
        for place, write in enumerate(write_queue().waiting):
            write.woken = _Noted(write.woken, str(place), called)
    assert finished() == [None] * 3
    # The first of all; once it and its companion are done, the third, and only then these two
    assert called[:4] == ["0", "2", "0", "1"]


class _Noted:
    """In place of a write's lock: notes when its writer is called."""

    def __init__(self, lock: Any, name: str, called: list[str]) -> None:
        self._lock, self._name, self._called = lock, name, called

    def release(self) -> None:
        self._called.append(self._name)
        self._lock.release()


def test_many_threads_lose_and_double_nothing(context: Flask) -> None:
    def write(worker: int) -> None:
        for number in range(10):
            assert write_queue().submit(insert, f"{worker}.{number}") == f"{worker}.{number}"

    assert in_threads(context, [lambda w=w: write(w) for w in range(16)]) == [None] * 16
    assert len(stored()) == 160


def test_nothing_is_acknowledged_before_the_commit_returned(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = db.engine
    honest = engine.dialect.do_commit

    def refuse(_connection: Any) -> None:
        raise MemoryError("the commit did not happen")

    monkeypatch.setattr(engine.dialect, "do_commit", refuse)
    with pytest.raises(MemoryError):
        write_queue().submit(insert, "a")
    monkeypatch.setattr(engine.dialect, "do_commit", honest)
    assert stored() == []


def test_an_interrupted_leader_acknowledges_nothing(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged = []

    def interrupted(_batch: Any) -> None:
        raise SystemExit

    with queue_held(context, arrived=4):
        finished = start_threads(
            context, [lambda n=n: acknowledged.append(write_queue().submit(insert, f"item{n}")) for n in range(4)]
        )
        while len(write_queue().waiting) < 4:
            time.sleep(0.002)
        monkeypatch.setattr(write_queue(), "_run", interrupted)
        monkeypatch.setattr(write_queue(), "_run_alone", interrupted)
    assert sorted(type(exc).__name__ for exc in finished()) == ["Busy", "Busy", "Busy", "SystemExit"]
    assert acknowledged == []
    assert stored() == []


@on_sqlite
def test_what_failed_before_its_turn_is_not_done_later(context: Flask, tmp_path: Path) -> None:
    write_lock().close()
    lock = tmp_path / "petitions.db.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    with pytest.raises(IsADirectoryError):
        write_queue().submit(insert, "a")
    lock.rmdir()
    write_queue().submit(insert, "b")
    assert stored() == ["b"]


@on_sqlite
def test_a_file_that_another_process_locks_too_long_is_busy_and_nothing_is_recorded(
    database_url: str, tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_engine, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(db_queue, "RETRY_SECONDS", 0.1)
    app = make_app(database_url, tmp_path, keys)
    with app.app_context():
        with db.engine.execution_options(writes=True).begin(), pytest.raises(Busy):
            write_queue().submit(insert, "a")
        assert stored() == []
        assert write_queue().submit(insert, "a") == "A"
    close_app(app)


def test_many_writers_without_a_database_get_an_error_soon(tmp_path: Path) -> None:
    app_settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none").completed()
    engine = create_engine(app_settings.database_url, **db_engine.options(app_settings))
    queue = WriteQueue(engine, WriteLock(app_settings))
    raised: list[BaseException] = []

    def write() -> None:
        try:
            queue.submit(insert, "a")
        except BaseException as exc:
            raised.append(exc)

    begun = time.monotonic()
    threads = [threading.Thread(target=write) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [type(exc) for exc in raised] == [Busy] * 12
    assert time.monotonic() - begun < 6, "two batches of three retries each, not one for each of the crowd"
    engine.dispose()


@on_postgres
def test_a_connection_lost_under_the_handler_is_retried_and_stored_once(context: Flask) -> None:
    lives = iter([False])

    def dying(connection: Connection, items: Sequence[str]) -> list[str]:
        done = insert(connection, items)
        if not next(lives, True):
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return done

    assert write_queue().submit(dying, "a") == "A"
    assert stored() == ["a"]


@on_postgres
def test_connections_that_died_in_the_pool_are_replaced(context: Flask) -> None:
    write_queue().submit(insert, "a")
    with db.engine.connect() as killer:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        killer.exec_driver_sql(f"{others} AND pid <> pg_backend_pid()")
    assert write_queue().submit(insert, "b") == "B"
    assert stored() == ["a", "b"]


@on_postgres
def test_a_deadlock_is_tried_again(context: Flask) -> None:
    tries = []

    def unlucky(connection: Connection, items: Sequence[str]) -> list[str]:
        tries.append(1)
        if len(tries) == 1:
            connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
        return insert(connection, items)

    assert write_queue().submit(unlucky, "a") == "A"
    assert len(tries) == 2


@pytest.fixture
def own_server(tmp_path: Path, keys: Keys) -> Iterator[tuple[Postgres, Flask]]:
    """A Postgres that this test may kill, and an application on it."""
    server = Postgres().start("fsync=off")  # a kill of the server leaves what the system holds
    app = make_app(server.empty_url(), tmp_path, keys)
    try:
        with app.app_context():
            upgrade()
            yield server, app
    finally:
        close_app(app)
        server.close()


def test_a_server_that_is_killed_and_comes_back_loses_and_doubles_nothing(own_server: tuple[Postgres, Flask]) -> None:
    server, app = own_server
    acknowledged: list[str] = []
    unsure: list[str] = []  # told "not recorded", or met by its own row: a commit whose answer was lost
    kills = iter([20, 50])
    next_kill = [next(kills)]
    killing = threading.Lock()

    def write(worker: int) -> None:
        for number in range(12):
            try:
                acknowledged.append(write_queue().submit(insert, f"{worker}.{number}"))
            except (Busy, IntegrityError):
                unsure.append(f"{worker}.{number}")
            with killing:  # the killer acts on what it saw acknowledged, not on a clock
                if len(acknowledged) >= next_kill[0]:
                    next_kill[0] = next(kills, 1000)
                    server.kill9()
                    server.start()

    assert in_threads(app, [lambda w=w: write(w) for w in range(8)]) == [None] * 8
    assert next_kill == [1000], "both kills must have happened"
    assert len(acknowledged) + len(unsure) == 96
    assert len(acknowledged) >= 50
    found = stored()
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))


def test_a_server_that_hangs_is_waited_for(own_server: tuple[Postgres, Flask]) -> None:
    server, app = own_server
    write_queue().submit(insert, "a")
    write_queue().close()
    db.engine.dispose()
    server.pause()
    try:
        finished = start_threads(app, [lambda: write_queue().submit(insert, "b")])
        time.sleep(0.3)
    finally:
        server.resume()
    assert finished() == [None]
    assert stored() == ["a", "b"]
