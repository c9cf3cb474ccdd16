"""R4 and R9: a database that is killed, or whose disk is full: entries are refused, never lost or doubled."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from petitions.db.base import db
from petitions.db.queue import WriteQueue
from petitions.db.transactions import write_queue
from petitions.errors import Busy
from petitions.migrations.upgrade import upgrade
from petitions.queries.catalogue import PublicCampaign
from tests.reliability.conftest import kind
from tests.support import inspecting
from tests.support.effort import effort, note
from tests.support.factories import Keys, Person, add_section_key, close_app, make_app, make_campaign, sign
from tests.support.postgres import Postgres

WRITERS = 8
KILLS = effort(3, 30)


@pytest.fixture
def installation(cluster: Postgres, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """The application on it, with the small campaign."""
    app = make_app(cluster.empty_url(), tmp_path, keys)
    with app.app_context():
        upgrade()
    add_section_key(app, keys)
    make_campaign(app, tmp_path / "campaign")
    yield app
    close_app(app)


class Writers:
    """Threads that sign; refused entries are recorded, and tried again until they are acknowledged."""

    def __init__(self, app: Flask, campaign: PublicCampaign) -> None:
        self._app, self._campaign = app, campaign
        self._ended = threading.Event()
        self._numbers = itertools.count()
        self.thanked: list[str] = []
        self.refused: list[str] = []

    def _run(self) -> None:
        with self._app.app_context():
            while not self._ended.is_set():
                email = f"ann{next(self._numbers)}@example.org"
                try:
                    sign(self._campaign, Person("Ann", "", email))
                    self.thanked.append(email)
                except Busy:
                    self.refused.append(email)

    @contextmanager
    def signing(self) -> Iterator["Writers"]:
        """All of them sign during the block."""
        threads = [threading.Thread(target=self._run) for _ in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def wait_for(self, more: int) -> None:
        """Wait until so many more were acknowledged."""
        goal, give_up_at = len(self.thanked) + more, time.monotonic() + 30
        while len(self.thanked) < goal:
            assert time.monotonic() < give_up_at, "nobody is thanked any more"
            time.sleep(0.005)


def killed_often(app: Flask, cluster: Postgres, kills: int) -> tuple[Writers, PublicCampaign]:
    """Sign on, while the database is killed or restarted again and again."""
    with app.app_context():
        campaign = inspecting.catalogue().current
    with Writers(app, campaign).signing() as writers:
        for number in range(kills):
            writers.wait_for(20)
            cluster.kill9() if number % 2 == 0 else cluster.stop()
            time.sleep(0.1 * (number % 3))
            cluster.start()
        writers.wait_for(20)
    return writers, campaign


def test_a_killed_postgres_loses_and_doubles_nobody(installation: Flask, cluster: Postgres) -> None:
    writers, campaign = killed_often(installation, cluster, KILLS)
    with installation.app_context():
        assert inspecting.unknown(writers.thanked) == []
        assert inspecting.faults() == []
        ambiguous = len(writers.refused) - len(inspecting.unknown(writers.refused))
        for email in writers.refused:  # they were told to send it again
            sign(campaign, Person("Ann", "", email))
        assert inspecting.unknown(writers.refused) == []
        assert inspecting.faults() == []
    found = (
        f"0 of {len(writers.thanked)} lost, 0 double; {len(writers.refused)} refused, of which {ambiguous} were stored"
    )
    note("R4", "postgres", f"{KILLS} kills -9 and restarts of the postmaster under {WRITERS} writers", found)


def test_acknowledging_when_the_connection_is_lost_is_found(
    installation: Flask, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = WriteQueue._run  # noqa: SLF001 - a seeded bug replaces it

    def acknowledge_anyway(self: WriteQueue, batch: list[Any]) -> None:
        try:
            run(self, batch)
        except Busy:
            for write in batch:
                write.failure = None

    monkeypatch.setattr(WriteQueue, "_run", acknowledge_anyway)
    monkeypatch.setattr("petitions.db.queue.RETRIES", 0)
    writers, _ = killed_often(installation, cluster, 2)
    with installation.app_context(), pytest.raises(AssertionError):
        assert inspecting.unknown(writers.thanked) == []


class FullDisk:
    """Lets an SQLite file grow no further, as a full disk would."""

    def __init__(self, app: Flask) -> None:
        self.pages = 2**30
        with app.app_context():
            self._engine, self._queue = db.engine, write_queue()
        event.listen(self._engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_rest: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={self.pages}")

    def fill(self) -> None:
        """From here on there is room for a few pages only."""
        self._queue.close()  # its connection was opened when there was room
        with self._engine.connect() as connection:
            used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        self.pages = used + 12

    def empty(self) -> None:
        """There is room again."""
        self.pages = 2**30


class FullServer:
    """Lets Postgres say that its disk is full, in its own words, once it has room for no more than five signers."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def _run(self, *statements: str) -> None:
        with self._app.app_context(), db.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def fill(self) -> None:
        """From here on there is room for a few signers only."""
        self._run(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF (SELECT count(*) FROM signers)"
            " > 5 THEN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$",
            "CREATE TRIGGER full_disk AFTER INSERT ON signers FOR EACH ROW EXECUTE FUNCTION full_disk()",
        )

    def empty(self) -> None:
        """There is room again."""
        self._run("DROP TRIGGER full_disk ON signers", "DROP FUNCTION full_disk")


