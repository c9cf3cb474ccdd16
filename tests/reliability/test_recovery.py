"""R15: a server that was destroyed comes back on a new machine from one file and the two secrets, on both databases."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from petitions.domain import sealing
from petitions.services.paper import kit_orders
from petitions.settings import ROOT
from tests.attacks.outsider import CAMPAIGN, CASE, OTHER_CASE, Outsider, until
from tests.support import inspecting
from tests.support.backups import unpacked
from tests.support.postgres import Postgres
from tests.support.server import Server
from tests.support.warm import command

# What is checked and prepared before the database is touched is the same on both
ON_SQLITE = pytest.mark.parametrize("destroyed", ["sqlite"], indirect=True, scope="module")
SECRETS = ("secret_key", "master_key")


class Destroyed:
    """What is left of a server after its machine burnt: a backup, the secrets, and perhaps the newest ledger."""

    def __init__(self, folder: Path, urls: list[str]) -> None:
        self.folder = folder
        self.urls = urls
        old = folder / "old" / "instance"
        old.mkdir(parents=True, mode=0o700)
        server = Server(old, PETITIONS_DATABASE_URL=self._url(0, old), PETITIONS_PROXY_HOPS="1")
        people = Outsider(server, self._url(0, old))
        server.flask("setup")
        server.start()
        self.confirm_link = ""
        for name in ("stays", "forgets"):
            page = people.sign_and_confirm(f"{name}@example.org", CASE, OTHER_CASE)
            self.confirm_link = self.confirm_link or people.path_in_mail(f"{name}@example.org")
            self.page = page
        server.stop()
        server.env["PETITIONS_WORKER"] = "0"  # from here on mail waits
        server.start()
        assert people.sign("waits@example.org", CASE).status == 303
        parcel = {"recipient": "Hidden Street", "address": "1, Main Street", "number": "1", "language": "fr"}
        assert people.post(f"/fr/{CAMPAIGN}/kit/order", **parcel).status == 303
        self.backup = folder / "backup.db"
        server.flask("backup", str(self.backup))
        assert people.post(f"{self.page}/erase").status == 303
        self.counts = people.counts()
        server.stop()
        self.ledger = (old / "erasures.jsonl").read_bytes()
        self.secrets = {name: (old / name).read_bytes() for name in SECRETS}
        shutil.rmtree(old)

    def _url(self, number: int, folder: Path) -> str:
        return self.urls[number] if self.urls else f"sqlite:///{folder / 'petitions.db'}"

    def new(self, name: str, number: int = 1) -> Server:
        """A new machine with the secrets only."""
        folder = self.folder / name / "instance"
        folder.mkdir(parents=True, mode=0o700)
        for secret, data in self.secrets.items():
            (folder / secret).write_bytes(data)
            (folder / secret).chmod(0o600)
        return Server(folder, PETITIONS_DATABASE_URL=self._url(number, folder), PETITIONS_PROXY_HOPS="1")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def destroyed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Destroyed]:
    """One destroyed server for the tests of this file on each database."""
    cluster: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    urls = [cluster.empty_url() for _ in range(4)] if cluster else []
    yield Destroyed(tmp_path_factory.mktemp("recovery"), urls)
    for url in urls:
        cluster.drop(url)  # type: ignore[union-attr]


def files(folder: Path) -> dict[str, bytes]:
    """What lies in an instance folder, but for logs and locks."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".log", ".lock")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_signatures_waiting_mails_and_erasures_come_back(destroyed: Destroyed) -> None:
    server = destroyed.new("new")
    (server.folder / "erasures.jsonl").write_bytes(destroyed.ledger)  # the newest one, from where it is copied to
    server.folder.joinpath(".opened-backup-left").write_bytes(b"of a restore that was killed")
    said = server.flask("restore", str(destroyed.backup))
    assert not [*server.folder.glob(".opened-backup-*")]
    assert "1 later acts were repeated" in said
    server.flask("setup")
    checked = command(server.env, "doctor")
    assert [line for line in checked.stderr.splitlines() if not line.startswith("Postgres: ")] == []
    server.start()
    people = Outsider(server, server.env["PETITIONS_DATABASE_URL"])
    counts = people.counts()
    assert counts["cases"] == destroyed.counts["cases"], "the erased signer's signatures stay withdrawn"
    assert people.get(destroyed.page).status in (404, 410), "who was erased stays erased"
    assert people.get(destroyed.confirm_link).status == 200, "old links work"
    assert people.confirm("waits@example.org"), "the mail that waited leaves from the new machine"
    assert until(lambda: people.counts()["cases"][CASE]["confirmed"] == counts["cases"][CASE]["confirmed"] + 1)
    assert people.sign_and_confirm("new@example.org", CASE), "and new people sign"
    with inspecting.inside(server.folder, server.env["PETITIONS_DATABASE_URL"]):
        assert [each.name for each in kit_orders.waiting(CAMPAIGN)] == ["Hidden Street"]
    again = command(server.env, "restore", str(destroyed.backup))
    assert again.returncode == 1
    assert "there is a database already" in again.stderr
    server.stop()


