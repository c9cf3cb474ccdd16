"""flask doctor --json, and flask upgrade from the database of an old version in one step."""

import dataclasses
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.db.base import db
from petitions.migrations.upgrade import is_current
from petitions.services.operations import snapshots
from petitions.settings import SETTINGS, version
from tests.cli.conftest import Run
from tests.migrations.test_migrations import load_old
from tests.support.factories import Keys, close_app, make_app
from tests.support.postgres import Postgres, programs

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(params=["sqlite", "postgres"])
def app(request: pytest.FixtureRequest, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """An installation whose database is that of the first version."""
    server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    url = server.empty_url() if server else f"sqlite:///{tmp_path / 'petitions.db'}"
    app = make_app(url, tmp_path, keys)
    with app.app_context():
        load_old()
        with db.engine.execution_options(writes=True).begin() as connection:
            connection.exec_driver_sql("UPDATE campaigns SET state = 'draft'")  # its texts are only samples
        db.engine.dispose()
    yield app
    close_app(app)
    if server:
        server.drop(url)


def test_doctor_says_the_same_to_programs(run: Run) -> None:
    said = run("doctor", "--json")
    assert said.exit_code == 1
    assert json.loads(said.stdout) == {"faults": ["The database is not up to date: run flask upgrade"], "notes": []}


def test_upgrade_copies_changes_and_checks_and_says_how_to_go_back(
    app: Flask, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: str(programs() / name))
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), backups=str(tmp_path / "backups")))
    said = run("upgrade")
    with app.app_context():
        assert is_current(), said.output
    [copy] = tmp_path.rglob("before-upgrade-*")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent == SETTINGS.of(app).instance, "not beside the backups, which show less"
    assert f"Copied the database as it was to {copy}" in said.output
    assert f"fits version {version()}" in said.output
    assert "To go back: stop the server" in said.output
    if copy.suffix == ".db":
        with closing(sqlite3.connect(copy)) as old:
            assert old.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
            assert old.execute("SELECT count(*) FROM signatures").fetchone()[0] > 0
            assert old.execute("SELECT count(*) FROM limits").fetchone() == (0,), "keyed hashes that no copy may keep"
    else:
        assert copy.read_bytes().startswith(b"PGDMP")
    assert "fits version" in run("upgrade").output
    assert len(list(tmp_path.rglob("before-upgrade-*"))) == 1, "nothing to do the second time"
    with app.app_context(), stopped_at(now() + timedelta(days=31)):
        snapshots.forget_old()
    assert not copy.exists()


def test_upgrade_changes_nothing_when_the_copy_fails(
    app: Flask, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(snapshots, "_copy_file", full)
    monkeypatch.setattr(snapshots, "_dump", full)
    said = run("upgrade")
    assert said.exit_code == 1
    assert said.stderr.startswith("Refused: ")
    assert list(tmp_path.rglob("before-upgrade-*")) == []
    with app.app_context():
        assert not is_current()