@pytest.fixture
def disk(app: Flask, database_url: str) -> FullDisk | FullServer:
    """The disk below the test's database."""
    return FullDisk(app) if database_url.startswith("sqlite") else FullServer(app)


def fill_up(client: FlaskClient, disk: FullDisk | FullServer) -> tuple[list[str], list[Any]]:
    """Sign until the disk is full and a while longer; returns the acknowledged signers, and the last answers."""
    disk.fill()
    thanked, refused = [], []
    for number in itertools.count():
        email = f"ann{number}@example.org"
        form = {"first_name": "Ann", "email": email, "cases": ["river", "forest"]}
        answer = client.post("/fr/water-2026/sign", data=form, headers={"Sec-Fetch-Site": "same-origin"})
        if answer.status_code == 303:
            thanked.append(email)
        else:
            refused.append(answer)
        if len(refused) == 3:
            return thanked, refused
        assert number < 2_000
    raise AssertionError


def test_a_full_disk_is_said_and_needs_no_restart(
    app: Flask,
    database_url: str,
    client: FlaskClient,
    campaign: PublicCampaign,
    disk: FullDisk | FullServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("petitions.db.queue.RETRIES", 1)
    thanked, refused = fill_up(client, disk)
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert all("Le disque de ce site est plein" in answer.text for answer in refused)
    assert all('value="Ann"' in answer.text for answer in refused), "what was typed is kept"
    disk.empty()
    form = {"first_name": "Ann", "email": "later@example.org", "cases": ["river"]}
    answer = client.post("/fr/water-2026/sign", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    with app.app_context():
        assert inspecting.unknown([*thanked, "later@example.org"]) == []
        assert inspecting.faults() == []
    done = {"sqlite": "the file may not grow", "postgres": "the server says that its disk is full"}[kind(database_url)]
    note("R9", kind(database_url), done, f"{len(thanked)} thanked, 0 false thanks; goes on without a restart")


def test_acknowledging_although_the_disk_is_full_is_found(
    app: Flask,
    client: FlaskClient,
    campaign: PublicCampaign,
    disk: FullDisk | FullServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submit = WriteQueue.submit
    swallowed: list[str] = []

    def acknowledge(self: WriteQueue, *arguments: Any) -> Any:
        with suppress(Busy):
            return submit(self, *arguments)
        swallowed.append("")
        if len(swallowed) >= 3:
            raise Busy
        return None

    monkeypatch.setattr(WriteQueue, "submit", acknowledge)
    monkeypatch.setattr("petitions.db.queue.RETRIES", 0)
    thanked, _ = fill_up(client, disk)
    disk.empty()
    with app.app_context(), pytest.raises(AssertionError):
        assert inspecting.unknown(thanked) == []
