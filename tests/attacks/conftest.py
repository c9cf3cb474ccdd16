"""A demo server for each file and database, attacked from outside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attacks.outsider import BOUNCE_SECRET, Outsider
from tests.support.postgres import Postgres
from tests.support.server import Server


@contextmanager
def serving(folder: Path, url: str, **env: str) -> Iterator[Outsider]:
    """An outsider and a server of its own, behind one proxy, for the block."""
    server = Server(folder, PETITIONS_DATABASE_URL=url, PETITIONS_PROXY_HOPS="1", **env)
    folder.mkdir(parents=True, exist_ok=True)
    server.flask("setup")
    server.start()
    try:
        yield Outsider(server, url)
    finally:
        server.stop()


Attack = Callable[..., Outsider]


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """An empty folder and the address of an empty database."""
    folder = tmp_path_factory.mktemp("attacks") / "instance"
    if request.param == "sqlite":
        yield folder, f"sqlite:///{folder / 'petitions.db'}"
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    url = cluster.empty_url()
    yield folder, url
    cluster.drop(url)


@pytest.fixture(scope="session")
def attack(place: tuple[Path, str]) -> Iterator[Attack]:
    """Starts one more server on that database, with the settings given."""
    folder, url = place
    started: list[Server] = []

    def start(**env: str) -> Outsider:
        server = Server(folder, PETITIONS_DATABASE_URL=url, **env)
        folder.mkdir(parents=True, exist_ok=True)
        server.flask("setup")
        started.append(server.start())
        return Outsider(server, url)

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def outsider(attack: Attack) -> Outsider:
    """An outsider with any address, and a server as `make run` starts it. All test files share it."""
    outsider = attack(PETITIONS_PROXY_HOPS="1", PETITIONS_BOUNCE_SECRET=BOUNCE_SECRET)
    outsider.server.wait_for_all()  # a worker that starts later would refuse what some tests put into the database
    return outsider
