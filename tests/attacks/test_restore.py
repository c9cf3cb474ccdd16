"""H5: a restored backup brings back nobody who took something back, and doctor says so until the replay ran."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.attacks.outsider import CASE, OTHER_CASE, Outsider, token_of
from tests.support.server import Server

PEOPLE = ("withdraws", "refuses", "stops", "corrects", "forgets", "unsubscribes", "stays")


class Home:
    """A server on SQLite whose backup is put back after people took things back."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder, PETITIONS_PROXY_HOPS="1")
        self.outsider = Outsider(self.server, f"sqlite:///{folder / 'petitions.db'}")
        self.pages: dict[str, str] = {}

    def sign(self) -> None:
        """Everybody signs; all but one confirm, and one wants news."""
        for name in PEOPLE:
            news = {"newsletter": "y"} if name == "unsubscribes" else {}
            assert self.outsider.sign(email(name), CASE, OTHER_CASE, last_name=name.title(), **news).status == 303
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

    def restore(self, copy: Path) -> None:
        """By the book, up to the replay."""
        for name in ("petitions.db", "petitions.db-wal", "petitions.db-shm"):
            (self.server.folder / name).unlink(missing_ok=True)
        shutil.copy(copy, self.server.folder / "petitions.db")
        self.server.flask("setup")


def email(name: str) -> str:
    return f"{name}@example.org"


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The copy is back, and nothing was replayed yet."""
    folder = tmp_path_factory.mktemp("restore")
    home = Home(folder / "instance")
    home.server.folder.mkdir(mode=0o700)
    home.server.flask("setup")
    home.server.start()
    home.sign()
    home.server.flask("backup", str(folder / "copy.db"))
    home.take_back()
    home.server.stop()
    home.restore(folder / "copy.db")
    return home


def test_doctor_is_red_until_the_replay_whatever_happens_meanwhile(restored: Home) -> None:
    """H5: doctor said "All is well." The server may run, and somebody take something back, before anybody looks."""
    assert restored.outsider.command("doctor").returncode != 0
    restored.server.start()
    try:
        stays = restored.pages["stays"]
        assert restored.outsider.post(f"{stays}/newsletter", newsletter="y").status == 303
        assert restored.outsider.command("doctor").returncode != 0, "one new line hides that the others are missing"
    finally:
        restored.server.stop()


def test_after_the_replay_nobody_is_back(restored: Home, tmp_path: Path) -> None:
    """H5: the withdrawn were confirmed again and exported, and "never write to me again" was forgotten."""
    restored.server.flask("retention", "replay")
    assert "All is well" in restored.outsider.command("doctor").stdout
    listed = exported(restored, tmp_path)
    assert [name for name in ("withdraws", "refuses", "forgets") if name.title() in listed] == []
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
    with closing(sqlite3.connect(home.server.folder / "petitions.db")) as store:
        return int(store.execute("SELECT count(*) FROM signatures WHERE state = 'confirmed'").fetchone()[0])
