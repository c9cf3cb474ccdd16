"""flask retention, campaign handed-over, backup, privacy: numbers and dates, never a name."""

import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from petitions import file_modes
from petitions.clock import Boot, stopped_at
from petitions.db.transactions import transaction
from petitions.models import Campaign, Count, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.sending import send_due
from petitions.services.keys.keyring import keyring
from petitions.services.operations import backup
from petitions.services.privacy import retention
from petitions.settings import SETTINGS, Settings
from tests.cli.conftest import Run
from tests.support.backups import unpacked
from tests.support.factories import ANN, Keys, confirm, newest, sign
from tests.support.ports import free_port

pytestmark = pytest.mark.usefixtures("cheap_backups")
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = START + timedelta(days=15)


@pytest.fixture
def signed(app: Flask, campaign: PublicCampaign) -> PublicCampaign:
    """Ann signed while the clock was trusted, and did not confirm."""
    with app.app_context(), stopped_at(START):
        retention.trust_clock()
        sign(campaign, ANN)
    return campaign


def is_sqlite(app: Flask) -> bool:
    return app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")


def test_a_dry_run_says_numbers_and_changes_nothing(app: Flask, run: Run, signed: PublicCampaign) -> None:
    with stopped_at(LATER):
        said = run("retention", "run", "--dry-run")
    assert said.exit_code == 0
    assert "water-2026: 1 signers known, to be erased by unknown: it has no end yet" in said.output
    assert "3 signatures to expire, 1 signers without a counted signature" in said.output
    with app.app_context():
        assert newest(Signer).sealed is not None


def test_a_dry_run_warns_of_news_that_nobody_exported(app: Flask, run: Run, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN)
        with transaction() as store:
            store.execute(update(Signer).values(newsletter=True))
    warning = "WARNING: 1 want news, and their addresses were never exported"
    assert warning in run("retention", "run", "--dry-run").output


def test_the_export_counts_as_the_export(
    app: Flask, run: Run, campaign: PublicCampaign, keys: Keys, tmp_path: Path
) -> None:
    test_a_dry_run_warns_of_news_that_nobody_exported(app, run, campaign)
    key = tmp_path / "key"
    key.write_text(keys.section_private)
    assert run("signatures", "export", "--identity", key, "-o", tmp_path / "out.csv").exit_code == 0
    assert "WARNING" not in run("retention", "run", "--dry-run").output


def test_a_run_erases(app: Flask, run: Run, signed: PublicCampaign) -> None:
    with stopped_at(LATER):
        said = run("retention", "run")
    assert said.output == "3 signatures expired, 1 signers erased, 0 e-mails wiped.\n"
    with app.app_context():
        assert newest(Signer).sealed is None


def test_an_untrusted_clock_is_reported_by_run_and_doctor_until_it_is_trusted(
    app: Flask, run: Run, signed: PublicCampaign
) -> None:
    with stopped_at(LATER, Boot("stopped", LATER)):
        said = run("retention", "run")
        assert said.exit_code == 1
        assert "Nothing was erased: the clock cannot be trusted (jumped)" in said.output
        assert "The clock cannot be trusted (jumped)" in run("doctor").output
        assert run("retention", "trust-clock").exit_code == 0
        assert run("retention", "run").exit_code == 0
        assert "The clock is doubted" not in run("doctor").output


def test_a_delivery_is_recorded_and_taken_back(app: Flask, run: Run, signed: PublicCampaign) -> None:
    refused = run("campaign", "handed-over", "water-2026")
    assert (refused.exit_code, refused.output) == (1, "Refused: campaign_running campaign=water-2026\n")
    with app.app_context(), transaction() as store:
        store.execute(update(Campaign).values(state="closed"))
    assert run("campaign", "handed-over", "water-2026").exit_code == 0
    with app.app_context():
        assert newest(Campaign).handed_over_at is not None
    assert run("campaign", "handed-over", "water-2026", "--undo").exit_code == 0
    with app.app_context():
        assert newest(Campaign).handed_over_at is None


def test_a_replay_says_how_many_came_back(app: Flask, run: Run, signed: PublicCampaign) -> None:
    with app.app_context():
        before = newest(Signer)._asdict()
    with stopped_at(LATER):
        run("retention", "run")
    with app.app_context(), transaction() as store:
        store.merge(Signer(**before))
    assert run("retention", "replay").output == "1 entries were undone by the backup, and are applied again.\n"


def test_a_backup_is_whole_and_new_and_closed_to_others(
    app: Flask, run: Run, signed: PublicCampaign, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    said = run("backup", copy)
    assert said.exit_code == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.rglob(".opened-backup-*")), "no plain copy stays"
    with app.app_context():
        plain = unpacked(copy, keyring().master_key)
    with sqlite3.connect(plain) as copied:
        assert copied.execute("SELECT count(*) FROM signers").fetchone() == (1,)
    copied.close()
    assert run("backup", copy).exit_code == 1, "nothing is overwritten"


