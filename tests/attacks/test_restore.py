"""H5: a restored backup brings back no withdrawn or erased data, and doctor reports it until the replay ran."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.outsider import CASE, OTHER_CASE, Outsider, ask, token_of
from tests.support.backups import unpacked
from tests.support.factories import CARLA
from tests.support.postgres import Postgres
from tests.support.server import Server

PEOPLE = ("withdraws", "refuses", "stops", "corrects", "forgets", "unsubscribes", "unnames", "bot", "stays")
LEFT_OUT = ("messages", "kit_orders", "mail_slots", "limits", "staff_sessions")  # as docs/operating.md says


class Home:
    """A server whose backup is put back after people and staff took things back."""

    def __init__(self, folder: Path, url: str, cluster: Postgres | None) -> None:
        self.server = Server(folder, PETITIONS_DATABASE_URL=url, PETITIONS_PROXY_HOPS="1")
        self.outsider = Outsider(self.server, url)
        self.copy = folder.parent / "copy.db"
        self.pages: dict[str, str] = {}
        self.found: list[list[str]] = []  # by doctor, before the replay
        self._name, self._cluster = url.rpartition("/")[2], cluster

    def sign(self) -> None:
        """Everybody signs; all but one confirm, and one wants news; one comes with a collector's code."""
        code = re.findall(r": (\S+),", self.server.flask("collector", "create", "A stall"))[0]
        for name in PEOPLE:
            extra = {"unsubscribes": {"newsletter": "y"}, "bot": {"pass_code": code}}.get(name, {})
            assert self.outsider.sign(email(name), CASE, OTHER_CASE, last_name=name.title(), **extra).status == 303
        for name in PEOPLE:
            if name == "refuses":
                continue
            self.pages[name] = self.outsider.own_page(self.outsider.confirm(email(name)))

    def take_back(self) -> None:
        """What each of them does after the backup was made."""
        post = self.outsider.post
        assert post(f"{self.pages['withdraws']}/withdraw", cases=[CASE, OTHER_CASE]).status == 303
        assert post(f"{self.outsider.path_in_mail(email('refuses'))}/not-me").status == 303
        stop = next(word for word in self.server.mail(email("stops")).split() if "/stop/" in word)
        assert post(stop.removeprefix(self.server.url)).status == 200
        assert post(f"{self.pages['corrects']}/name", first_name="Ann", last_name="Right").status == 303
        assert post(f"{self.pages['forgets']}/erase").status == 303
        assert post(f"{self.pages['unsubscribes']}/newsletter").status == 303
        assert post(f"{self.pages['unnames']}/named", unnamed="y").status == 303
        self.invalidate()

    def invalidate(self) -> None:
        """Staff invalidate what came with the collector's code."""
        self.server.flask("staff", "create", CARLA.name, "--password", CARLA.password)
        login = self.outsider.post("/admin/login", name=CARLA.name, password=CARLA.password)
        cookie = login.headers["Set-Cookie"].partition(";")[0]
        pages = f"{self.server.url}/admin/invalidations"

        def press(act: str, **fields: str) -> None:
            token = re.findall(r'name="csrf_token" value="([^"]+)"', ask(pages, Cookie=cookie).body)[0]
            assert ask(pages + act, {"csrf_token": token, **fields}, Cookie=cookie).status == 303

        press("", collector_id="1", reason="a bot")
        press("/run", number="1", password=CARLA.password)

    def back_up(self) -> None:
        """By the book; on Postgres what pg_dump would have copied."""
        if self._cluster is None:
            self.server.flask("backup", str(self.copy))
            return
        self.server.stop()
        self._cluster.execute(f"CREATE DATABASE {self._name}_copy TEMPLATE {self._name}")
        self.server.start()

    def restore(self) -> None:
        """By the book, up to the replay."""
        self.server.stop()
        if self._cluster is None:
            for name in ("petitions.db", "petitions.db-wal", "petitions.db-shm"):
                (self.server.folder / name).unlink(missing_ok=True)
            key = (self.server.folder / "master_key").read_text()
            shutil.copy(unpacked(self.copy, key), self.server.folder / "petitions.db")
        else:
            self._cluster.execute(f"DROP DATABASE {self._name} WITH (FORCE)")
            self._cluster.execute(f"CREATE DATABASE {self._name} TEMPLATE {self._name}_copy")
            self.outsider.rows(f"TRUNCATE {', '.join(LEFT_OUT)}")
        self.server.flask("setup")


