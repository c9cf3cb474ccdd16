"""Staff accounts: who may come in, how long, and that trying tells nothing."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from petitions.clock import now, stopped_at
from petitions.errors import LoginRefused, TooManyTries
from petitions.models import Account, StaffSession
from petitions.services import accounts, limits
from petitions.services.accounts import AccountExists, PasswordTooShort, create_account, log_in, log_out, login_of
from tests.support.factories import CARLA, dump, newest, rows

pytestmark = pytest.mark.usefixtures("context")

HERE = "192.0.2.7"
REAL_HASHER = accounts._hasher  # before the fixtures put a cheap one in its place


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


@pytest.mark.usefixtures("carla")
def test_an_unknown_name_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = CountingHasher(accounts._hasher)
    monkeypatch.setattr(accounts, "_hasher", counting)
    for name in (CARLA.name, "nobody"):
        with pytest.raises(LoginRefused):
            log_in(name, "wrong", HERE)

    known, unknown = counting.verified
    assert known != unknown
    assert known.rpartition("$")[0].rpartition("$")[0] == unknown.rpartition("$")[0].rpartition("$")[0]


def test_whoever_guesses_the_password_of_nobody_is_still_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_NOBODY", accounts._hasher.hash("a lucky guess"))
    with pytest.raises(LoginRefused):
        log_in("nobody", "a lucky guess", HERE)


@pytest.mark.usefixtures("carla")
def test_ten_tries_from_one_network_are_enough_and_other_networks_are_free() -> None:
    begun = now()
    with stopped_at(begun):
        for _ in range(limits.LOGIN_TRIES.most):
            with pytest.raises(LoginRefused):
                log_in(CARLA.name, "wrong", HERE)
        for name in (CARLA.name, "CARLA "):
            with pytest.raises(TooManyTries):
                log_in(name, CARLA.password, HERE)
        assert log_in(CARLA.name, CARLA.password, "198.51.100.9"), "Eve must not be able to lock Carla out"
    with stopped_at(begun + limits.LOGIN_TRIES.window):
        assert log_in(CARLA.name, CARLA.password, HERE)


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
def test_the_rows_of_old_sessions_go_when_somebody_logs_in() -> None:
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_real_hasher_is_argon2id_and_dear() -> None:
    assert REAL_HASHER.type is Type.ID
    assert REAL_HASHER.time_cost * REAL_HASHER.memory_cost >= 2 * 19_456
    with pytest.raises(VerifyMismatchError):
        REAL_HASHER.verify(REAL_HASHER.hash("right"), "wrong")
