"""M9 and lost keys: an acknowledgement means a record, and lost keys and damaged files are reported."""

import shutil
from pathlib import Path

import pyrage
import pytest

from tests.attacks.outsider import FORM, Outsider, hidden_field
from tests.support.server import Server
from tests.support.warm import command

LOST = ("secret_key", "master_key", "campaign-keys/write-for-rights-2024", "erasures.jsonl")


def stored(outsider: Outsider) -> int:
    return int(outsider.rows("SELECT count(*) FROM signers")[0][0])


def test_every_acknowledgement_has_a_record_whatever_fills_in_the_form(outsider: Outsider) -> None:
    """M9: a filled honeypot, or 5 ms of filling, were acknowledged and not recorded."""
    trap = hidden_field(outsider.get(FORM).body)
    assert trap not in ("website", "url", "homepage", "company"), "password managers fill those in"
    before = stored(outsider)
    for number, extra in enumerate(({trap: "https://example.org"}, {"elapsed": "5"}, {trap: "x", "elapsed": "0"}, {})):
        reply = outsider.sign(f"manager{number}@example.org", **extra)
        is_stored = stored(outsider) > before
        assert (reply.status == 303) == is_stored, extra
        assert is_stored or 'name="proof"' in reply.body, "who is not thanked is asked for a proof"
        assert is_stored or f"manager{number}@example.org" in reply.body, "and need not type again"
    assert stored(outsider) == before + 1


@pytest.fixture(scope="module")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A small installation with a signature and a withdrawal, stopped: something to lose."""
    server = Server(tmp_path_factory.mktemp("no_loss") / "instance", PETITIONS_WORKERS="1")
    server.folder.mkdir(mode=0o700)
    server.flask("setup")
    outsider = Outsider(server.start(), f"sqlite:///{server.folder / 'petitions.db'}")
    outsider.post(f"{outsider.sign_and_confirm('ann@example.org')}/erase")
    outsider.sign_and_confirm("bob@example.org")
    server.stop()
    return server


def copied(spare: Server, folder: Path) -> dict[str, str]:
    """The environment of a copy of it."""
    shutil.copytree(spare.folder, folder)
    return {**spare.env, "PETITIONS_INSTANCE": str(folder)}


def test_a_lost_key_is_named_and_never_replaced(spare: Server, tmp_path: Path) -> None:
    """Lost keys: setup made a new one without a word, signing answered 500, and doctor said that all is well."""
    for number, name in enumerate(LOST):
        env = copied(spare, tmp_path / str(number))
        (tmp_path / str(number) / name).unlink()
        for words in (["setup"], ["doctor"]) if number % 2 else (["doctor"],):
            done = command(env, *words)
            assert done.returncode != 0, (name, words)
            assert Path(name).name in done.stderr + done.stdout, "it says which"
            assert "Traceback" not in done.stderr
            assert not (tmp_path / str(number) / name).exists(), "and makes no new one"


def test_the_server_does_not_start_without_its_key_or_with_another(spare: Server, tmp_path: Path) -> None:
    """Lost keys: the server ran, and answered 500 to signers."""
    for key in ("", str(pyrage.x25519.Identity.generate())):
        folder = tmp_path / f"copy{len(key)}"
        copied(spare, folder)
        (folder / "master_key").write_text(key)
        server = Server(folder, PETITIONS_WORKERS="1")
        try:
            with pytest.raises(AssertionError):
                server.start()
        finally:
            server.stop()
        assert str(folder / "master_key") in server.log
        assert "Traceback" not in server.log


def test_a_damaged_database_is_one_sentence_and_a_status(spare: Server, tmp_path: Path) -> None:
    """Damage: doctor and setup ended in a traceback."""
    env = copied(spare, tmp_path / "copy")
    file = tmp_path / "copy" / "petitions.db"
    raw = bytearray(file.read_bytes())
    raw[4096 : len(raw) // 2] = b"\xff" * (len(raw) // 2 - 4096)
    file.write_bytes(raw)
    done = command(env, "doctor")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr + done.stdout
    assert "damaged" in done.stderr + done.stdout
