"""Server processes on either database; marks what runs in the long set only."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.effort import IS_LONG
from tests.support.postgres import Postgres
from tests.support.server import Server

StartServer = Callable[..., Server]
NEEDS_DEBIAN = ["test_power_loss.py"]  # strace; test_real_mail_server.py looks to itself
collect_ignore = [] if IS_LONG else NEEDS_DEBIAN


@pytest.fixture(params=["sqlite", "postgres"])
def server_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database for a server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'instance' / 'petitions.db'}"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    url = cluster.empty_url()
    yield url
    cluster.drop(url)


@pytest.fixture
def start_server(tmp_path: Path, server_database: str) -> Iterator[StartServer]:
    """Starts the demo on that database, with a seeded bug if asked for; stopped after the test."""
    started: list[Server] = []

    def start(bug: str = "", **env: str) -> Server:
        quiet = {"PETITIONS_WORKER": "0", "PETITIONS_LOG_LEVEL": "ERROR", "PETITIONS_DATABASE_URL": server_database}
        server = Server(tmp_path / "instance", "tests.reliability.serving:app", SEEDED_BUG=bug, **quiet, **env)
        server.folder.mkdir(parents=True, exist_ok=True)
        server.flask("setup")
        started.append(server.start())
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """A Postgres that may be killed: durable, as it comes."""
    server = Postgres()
    try:
        # Little log, because the leak scan reads all of it
        yield server.start("min_wal_size=32MB", "max_wal_size=32MB")
    finally:
        server.close()


def kind(database_url: str) -> str:
    """The name of a database as the figures call it."""
    return "postgres" if database_url.startswith("postgres") else "sqlite"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nothing is left out in silence."""
    if not IS_LONG:
        names = ", ".join([*NEEDS_DEBIAN, "test_real_mail_server.py"])
        terminalreporter.write_line(f"only in `make test-long`, which installs what they need: {names}")
