"""M1 to M4, M14, M15: what stolen backups, databases and keys show, and what is left of erased signers."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyrage

from tests.attacks.conftest import Attack
from tests.attacks.outsider import CAMPAIGN, CASE, Outsider, until
from tests.support.backups import unpacked

CLUES = ("locale", "collector_id", "source", "letter_version_id", "consent_version_id")


def opened(values: list[Any], identity: str) -> Iterator[bytes]:
    """What this private key opens of a thief's finds."""
    key = pyrage.x25519.Identity.from_str(identity)
    for value in values:
        with suppress(pyrage.DecryptError, TypeError):
            yield pyrage.decrypt(bytes(value), [key])


def blobs(path: Path) -> list[bytes]:
    """Every stretch of bytes in a copy of the database."""
    with closing(sqlite3.connect(path)) as copy:
        tables = [name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [cell for table in tables for row in copy.execute(f"SELECT * FROM {table}") for cell in row]
    return [cell for cell in cells if isinstance(cell, bytes)]


def master_key(outsider: Outsider) -> str:
    return (outsider.server.folder / "master_key").read_text().strip()


def test_a_backup_and_the_master_key_open_nothing(outsider: Outsider, tmp_path: Path) -> None:
    """M1, M2: a copy held the campaign's key and three days of names, all locked with the master key."""
    if not outsider.database_url.startswith("sqlite"):
        return  # pg_dump is not ours: docs/operating.md says what to leave out
    outsider.sign_and_confirm("backed@example.org")
    outsider.sign("waiting@example.org")
    outsider.server.mail("waiting@example.org")
    sealed = tmp_path / "backup"
    outsider.server.flask("backup", str(sealed))
    assert sealed.read_bytes().startswith(b"age-encryption.org/"), "without the master key it shows not even who waits"
    copy_of = unpacked(sealed, master_key(outsider))
    found = blobs(copy_of)
    assert any(blob.startswith(b"age-encryption") for blob in found), "the thief looked in the right place"
    assert list(opened(found, master_key(outsider))) == []
    with closing(sqlite3.connect(copy_of)) as copy:
        assert copy.execute("SELECT count(*) FROM mail_slots").fetchone() == (0,), "who got a mail that day"
    assert b"backed@" not in copy_of.read_bytes()


def test_the_outbox_holds_no_name_and_forgets_what_it_sent(outsider: Outsider) -> None:
    """M2: for 71 hours each name and address lay beside its key a second time."""
    outsider.sign_and_confirm("sent@example.org", first_name="Vera", last_name="Real")
    outsider.sign("reminded@example.org", first_name="Vera", last_name="Real")
    outsider.server.mail("reminded@example.org")
    outsider.post(f"/fr/{CAMPAIGN}/mine", email="sent@example.org")
    outsider.server.mail("sent@example.org", 2)
    waiting = "SELECT payload FROM messages WHERE payload IS NOT NULL"
    found = [json.loads(each) for each in opened([row[0] for row in outsider.rows(waiting)], master_key(outsider))]
    assert found, "an address waits for the one reminder"
    assert {name for each in found for name in each} == {"to"}
    assert "sent@example.org" not in {each["to"] for each in found}


def test_equal_names_are_equal_nowhere(outsider: Outsider) -> None:
    """M3: a thief of the database saw who shares a name."""
    for number in range(3):
        assert outsider.sign(f"same{number}@example.org", first_name="Jean", last_name="Muller").status == 303
    keys = [bytes(key) for (key,) in outsider.rows("SELECT name_key FROM signers ORDER BY id DESC LIMIT 3")]
    assert len(set(keys)) == 3


def moments(value: Any) -> list[datetime]:
    """The cell as a moment, if it is one."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    return [value] if isinstance(value, datetime) else []


def test_what_stays_of_the_erased_joins_no_log(outsider: Outsider) -> None:
    """M4: microseconds, language, school and mails of the erased stayed for ever."""
    page = outsider.sign_and_confirm("leaves@example.org", CASE)
    (number,) = outsider.rows("SELECT max(id) FROM signers WHERE confirmed_at IS NOT NULL")[0]
    times = outsider.rows(f"SELECT signed_at, asked_at, confirmed_at FROM signers WHERE id = {number}")[0]
    assert {(at.second, at.microsecond) for cell in times for at in moments(cell)} == {(0, 0)}, "minutes do meanwhile"
    assert outsider.post(f"{page}/erase").status == 303
    assert outsider.rows(f"SELECT count(*) FROM messages WHERE signer_id = {number}") == [(0,)]
    signer = outsider.rows(f"SELECT * FROM signers WHERE id = {number}")[0]
    cells = [
        *signer,
        *(cell for row in outsider.rows(f"SELECT * FROM signatures WHERE signer_id = {number}") for cell in row),
    ]
    assert {at.time() for cell in cells for at in moments(cell)} == {time()}, "days only, if anything"
    assert [cell for cell in cells if isinstance(cell, (bytes, memoryview))] == []
    assert "fr" not in cells
    assert "direct" not in cells


def test_a_key_planted_in_the_database_reads_nothing(attack: Attack, outsider: Outsider) -> None:
    """M14: names were sealed to every row of `recipients`, and doctor said that all is well."""
    private, public = (lambda key: (str(key), str(key.to_public())))(pyrage.x25519.Identity.generate())
    columns = "label, public_key, created_at"
    outsider.rows(f"INSERT INTO recipients ({columns}) VALUES ('x', '{public}', '2026-01-01 00:00:00') RETURNING id")
    try:
        stale = outsider.get("/fr/").status  # whatever is kept ready is looked at again
        assert stale == 200
        for number in range(3):
            outsider.sign(f"planted{number}@example.org", first_name="Nora")
        sealed = [row[0] for row in outsider.rows("SELECT sealed FROM signers ORDER BY id DESC LIMIT 3")]
        assert list(opened(sealed, private)) == []
        found = outsider.command("doctor")
        assert found.returncode != 0
        assert public in found.stdout + found.stderr
    finally:
        outsider.rows(f"DELETE FROM recipients WHERE public_key = '{public}' RETURNING id")


def test_swapped_rows_do_not_open(outsider: Outsider, tmp_path: Path) -> None:
    """M14: payloads were bound to nothing, so rows that were swapped exported without a word."""
    for email in ("afraid@example.org", "other@example.org"):
        outsider.sign_and_confirm(email)
    first, second = (row[0] for row in outsider.rows("SELECT id FROM signers ORDER BY id DESC LIMIT 2"))
    swap(outsider, first, second)
    try:
        export, key = tmp_path / "export.jsonl", outsider.server.folder / "demo-key.txt"
        outsider.server.flask("signatures", "export", "--sealed", "--output", str(export))
        done = outsider.command(
            "signatures", "open", str(export), "--identity", str(key), "-o", str(tmp_path / "o.csv")
        )
        assert done.returncode != 0
        assert not (tmp_path / "o.csv").exists()
    finally:
        swap(outsider, first, second)


def swap(outsider: Outsider, first: int, second: int) -> None:
    """Let two signers have each other's sealed names."""
    sealed = f"CASE id WHEN {first} THEN (SELECT sealed FROM signers WHERE id = {second})"
    sealed += f" ELSE (SELECT sealed FROM signers WHERE id = {first}) END"
    outsider.rows(f"UPDATE signers SET sealed = {sealed} WHERE id IN ({first}, {second}) RETURNING id")


def test_other_accounts_read_nothing(outsider: Outsider) -> None:
    """M15: set up by hand, the database and its folder were readable by everybody on the machine."""
    assert outsider.sign("readable@example.org").status == 303
    until(lambda: outsider.server.mails("readable@example.org"))
    folder = outsider.server.folder
    ours = [
        folder,
        *(path for path in folder.rglob("*") if not path.name.startswith("server-")),
    ]  # that log is the test's
    assert [path.name for path in ours if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