def test_the_plain_copy_never_lies_beside_the_backups(
    app: Flask, run: Run, signed: PublicCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, instance = tmp_path / "elsewhere", tmp_path / "instance"
    seen: list[tuple[Path, list[int]]] = []
    there.mkdir()
    old, new = instance / ".opened-backup-old", instance / ".opened-backup-new"
    for left in (old, new):
        left.write_bytes(b"left by a process that was killed")
    os.utime(old, (0, 0))
    check = backup.check

    def look(path: Path) -> None:
        seen.append((path.parent, [each.stat().st_size for each in there.iterdir()]))
        check(path)

    monkeypatch.setattr(backup, "check", look)
    assert run("backup", there / "copy").exit_code == 0
    assert seen == [(instance, [0])]
    assert not old.exists()
    assert new.exists(), "another process may be using it"


def test_a_backup_that_cannot_be_written_says_so(
    run: Run, signed: PublicCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = run("backup", tmp_path / "nowhere" / "copy")
    assert (said.exit_code, said.output.startswith("Refused: cannot write ")) == (1, True)
    full = sqlite3.OperationalError("database or disk is full")
    monkeypatch.setattr(backup, "check", lambda _: (_ for _ in ()).throw(full))
    said = run("backup", tmp_path / "copy")
    assert said.output == "Refused: the copy could not be written: database or disk is full\n"
    assert not (tmp_path / "copy").exists()


def test_a_backup_of_wrong_counts_is_refused(app: Flask, run: Run, campaign: PublicCampaign, tmp_path: Path) -> None:
    with app.app_context():
        confirm(campaign, ANN)
        with transaction() as store:
            store.execute(update(Count).values(confirmed=Count.confirmed + 1))
    assert run("backup", tmp_path / "copy.db").output == "Refused: the counts are not the numbers of signatures\n"


@pytest.mark.parametrize(("language", "word"), [("fr", "votre"), ("en", "14 days")])
def test_the_notice_is_printed_in_a_language_of_the_campaign(
    run: Run, campaign: PublicCampaign, language: str, word: str
) -> None:
    said = run("privacy", "notice", language)
    assert said.output.startswith("# ")
    assert word in said.output
    assert "<privacy@example.org>" in said.output
    assert "{{" not in said.output


def test_the_notice_knows_no_other_language(run: Run, campaign: PublicCampaign) -> None:
    assert "water-2026 has fr, en" in run("privacy", "notice", "de").output


def test_the_assessment_leaves_only_open_points_open(app: Flask, run: Run, campaign: PublicCampaign) -> None:
    said = run("privacy", "dpia").output
    assert "$" not in said
    assert "Controller: A section, 1, Main Street, privacy@example.org" in said
    assert ("SQLite" in said) == is_sqlite(app)
    assert "OPEN POINT: no closing date is set" in said


def test_doctor_refuses_a_database_that_may_forget(
    app: Flask, run: Run, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_sqlite(app):
        monkeypatch.setattr("petitions.queries.checks.PRAGMAS", {"synchronous": 3})
        said = run("doctor")
        assert "SQLite: synchronous is 2, not 3" in said.output
    else:  # the tests' own Postgres runs with fsync and full_page_writes off
        said = run("doctor")
        assert "Postgres: fsync is off" in said.output
        assert "Postgres: full_page_writes is off" in said.output
        assert "Postgres: synchronous_commit is off" not in said.output
    assert said.exit_code == 1


def test_doctor_reports_files_that_others_can_read(app: Flask, run: Run, campaign: PublicCampaign) -> None:
    config: Settings = SETTINGS.of(app)
    config.instance.mkdir(exist_ok=True)
    file_modes.close_to_others(config)
    assert "can be read by others" not in run("doctor").output
    names = ["secret_key", "master_key", "demo-key.txt", "erasures.jsonl"]
    paths = [config.instance, *(config.instance / name for name in names)]
    paths += [config.sqlite_path] if is_sqlite(app) else []
    for path in paths:
        if path != config.instance:
            path.touch(mode=0o600)
        mode = path.stat().st_mode
        path.chmod(mode | 0o040)
        assert f"chmod go= {path}" in run("doctor").output
        path.chmod(mode)
    assert "can be read by others" not in run("doctor").output


def test_doctor_reports_mails_that_stay_and_of_a_campaign_without_end(
    app: Flask, run: Run, signed: PublicCampaign
) -> None:
    with stopped_at(START + timedelta(minutes=9)):
        said = run("doctor")
        assert "E-mails waiting: 1; the oldest since 2026-11-01 12:00 UTC" in said.stdout
        assert "water-2026 has no closing date" in said.stdout
    with stopped_at(START + timedelta(minutes=11)):
        late = run("doctor")
        assert "E-mails waiting: 1" in late.stderr
        assert late.exit_code == 1
        with app.app_context():
            send_due()
        assert "E-mails waiting" not in run("doctor").output, "a reminder waits for its day"


def test_doctor_reports_a_mail_server_that_is_away(app: Flask, run: Run, campaign: PublicCampaign) -> None:
    SETTINGS.put(app, replace(SETTINGS.of(app), mail_url=f"smtp://127.0.0.1:{free_port()}"))
    said = run("doctor")
    assert "The mail server accepts no e-mails (ConnectionRefusedError)" in said.stderr
    assert said.exit_code == 1
