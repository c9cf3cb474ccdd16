"""The journal: each act of staff is a row in the act's transaction; changes are detected."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from petitions.db.base import db
from petitions.db.transactions import transaction
from petitions.errors import AccountExists
from petitions.models import JournalRow, Mark
from petitions.services import journal
from petitions.services.staff import accounts
from tests.support.factories import CARLA, in_threads, rows

pytestmark = pytest.mark.usefixtures("context")


def typed(sql: str) -> None:
    """Statements that an attacker with write access commits."""
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text(sql))


def without_triggers() -> None:
    """An attacker's first step before changing the journal."""
    if db.engine.dialect.name == "postgresql":
        typed("ALTER TABLE journal DISABLE TRIGGER USER")
        return
    for when in ("UPDATE", "DELETE"):
        typed(f"DROP TRIGGER journal_{when}")


def five_rows() -> None:
    """The bare database has one row: that its key was added."""
    for number in range(4):
        journal.note("account 1", "login", "", number)
    assert journal.verify()[0::2] == (5, None)


def test_the_database_refuses_to_change_or_delete_a_row() -> None:
    five_rows()
    attempts = ["UPDATE journal SET actor = 'nobody' WHERE id = 2", "DELETE FROM journal WHERE id = 5"]
    attempts += ["TRUNCATE journal"] if db.engine.dialect.name == "postgresql" else []
    for sql in attempts:
        with pytest.raises(DBAPIError, match="append only"):
            typed(sql)
    assert journal.verify()[0::2] == (5, None)


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE journal SET actor = 'account 2' WHERE id = 3", 3),
        ("UPDATE journal SET number = 7 WHERE id = 5", 5),
        ("UPDATE journal SET hash = previous WHERE id = 1", 1),
        ("DELETE FROM journal WHERE id = 3", 4),
        ("DELETE FROM journal WHERE id < 3", 3),
        ("INSERT INTO journal SELECT 9, at, actor, act, subject, number, previous, hash FROM journal WHERE id = 5", 9),
    ],
)
def test_whatever_was_changed_past_the_triggers_is_named(sql: str, number: int) -> None:
    five_rows()
    without_triggers()
    typed(sql)
    assert journal.verify()[2] == number


def test_rows_of_several_writers_chain_without_a_gap(context: Flask) -> None:
    def act() -> None:
        with context.app_context():
            for _ in range(10):
                with transaction() as store:
                    store.merge(Mark(kind="x", subject=f"{id(store)}", at=journal.clock.now()))
                    journal.record(store, "account 1", "login")

    assert in_threads(context, [act] * 6) == [None] * 6
    assert journal.verify()[0::2] == (61, None)


def test_an_act_that_is_not_kept_leaves_no_row_and_a_kept_one_does() -> None:
    def break_off() -> None:
        with transaction() as store:
            journal.record(store, journal.COMMAND, "login")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    accounts.create_account(CARLA.name, CARLA.password)
    with pytest.raises(AccountExists):
        accounts.create_account(CARLA.name, CARLA.password)
    assert [row.act for row in rows(JournalRow)] == ["key added", "account created"]
