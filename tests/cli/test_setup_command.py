"""flask setup: from an empty folder to a server that can start; a second run changes nothing."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from petitions.cli.setup import DEMO_CAMPAIGN
from petitions.content.reading import read
from petitions.domain import sealing
from petitions.factory import create_app
from petitions.migrations.upgrade import differences
from petitions.queries.catalogue import catalogue
from petitions.settings import Settings
from tests.support.factories import close_app, dump, load_campaign, make_entry, sign, write_campaign
from tests.support.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield ""
        return
    server: Postgres = request.getfixturevalue("postgres")
    address = server.empty_url()
    yield address
    server.drop(address)


def installation(folder: Path, url: str, **over: str) -> Flask:
    """The application as `flask` would find it, in a folder that may be empty."""
    environ = {"PETITIONS_INSTANCE": str(folder / "instance"), "PETITIONS_DATABASE_URL": url, **over}
    return create_app(Settings.from_env(environ))


def set_up(folder: Path, url: str = "", **over: str) -> str:
    """Run the command; gives what it said."""
    app = installation(folder, url, **over)
    result = app.test_cli_runner().invoke(args=["setup"])
    close_app(app)
    assert result.exception is None, result.exception
    return str(result.stdout)


def test_a_real_installation_gets_secrets_and_tables_and_nothing_else(tmp_path: Path, url: str) -> None:
    assert set_up(tmp_path, url) == ""
    files = {path.name for path in (tmp_path / "instance").iterdir()} - {"petitions.db", "petitions.db.lock"}
    assert files == {"secret_key", "master_key"}
    app = installation(tmp_path, url)
    with app.app_context():
        assert differences() == []
        assert catalogue().campaigns == ()
        assert catalogue().public_keys == ()
    close_app(app)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_secrets_are_strong_and_for_their_owner_only(tmp_path: Path, url: str) -> None:
    set_up(tmp_path, url)
    for name in ("secret_key", "master_key"):
        assert stat.S_IMODE((tmp_path / "instance" / name).stat().st_mode) == 0o600
    assert len((tmp_path / "instance" / "secret_key").read_text().strip()) == 64
    assert sealing.public_of((tmp_path / "instance" / "master_key").read_text().strip()).startswith("age1")
    settings = Settings.from_env({"PETITIONS_INSTANCE": str(tmp_path / "instance"), "PETITIONS_MAIL_URL": "smtp://h"})
    assert settings.faults_of_server() == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_nobody_else_reads_what_was_made_whatever_the_umask_was(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "instance"
    elsewhere = tmp_path / "elsewhere" / "my.db"

    def opened() -> list[str]:
        made = [folder, *folder.iterdir(), *elsewhere.parent.iterdir()]
        return [path.name for path in made if path.stat().st_mode & 0o077]

    old = os.umask(0o022)
    try:
        set_up(tmp_path, url, PETITIONS_DEMO="1")
        set_up(tmp_path, f"sqlite:///{elsewhere}")
        assert opened() == []
        folder.chmod(0o755)
        for path in (*folder.iterdir(), elsewhere):
            path.chmod(0o644)
        set_up(tmp_path, f"sqlite:///{elsewhere}")
        assert opened() == [], "an installation of an earlier time"
    finally:
        os.umask(old)


def test_a_second_time_nothing_changes(tmp_path: Path, url: str) -> None:
    set_up(tmp_path, url, PETITIONS_DEMO="1")
    before = _everything(tmp_path, url)
    said = set_up(tmp_path, url, PETITIONS_DEMO="1")
    assert said.startswith("Demo mode: open http://127.0.0.1:8000/")
    assert _everything(tmp_path, url) == before


def _everything(folder: Path, url: str) -> object:
    app = installation(folder, url)
    with app.app_context():
        rows = dump()
    close_app(app)
    files = {
        p.name: p.read_text()
        for p in (folder / "instance").iterdir()
        if p.is_file() and p.suffix not in (".db", ".lock")
    }
    files |= {p.name: p.read_bytes() for p in (folder / "instance" / "campaign-keys").iterdir()}
    return rows, files


def test_the_demo_can_be_signed_and_its_names_opened_at_once(tmp_path: Path, url: str) -> None:
    said = set_up(tmp_path, url, PETITIONS_DEMO="1", PORT="9000")
    assert said.splitlines() == [
        f"Created a demo key, to which names are encrypted: {tmp_path}/instance/demo-key.txt",
        "Imported the demo campaign.",
        "Demo mode: open http://127.0.0.1:9000/ - all e-mails are shown at http://127.0.0.1:9000/demo/mailbox/",
    ]
    key = tmp_path / "instance" / "demo-key.txt"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    app = installation(tmp_path, url, PETITIONS_DEMO="1")
    with app.app_context():
        campaign = catalogue().current
        assert len(campaign.open_cases) == 9
        assert catalogue().public_keys == (sealing.public_of(key.read_text().strip()),)
        sign(campaign)
        assert make_entry(campaign).campaign.slug == "write-for-rights-2024"
    close_app(app)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_demo_campaign_comes_only_into_an_empty_database(tmp_path: Path, url: str) -> None:
    set_up(tmp_path, url)
    app = installation(tmp_path, url)
    load_campaign(app, write_campaign(tmp_path / "mine", state='"closed"'))  # without a key, none opens
    close_app(app)
    assert "Imported the demo campaign." not in set_up(tmp_path, url, PETITIONS_DEMO="1")
    app = installation(tmp_path, url)
    with app.app_context():
        assert [campaign.slug for campaign in catalogue().campaigns] == ["water-2026"]
    close_app(app)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_secrets_that_the_environment_brings_are_not_written_down(tmp_path: Path, url: str) -> None:
    private, _ = sealing.new_identity()
    set_up(tmp_path, url, PETITIONS_SECRET_KEY="from outside", PETITIONS_MASTER_KEY=private)
    assert not {path.name for path in (tmp_path / "instance").iterdir()} & {"secret_key", "master_key"}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_the_demo_was_imported_with_is_our_own_folder(tmp_path: Path, url: str) -> None:
    set_up(tmp_path, url, PETITIONS_DEMO="1")
    app = installation(tmp_path, url)
    result = app.test_cli_runner().invoke(args=["campaign", "export", "write-for-rights-2024", str(tmp_path / "out")])
    close_app(app)
    assert result.exit_code == 0
    assert read(tmp_path / "out") == read(DEMO_CAMPAIGN)
