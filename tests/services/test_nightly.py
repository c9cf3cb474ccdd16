"""The nightly backup: once a night, proven, in two places, gone after 30 days; doctor says what is missing."""

import dataclasses
import os
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import stopped_at
from petitions.queries.catalogue import PublicCampaign
from petitions.services.keys.keyring import keyring
from petitions.services.operations import nightly
from petitions.settings import SETTINGS
from tests.support.backups import unpacked
from tests.support.factories import ANN, confirm

pytestmark = pytest.mark.usefixtures("cheap_backups")
NOON = datetime(2026, 12, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def places(app: Flask, tmp_path: Path) -> tuple[Path, Path]:
    """Two folders, which the settings name."""
    folders = tmp_path / "backups", tmp_path / "elsewhere"
    for folder in folders:
        folder.mkdir()
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), backups=str(folders[0]), backups_copy=str(folders[1])))
    return folders


@pytest.mark.usefixtures("context")
def test_one_backup_a_night_lies_in_both_places_and_can_be_read(
    campaign: PublicCampaign, places: tuple[Path, Path], app: Flask
) -> None:
    confirm(campaign, ANN)
    with stopped_at(NOON):
        assert len(nightly.faults(SETTINGS.of(app))) == 2, "none yet, and no copy"
        assert nightly.backup_due()
        assert not nightly.backup_due(), "once a night"
        assert nightly.faults(SETTINGS.of(app)) == []
    [first], [second] = (list(place.iterdir()) for place in places)
    assert first.read_bytes() == second.read_bytes()
    assert {path.stat().st_mode & 0o777 for path in (first, second)} == {0o600}
    assert second.name.endswith(".db.gz.age")
    plain = unpacked(second, keyring().master_key)
    with sqlite3.connect(plain) as copy:
        assert copy.execute("SELECT count(*) FROM signers").fetchone() == (1,)
    copy.close()
    with stopped_at(NOON + DAY - timedelta(hours=11)):
        assert not nightly.backup_due(), "before two in the morning"
    with stopped_at(NOON + DAY):
        assert nightly.backup_due()
    with stopped_at(NOON + 4 * DAY):
        assert len(nightly.faults(SETTINGS.of(app))) == 2, "both are late"


@pytest.mark.usefixtures("context", "campaign")
def test_old_backups_are_removed_in_both_places(places: tuple[Path, Path]) -> None:
    for place in places:
        for name, days in (
            ("petitions-old.db", 31),
            ("petitions-old.db.gz.age", 31),
            ("petitions-new.db", 29),
            ("mine.txt", 99),
        ):
            (place / name).touch()
            os.utime(place / name, (time.time(), (NOON - days * DAY).timestamp()))
    with stopped_at(NOON):
        assert nightly.backup_due()
    for place in places:
        assert {path.name for path in place.iterdir()} >= {"petitions-new.db", "mine.txt"}
        assert not [*place.glob("petitions-old*")]


@pytest.mark.usefixtures("context", "campaign")
def test_what_fails_is_said_and_tried_again(places: tuple[Path, Path], app: Flask) -> None:
    shutil.rmtree(places[1])
    with stopped_at(NOON):
        assert not nightly.backup_due()
        assert ["copy" in fault for fault in nightly.faults(SETTINGS.of(app))] == [True]
        places[1].mkdir()
    with stopped_at(NOON + timedelta(hours=1)):
        assert nightly.backup_due()
        assert nightly.faults(SETTINGS.of(app)) == []


@pytest.mark.usefixtures("context", "campaign")
def test_a_command_may_take_the_copy_away(places: tuple[Path, Path], app: Flask) -> None:
    there = places[1] / "taken"
    for command, works in ((f"cp {{}} {there}", True), ("false {}", False)):
        SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), backups_copy=command))
        with stopped_at(NOON + (timedelta(0) if works else DAY)):
            assert nightly.backup_due() is works
    assert there.stat().st_size > 0


@pytest.mark.usefixtures("context")
def test_doctor_asks_for_both_places_but_not_in_a_demo(app: Flask) -> None:
    config = SETTINGS.of(app)
    assert nightly.faults(config) == ["No backups are made: set PETITIONS_BACKUPS to a folder"]
    said = nightly.faults(dataclasses.replace(config, backups="/somewhere"))
    assert any("on this machine only" in fault for fault in said)
    assert nightly.faults(dataclasses.replace(config, demo=True)) == []
