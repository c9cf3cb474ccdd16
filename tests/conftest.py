"""Fixtures for all tests. A test that uses a database runs on SQLite and on a real Postgres.

Tests are isolated: warnings are errors (pyproject.toml), connections to other machines fail, the environment has no
settings, and time comes from `petitions.clock`.
"""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from petitions.domain import sealing
from petitions.migrations.upgrade import upgrade
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.services.keys import key_tests
from petitions.services.staff import accounts
from tests.support.factories import Keys, add_section_key, close_app, copy_instance, make_app, make_campaign, make_keys
from tests.support.postgres import Postgres

# The same examples at every run: a red build is red for everybody.
hypothesis.settings.register_profile(
    "petitions", deadline=None, database=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("petitions")

TEMPLATES = ("bare", "campaign")
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
CHEAP_NOBODY = CHEAP.hash("nobody knows")


@pytest.fixture(autouse=True, scope="session")
def _sealed() -> Iterator[None]:
    """No connection leaves this machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test wanted to talk to {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


@pytest.fixture(autouse=True, scope="session")
def _rules_are_compiled_once() -> Iterator[None]:
    """Thousands of tests make an application: most of that time would go into compiling the same rules again.

    The private method is replaced because Werkzeug has no other place where a compiled rule can be kept. Its functions
    depend on nothing but the words of the rule; werkzeug binds them to each application's own converters.
    """
    compiled = Rule._compile_builder  # noqa: SLF001 - see above
    known: dict[Any, Any] = {}

    def once(self: Rule, append_unknown: bool = True) -> Any:
        words = (self.rule, self.subdomain, str(self.defaults), append_unknown)
        if words not in known:
            known[words] = compiled(self, append_unknown)
        return known[words]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the tests may contain settings."""
    for name in list(os.environ):
        if name.startswith("PETITIONS_") or name == "PORT":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing a password takes 30 ms on purpose; test_accounts.py looks at the real hasher."""
    monkeypatch.setattr(accounts, "_hasher", CHEAP)
    monkeypatch.setattr(accounts, "_DUMMY_HASH", CHEAP_NOBODY)


@pytest.fixture
def cheap_backups(monkeypatch: pytest.MonkeyPatch) -> None:
    """To derive a key from words takes a second on purpose; test_restore.py and test_recovery.py do it for real."""

    def opened(text: str, words: str) -> str:
        known, said = json.loads(text)
        if known != words:
            raise sealing.CannotOpen
        return str(said)

    monkeypatch.setattr(sealing, "protect", lambda text, words: json.dumps([words, text]))
    monkeypatch.setattr(sealing, "unprotect", opened)


@pytest.fixture(autouse=True, scope="session")
def _keys_are_proven() -> Iterator[None]:
    """Every key test counts as passed, so that campaigns may open; tests of key tests use `unproven`."""
    real = key_tests._new_key_test  # noqa: SLF001 - a cheap key for tests stands in for the real one
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_tests, "_new_key_test", lambda public_key: {**real(public_key), "is_solved": True})
        patch.setattr(key_tests, "_real_key_test", real, raising=False)
        yield


@pytest.fixture
def unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, a new key test is open, as on a real server."""
    monkeypatch.setattr(key_tests, "_new_key_test", key_tests._real_key_test)  # type: ignore[attr-defined]  # noqa: SLF001 - the real one is back


@pytest.fixture(scope="session")
def keys() -> Keys:
    """One set of keys for all tests."""
    return make_keys()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real Postgres; `fsync` off, since the machine is not to lose power."""
    server = Postgres(in_memory=True)
    try:
        yield server.start(
            "fsync=off", "full_page_writes=off", "max_connections=200", "max_wal_size=64MB", "min_wal_size=32MB"
        )
    finally:
        server.close()


def _fill(url: str, folder: Path, keys: Keys, template: str) -> None:
    """Make a template: `bare` has the tables and the section's key, `campaign` the small campaign too."""
    app = make_app(url, folder, keys)
    with app.app_context():
        upgrade()
    add_section_key(app, keys)
    if template == "campaign":
        make_campaign(app, folder / "campaign")
    close_app(app)


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A folder with an SQLite file to copy for each template."""
    folder = tmp_path_factory.mktemp("sqlite")
    for template in TEMPLATES:
        _fill(f"sqlite:///{folder / template}.db", folder / template, keys, template)
    return folder


@pytest.fixture(scope="session")
def postgres_templates(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Postgres:
    """The same in Postgres."""
    for template in TEMPLATES:
        folder = postgres.folders[template] = tmp_path_factory.mktemp("postgres")
        postgres.make_template(template, lambda url, t=template, f=folder: _fill(url, f, keys, t))
    return postgres


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, ready to sign; with the small campaign if the test asks for `campaign`."""
    template = "campaign" if "campaign" in request.fixturenames else "bare"
    if request.param == "sqlite":
        folder = request.getfixturevalue("sqlite_templates")
        shutil.copy(folder / f"{template}.db", tmp_path / "petitions.db")
        copy_instance(folder / template, tmp_path)
        yield f"sqlite:///{tmp_path / 'petitions.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres_templates")
    url = server.fresh_url(template)
    copy_instance(server.folders[template], tmp_path)
    yield url
    server.drop(url)


@pytest.fixture
def app(database_url: str, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """The application, able to seal; no context is pushed, so that requests do not share `g`."""
    app = make_app(database_url, tmp_path, keys)
    yield app
    close_app(app)


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with a context, for tests that call services and queries themselves."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def campaign(app: Flask) -> PublicCampaign:
    """A small open campaign: the river, the forest and the lake."""
    with app.app_context():
        return catalogue().campaign("water-2026")