@ON_SQLITE
def test_what_cannot_be_restored_changes_nothing_and_says_why(destroyed: Destroyed, tmp_path: Path) -> None:
    server = destroyed.new("refusing", 2)
    shutil.copy(destroyed.backup, tmp_path / "backup")
    plain = unpacked(tmp_path / "backup", destroyed.secrets["master_key"].decode())
    copy = bytearray(plain.read_bytes())
    copy[copy.index(b"-> X25519") + 300] ^= 0x01  # in somebody's name
    (tmp_path / "flipped").write_bytes(copy)
    sealed = bytearray(destroyed.backup.read_bytes())
    (tmp_path / "half").write_bytes(sealed[: len(sealed) // 2])
    sealed[len(sealed) // 2] ^= 0x01
    (tmp_path / "broken").write_bytes(sealed)
    (tmp_path / "other").write_bytes(b"not a backup")
    with sqlite3.connect(tmp_path / "old.db") as old:
        destroyed_db = sqlite3.connect(plain)
        destroyed_db.backup(old)
        destroyed_db.close()
        old.execute("DROP TABLE backup_part")
    old.close()
    before = files(server.folder)
    for file, reason in (
        ("flipped", "was changed or damaged"),
        ("half", "is damaged"),
        ("broken", "is damaged"),
        ("other", "or the file is damaged"),
        ("old.db", "was not made by flask backup"),
        ("missing", "there is no file"),
    ):
        done = command(server.env, "restore", str(tmp_path / file))
        assert done.returncode == 1, file
        assert done.stderr.startswith("Refused: "), done.stderr
        assert reason in done.stderr
        assert files(server.folder) == before
    secret = server.folder / "secret_key"
    secret.write_text("another secret that is long enough to be one, but is not it\n")
    done = command(server.env, "restore", str(destroyed.backup))
    assert "is not the one that this backup was made with" in done.stderr
    secret.write_bytes(destroyed.secrets["secret_key"])
    master = server.folder / "master_key"
    master.write_text(sealing.new_identity()[0])
    done = command(server.env, "restore", str(destroyed.backup))
    assert "is not the one that this backup was made with" in done.stderr
    assert not [*server.folder.glob(".opened-backup-*")]
    master.write_bytes(destroyed.secrets["master_key"])
    secret.unlink()
    done = command(server.env, "restore", str(destroyed.backup))
    assert "secret_key is missing" in done.stderr


@ON_SQLITE
def test_a_restore_that_is_killed_can_be_repeated(destroyed: Destroyed) -> None:
    server = destroyed.new("killed", 3)
    old = destroyed.folder / "plain"  # as backups were before they were encrypted
    shutil.copy(destroyed.backup, old)
    old = unpacked(old, destroyed.secrets["master_key"].decode())
    code = (
        "import os, sys; from app import app; from petitions.services.operations import recovery\n"
        "recovery._put_in_place = lambda scratch: os.kill(os.getpid(), 9)\n"
        "with app.app_context(): recovery.restore(__import__('pathlib').Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(destroyed.backup)], cwd=ROOT, env=server.env, check=False)
    assert done.returncode == -signal.SIGKILL
    assert "Restored" in server.flask("restore", str(old))
    assert not (server.folder / "restoring.db").exists()
    server.flask("setup")
    server.start()
    assert Outsider(server, "").counts()["total"]["confirmed"] == 4, "without the newest ledger the erased one is back"
    server.stop()
