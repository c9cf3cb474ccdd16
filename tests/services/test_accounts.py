"""Staff accounts: who can log in, for how long; failed attempts show nothing."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from sqlalchemy import update

from petitions.clock import now, stopped_at
from petitions.db.base import db
from petitions.db.transactions import transaction
from petitions.errors import LoginRefused, NotFound, PasswordWrong, TooManyTries
from petitions.models import Account, Limit, StaffSession
from petitions.queries.staff import members
from petitions.services.limits import rate_limits
from petitions.services.staff import accounts
from petitions.services.staff.accounts import (
    AccountExists,
    PasswordTooShort,
    create_account,
    log_in,
    log_out,
    login_of,
)
from tests.support.factories import CARLA, dump, newest, rows, start_threads
from tests.support.statements import commits, statements

pytestmark = pytest.mark.usefixtures("context")

HERE = "192.0.2.7"
REAL_HASHER = accounts._hasher  # noqa: SLF001 - before the fixtures put a cheap one in its place


@pytest.fixture
def carla(context: object) -> None:
    """Carla has an account."""
    create_account(CARLA.name, CARLA.password)


@pytest.mark.usefixtures("carla")
def test_name_and_password_open_a_session() -> None:
    login = login_of(log_in(CARLA.name, CARLA.password, HERE))
    assert login is not None
    assert (login.account_id, login.name) == (newest(Account).id, "carla")
    assert len(login.data["csrf_token"]) == 40


@pytest.mark.usefixtures("carla")
def test_every_login_has_a_secret_of_its_own_and_only_its_hash_is_kept() -> None:
    tokens = {log_in(CARLA.name, CARLA.password, HERE) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) >= 43 for token in tokens)
    kept = str(dump())
    assert not any(token in kept for token in tokens)
    assert CARLA.password not in kept


@pytest.mark.usefixtures("carla")
@pytest.mark.parametrize("name", ["CARLA", "  Carla "])
def test_the_name_may_be_typed_carelessly(name: str) -> None:
    assert login_of(log_in(name, CARLA.password, HERE)) is not None


@pytest.mark.usefixtures("carla")
@pytest.mark.parametrize(
    ("name", "password"),
    [
        (CARLA.name, "wrong"),
        (CARLA.name, CARLA.password + " "),
        (CARLA.name, ""),
        ("eve", CARLA.password),
        ("", ""),
        ("carla\0", CARLA.password),
    ],
)
def test_a_wrong_pair_is_refused_without_saying_what_is_wrong(name: str, password: str) -> None:
    with pytest.raises(LoginRefused) as refused:
        log_in(name, password, HERE)
    assert str(refused.value) == "login_refused"
    assert rows(StaffSession) == []


class CountingHasher:
    """Notes what is verified."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self.hasher = hasher
        self.verified: list[str] = []

    def verify(self, hashed: str, password: str) -> bool:
        self.verified.append(hashed)
        return self.hasher.verify(hashed, password)


class Places(threading.BoundedSemaphore):
    """Signals when the fourth attempt was refused."""

    def __init__(self, number: int, is_full: threading.Event) -> None:
        super().__init__(number)
        self.is_full, self.refused = is_full, 0

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        taken = super().acquire(blocking, timeout)
        self.refused += not taken
        if self.refused == 4:
            self.is_full.set()
        return taken


