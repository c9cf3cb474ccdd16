"""Rate limits: exact over threads and servers; the table names nobody."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.db.transactions import transaction, write_queue
from petitions.errors import TooManyTries
from petitions.models import Limit
from petitions.services.limits import rate_limits
from petitions.services.limits.rate_limits import (
    CODE_TRIES,
    CODE_TRIES_NETWORK,
    LOGIN_TRIES,
    UNKNOWN_ORIGIN,
    purge,
    spend,
)
from tests.support.factories import in_threads, newest, rows

pytestmark = pytest.mark.usefixtures("context")


def test_as_many_tries_as_the_rule_says_and_not_one_more() -> None:
    for _ in range(LOGIN_TRIES.most):
        spend(LOGIN_TRIES, "carla 192.0.2.7")
    with pytest.raises(TooManyTries) as refused:
        spend(LOGIN_TRIES, "carla 192.0.2.7")
    assert refused.value.details == {"kind": "login", "seconds": 900}


def test_every_value_and_every_rule_has_a_count_of_its_own() -> None:
    for value in ("a", "b"):
        spend(LOGIN_TRIES, value)
    spend(UNKNOWN_ORIGIN, "a")
    assert [row.used for row in rows(Limit)] == [1, 1, 1]


def test_the_window_begins_with_the_first_try_and_is_not_moved_by_the_others() -> None:
    begun = now()
    for minutes in (0, 10, 14):
        with stopped_at(begun + timedelta(minutes=minutes)):
            spend(LOGIN_TRIES, "a")
    assert newest(Limit).used == 3
    with stopped_at(begun + LOGIN_TRIES.window):
        spend(LOGIN_TRIES, "a")
    assert newest(Limit).used == 1
    assert newest(Limit).ends_at == int((begun + 2 * LOGIN_TRIES.window).timestamp())


def test_forty_tries_at_once_are_counted_exactly(app: Flask) -> None:
    raised = in_threads(app, [lambda: spend(UNKNOWN_ORIGIN, "a")] * 40)
    assert sum(exc is None for exc in raised) == UNKNOWN_ORIGIN.most
    assert sum(isinstance(exc, TooManyTries) for exc in raised) == 40 - UNKNOWN_ORIGIN.most
    assert newest(Limit).used == 40


def test_several_uses_in_one_statement_are_numbered() -> None:
    def use(connection: Any, items: Any) -> list[list[int]]:
        return [rate_limits.use(connection, LOGIN_TRIES, item, now()) for item in items]

    assert write_queue().submit(use, ["a", "b", "a"]) == [1, 1, 2]
    assert write_queue().submit(use, ["c", "a"]) == [1, 3]
    assert write_queue().submit(use, []) == []


def test_the_table_names_nobody() -> None:
    spend(LOGIN_TRIES, "carla 192.0.2.7")
    assert "carla" not in newest(Limit).key
    assert "192.0" not in newest(Limit).key
    assert len(newest(Limit).key) <= 64


def test_windows_that_are_over_are_purged() -> None:
    begun = now()
    with stopped_at(begun):
        spend(LOGIN_TRIES, "old")
    with stopped_at(begun + LOGIN_TRIES.window + timedelta(seconds=1)):
        spend(LOGIN_TRIES, "new")
        purge()
    assert len(rows(Limit)) == 1


def test_uses_of_several_rules_at_once_lock_their_rows_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that take the same rows in different order would wait for each other."""
    kinds: list[str] = []
    honest = rate_limits.use

    def use(connection: Any, rule: rate_limits.Rule, *more: Any) -> list[int]:
        kinds.append(rule.kind)
        return honest(connection, rule, *more)

    monkeypatch.setattr(rate_limits, "use", use)
    items = [(rule, rule.key(value)) for value in "ab" for rule in (CODE_TRIES, LOGIN_TRIES, CODE_TRIES_NETWORK)]
    for order in (items, items[::-1]):
        kinds.clear()
        with transaction() as session:
            assert len(rate_limits._spend_batch(session.connection(), order)) == len(items)  # noqa: SLF001 - what the queue calls
        assert kinds == sorted(kinds) == ["code", "code-network", "login"]