def faults(home: Home) -> list[str]:
    """What doctor finds; that the tests' Postgres does not wait for the disk is no fault of the restoring."""
    done = home.outsider.command("doctor")
    found = [line for line in done.stderr.splitlines() if not line.startswith("Postgres: ")]
    assert done.returncode == (1 if done.stderr else 0)
    return found


def email(name: str) -> str:
    return f"{name}@example.org"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def restored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The copy is back, and nothing was replayed yet."""
    folder = tmp_path_factory.mktemp("restore") / "instance"
    cluster: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    url = cluster.empty_url() if cluster else f"sqlite:///{folder / 'petitions.db'}"
    home = Home(folder, url, cluster)
    folder.mkdir(mode=0o700)
    home.server.flask("setup")
    home.server.start()
    home.sign()
    home.back_up()
    home.take_back()
    home.restore()
    home.found = [faults(home)]
    home.server.start()
    try:
        stays = home.pages["stays"]
        assert home.outsider.post(f"{stays}/newsletter", newsletter="y").status == 303
        home.found.append(faults(home))
    finally:
        home.server.stop()
    yield home
    if cluster:
        cluster.drop(url)
        cluster.drop(f"{url}_copy")


def test_doctor_is_red_until_the_replay_whatever_happens_meanwhile(restored: Home) -> None:
    """H5: doctor found no problem. The server may run, and signers may withdraw, before the replay."""
    before, meanwhile = restored.found
    assert before
    assert meanwhile, "one new line hides that the others are missing"


def test_after_the_replay_nobody_is_back(restored: Home, tmp_path: Path) -> None:
    """H5: the withdrawn were confirmed again and exported, and "never write to me again" was forgotten."""
    restored.server.flask("retention", "replay")
    assert faults(restored) == []
    listed = exported(restored, tmp_path)
    assert [name for name in ("withdraws", "refuses", "forgets", "unnames", "bot") if name.title() in listed] == []
    assert "Corrects" not in listed, "the wrong name is not handed over"
    assert "Stays" in listed
    rows = restored.outsider.rows
    assert rows("SELECT count(*) FROM suppressions") == [(1,)]
    assert rows("SELECT count(*) FROM signers WHERE newsletter") == [(1,)], "of who stays, not of who unsubscribed"


def exported(home: Home, folder: Path) -> str:
    """What the officer reads of an export: names and addresses."""
    key = home.server.folder / "demo-key.txt"
    home.server.flask("signatures", "export", "--identity", str(key), "--output", str(folder / "export.csv"))
    return (folder / "export.csv").read_text()


def test_replaying_again_hurts_nobody_who_signed_again(restored: Home, tmp_path: Path) -> None:
    """H5: who takes back and signs again within the minute stays counted, however often the replay runs."""
    page = restored.pages["stays"]
    restored.server.flask("retention", "replay")
    restored.server.start()
    try:
        assert restored.outsider.post(f"{page}/withdraw", cases=[CASE]).status == 303
        assert restored.outsider.post(f"{page}/more", cases=[CASE]).status == 303
    finally:
        restored.server.stop()
    before = confirmed(restored)
    restored.server.flask("retention", "replay")
    assert confirmed(restored) == before
    assert token_of(page)


def confirmed(home: Home) -> int:
    return int(home.outsider.rows("SELECT count(*) FROM signatures WHERE state = 'confirmed'")[0][0])