class SlowHasher:
    """Delays every answer until an attempt was refused, and records how many it works on."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self.hasher = hasher
        self.lock = threading.Lock()
        self.may_end, self.pair = threading.Event(), threading.Barrier(2)
        self.now = self.most = 0

    def verify(self, hashed: str, password: str) -> bool:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.may_end.wait(20)
        self.pair.wait(20)
        try:
            return self.hasher.verify(hashed, password)
        finally:
            with self.lock:
                self.now -= 1


@pytest.mark.usefixtures("carla")
def test_an_unknown_name_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = CountingHasher(accounts._hasher)  # noqa: SLF001 - a slow or counting stand-in replaces it
    monkeypatch.setattr(accounts, "_hasher", counting)
    for name in (CARLA.name, "nobody"):
        with pytest.raises(LoginRefused):
            log_in(name, "wrong", HERE)

    known, unknown = counting.verified
    assert known != unknown
    assert known.rpartition("$")[0].rpartition("$")[0] == unknown.rpartition("$")[0].rpartition("$")[0]


def test_a_login_with_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_DUMMY_HASH", accounts._hasher.hash("a lucky guess"))  # noqa: SLF001 - a slow or counting stand-in replaces it
    with pytest.raises(LoginRefused):
        log_in("nobody", "a lucky guess", HERE)


@pytest.mark.usefixtures("carla")
def test_ten_tries_from_one_network_are_enough_and_other_networks_are_free() -> None:
    begun = now()
    with stopped_at(begun):
        for _ in range(rate_limits.LOGIN_TRIES.most):
            with pytest.raises(LoginRefused):
                log_in(CARLA.name, "wrong", HERE)
        for name in (CARLA.name, "CARLA "):
            with pytest.raises(TooManyTries):
                log_in(name, CARLA.password, HERE)
        assert log_in(CARLA.name, CARLA.password, "198.51.100.9"), "Eve must not be able to lock Carla out"
    with stopped_at(begun + rate_limits.LOGIN_TRIES.window):
        assert log_in(CARLA.name, CARLA.password, HERE)


def refusals(name: str, networks: list[str]) -> list[str]:
    """How a wrong password for this name is refused from each network."""
    found = []
    for network in networks:
        with pytest.raises((LoginRefused, TooManyTries)) as refused:
            log_in(name, "wrong", network)
        found.append(str(refused.value.details.get("kind", "wrong")))
    return found


def test_a_network_that_tries_name_after_name_is_refused_before_anything_is_hashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counting = CountingHasher(accounts._hasher)  # noqa: SLF001 - a slow or counting stand-in replaces it
    monkeypatch.setattr(accounts, "_hasher", counting)
    with stopped_at(now()):
        kinds = [refusals(f"x{n}", [f"192.0.2.{n}"])[0] for n in range(40)]
        kinds += [refusals(f"y{n}", [f"2001:db8:7:{n:x}::"])[0] for n in range(40)]
    assert kinds == (["wrong"] * 30 + ["login-network"] * 10) * 2
    assert len(counting.verified) == 60
    # each name that is tried costs two rows, and one network may try no more names
    assert len(rows(Limit)) == 2 + 2 * 60


@pytest.mark.usefixtures("carla")
def test_guessing_from_many_networks_is_limited_and_the_owner_still_comes_in() -> None:
    begun = now()
    with stopped_at(begun):
        log_in(CARLA.name, CARLA.password, HERE)
    elsewhere = [f"10.0.{n}.1" for n in range(60)]
    with stopped_at(begun + timedelta(days=1)):
        for name in (CARLA.name, "nobody"):
            assert refusals(name, elsewhere) == ["wrong"] * 30 + ["login-account"] * 30
        assert log_in(CARLA.name, CARLA.password, HERE)
        with pytest.raises(TooManyTries):
            log_in(CARLA.name, CARLA.password, "10.0.99.1")
    with stopped_at(begun + timedelta(days=1) + rate_limits.LOGIN_TRIES_ACCOUNT.window):
        assert log_in(CARLA.name, CARLA.password, "10.0.99.1")


@pytest.mark.usefixtures("carla")
def test_the_right_password_may_be_typed_as_often_as_one_likes() -> None:
    with stopped_at(now()):
        for _ in range(2 * rate_limits.LOGIN_TRIES.most):
            accounts.prove_password(CARLA.name, CARLA.password, HERE)
            log_in(CARLA.name, CARLA.password, "")


@pytest.mark.usefixtures("carla")
def test_a_known_name_and_an_unknown_one_cost_the_same_reads_and_writes(context: Flask) -> None:
    for asked in (log_in, accounts.prove_password):
        told = []
        for name in (CARLA.name, "carlo"):
            with statements(db.engine) as seen, commits(db.engine) as kept, pytest.raises(LoginRefused):
                asked(name, "wrong", HERE)
            told.append((seen, kept))
        assert told[0] == told[1]
        assert told[0][1]


@pytest.mark.usefixtures("carla")
def test_two_passwords_are_hashed_at_a_time_and_too_many_attempts_are_refused(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowHasher(accounts._hasher)  # noqa: SLF001 - a slow or counting stand-in replaces it
    monkeypatch.setattr(accounts, "_hasher", slow)
    monkeypatch.setattr(accounts, "_PLACES", Places(16, slow.may_end))
    tries = 20
    raised = start_threads(context, [lambda: accounts._verify(None, "wrong")] * tries)  # noqa: SLF001 - a slow or counting stand-in replaces it
    kinds = Counter(type(exc).__name__ for exc in raised())
    assert kinds == {"LoginRefused": 16, "LoginBusy": tries - 16}
    assert slow.most == 2


@pytest.mark.usefixtures("carla")
def test_the_log_says_whose_login_failed_and_never_what_was_typed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with stopped_at(now()):
        for name in (CARLA.name, "my password by mistake"):
            refusals(name, [HERE] * (rate_limits.LOGIN_TRIES.most + 1))
    lines = [record.getMessage() for record in caplog.records if record.name == "petitions.services.staff.accounts"]
    number = newest(Account).id
    assert Counter(lines) == {
        f"login refused account={number}": 10,
        f"login limited account={number} limit=login": 1,
        "login refused account=unknown": 10,
        "login limited account=unknown limit=login": 1,
    }


@pytest.mark.usefixtures("carla")
def test_a_new_login_ends_the_old_session_of_the_same_browser_and_no_other() -> None:
    old, other = (log_in(CARLA.name, CARLA.password, HERE) for _ in range(2))
    new = log_in(CARLA.name, CARLA.password, HERE, old)
    assert login_of(old) is None
    assert login_of(other) is not None
    assert login_of(new) is not None


@pytest.mark.usefixtures("carla")
def test_a_session_ends_after_twelve_hours() -> None:
    begun = now()
    with stopped_at(begun):
        token = log_in(CARLA.name, CARLA.password, HERE)
    with stopped_at(begun + timedelta(hours=12) - timedelta(seconds=1)):
        assert login_of(token) is not None
    with stopped_at(begun + timedelta(hours=12)):
        assert login_of(token) is None


@pytest.mark.usefixtures("carla")
def test_the_rows_of_old_sessions_go_when_staff_log_in() -> None:
    log_in(CARLA.name, CARLA.password, HERE)
    with stopped_at(now() + timedelta(hours=13)):
        log_in(CARLA.name, CARLA.password, HERE)
    assert len(rows(StaffSession)) == 1


@pytest.mark.usefixtures("carla")
def test_logging_out_ends_this_session_and_no_other() -> None:
    here, there = (log_in(CARLA.name, CARLA.password, HERE) for _ in range(2))
    log_out(here)
    log_out(here)
    assert login_of(here) is None
    assert login_of(there) is not None


@pytest.mark.parametrize("token", ["", "x", "é" * 43])
def test_a_made_up_secret_opens_nothing(token: str) -> None:
    assert login_of(token) is None


@pytest.mark.parametrize("password", ["", "eleven char"])
def test_a_short_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordTooShort):
        create_account("dora", password)
    assert rows(Account) == []


@pytest.mark.usefixtures("carla")
@pytest.mark.parametrize("name", ["carla", " CARLA"])
def test_an_account_is_never_overwritten(name: str) -> None:
    before = newest(Account)
    with pytest.raises(AccountExists):
        create_account(name, "another long password")
    assert rows(Account) == [before]


@pytest.mark.usefixtures("carla")
def test_another_password_ends_every_session_but_the_one_that_set_it() -> None:
    here, there = (log_in(CARLA.name, CARLA.password, HERE) for _ in range(2))
    with pytest.raises(PasswordTooShort):
        accounts.set_password(CARLA.name, "eleven char", here)
    assert login_of(there) is not None
    accounts.set_password(CARLA.name, "another long password", here)
    assert login_of(here) is not None
    assert login_of(there) is None
    with pytest.raises(LoginRefused):
        log_in(CARLA.name, CARLA.password, HERE)
    assert login_of(log_in(CARLA.name, "another long password", HERE)) is not None
    accounts.set_password("CARLA ", CARLA.password)
    assert login_of(here) is None


@pytest.mark.usefixtures("carla")
def test_a_disabled_account_is_out_at_once_and_comes_in_again_only_when_enabled() -> None:
    token = log_in(CARLA.name, CARLA.password, HERE)
    accounts.set_enabled(CARLA.name, False)
    for _ in range(2):
        with pytest.raises(LoginRefused):
            log_in(CARLA.name, CARLA.password, HERE)
    with pytest.raises(PasswordWrong):
        accounts.prove_password(CARLA.name, CARLA.password, HERE)
    assert rows(StaffSession) == []
    accounts.set_enabled(CARLA.name, True)
    assert login_of(token) is None
    assert login_of(log_in(CARLA.name, CARLA.password, HERE)) is not None


@pytest.mark.usefixtures("carla")
def test_a_login_under_way_does_not_outlive_what_ends_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    real = accounts._verify  # noqa: SLF001 - a slow or counting stand-in replaces it

    def slowly(account: Any, password: str) -> int:
        number = real(account, password)
        accounts.set_password(CARLA.name, "another long password")
        return number

    monkeypatch.setattr(accounts, "_verify", slowly)
    with pytest.raises(LoginRefused):
        log_in(CARLA.name, CARLA.password, HERE)
    monkeypatch.setattr(accounts, "_verify", real)
    token = log_in(CARLA.name, "another long password", HERE)
    with transaction() as store:
        store.execute(update(Account).values(disabled_at=now()))
    assert login_of(token) is None, "even a session that was missed"


@pytest.mark.usefixtures("carla")
def test_ending_sessions_is_for_one_account_and_for_one_that_exists() -> None:
    create_account("dora", CARLA.password)
    carla, dora = (log_in(name, CARLA.password, HERE) for name in (CARLA.name, "dora"))
    accounts.end_sessions(CARLA.name)
    assert login_of(carla) is None
    assert login_of(dora) is not None
    assert [(each.name, each.sessions) for each in members(now() - accounts.SESSION_LIFETIME)] == [
        ("carla", 0),
        ("dora", 1),
    ]
    for act in (accounts.end_sessions, lambda name: accounts.set_enabled(name, False)):
        for nobody in ("eve", "eve\0", ""):
            with pytest.raises(NotFound):
                act(nobody)
    with pytest.raises(NotFound):
        accounts.set_password("eve", CARLA.password)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_real_hasher_is_argon2id_and_dear() -> None:
    assert REAL_HASHER.type is Type.ID
    assert REAL_HASHER.time_cost * REAL_HASHER.memory_cost >= 2 * 19_456
    with pytest.raises(VerifyMismatchError):
        REAL_HASHER.verify(REAL_HASHER.hash("right"), "wrong")
