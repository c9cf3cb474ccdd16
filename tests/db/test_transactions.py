"""Transactions: reading sees one snapshot; writing keeps everything or nothing."""

import pytest
from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.exc import InternalError

from petitions.clock import now
from petitions.db.base import db
from petitions.db.transactions import reading, transaction
from petitions.models import Account
from tests.support.factories import in_threads, rows

pytestmark = pytest.mark.usefixtures("context")

COUNT = select(func.count(Account.id))


def add(name: str) -> None:
    """A new account."""
    with transaction() as store:
        store.add(Account(name=name, password_hash="x", created_at=now()))


def test_what_a_transaction_changes_is_kept_when_it_ends_well() -> None:
    add("a")
    assert [row.name for row in rows(Account)] == ["a"]


def fail_half_way() -> None:
    """A transaction that writes, and then ends badly."""
    with transaction() as store:
        store.add(Account(name="a", password_hash="x", created_at=now()))
        store.flush()
        raise ZeroDivisionError


def test_nothing_is_kept_when_it_ends_badly() -> None:
    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert rows(Account) == []
    add("b")
    assert [row.name for row in rows(Account)] == ["b"], "and the next one works"


def test_a_reader_sees_one_snapshot_from_its_first_statement_on(app: Flask) -> None:
    add("a")
    with reading() as connection:
        before = connection.scalar(COUNT)
        assert in_threads(app, [lambda: add("b")]) == [None]
        assert connection.scalar(COUNT) == before == 1
    with reading() as connection:
        assert connection.scalar(COUNT) == 2


def test_nothing_that_a_reader_writes_is_kept() -> None:
    statement = insert(Account).values(name="a", password_hash="x", created_at=now())
    with reading() as connection:
        if connection.dialect.name == "postgresql":
            with pytest.raises(InternalError, match="read-only"):
                connection.execute(statement)
        else:
            connection.execute(statement)
    assert rows(Account) == []


def test_a_connection_that_read_can_write_afterwards() -> None:
    for number in range(30):  # more often than the pool has connections
        with reading() as connection:
            connection.scalar(COUNT)
        add(f"account {number}")
    assert len(rows(Account)) == 30


def test_a_session_that_read_before_does_not_disturb_the_transaction() -> None:
    assert db.session.scalar(COUNT) == 0
    add("a")
    assert db.session.scalar(COUNT) == 1


def test_writers_in_many_threads_all_get_their_turn(app: Flask) -> None:
    assert in_threads(app, [lambda number=number: add(f"account {number}") for number in range(24)]) == [None] * 24
    assert len(rows(Account)) == 24
