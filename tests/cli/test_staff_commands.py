"""flask staff, journal, pass, tally, doctor: the daily commands."""

import dataclasses
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from petitions.cli.checking import settings_table
from petitions.db.base import db
from petitions.db.transactions import transaction
from petitions.errors import LoginRefused
from petitions.models import Account, Recipient, Tally
from petitions.queries import counts
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign
from petitions.services.operations import nightly
from petitions.services.staff import accounts
from petitions.settings import SETTINGS
from tests.cli.conftest import Run
from tests.support.factories import CARLA, Keys, close_app, make_app, rows

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_staff_create_asks_for_the_password_twice_and_lets_carla_in(app: Flask, run: Run) -> None:
    result = run("staff", "create", "Carla", input=f"{CARLA.password}\n{CARLA.password}\n")
    assert result.exit_code == 0
    assert "Carla can now log in at /admin/." in result.output
    assert CARLA.password not in result.output
    with app.app_context():
        assert accounts.login_of(accounts.log_in("carla", CARLA.password, "192.0.2.7")) is not None


def test_the_journal_is_listed_and_verified_and_a_change_ends_with_status_1(app: Flask, run: Run) -> None:
    assert run("staff", "create", "Carla", "--password", CARLA.password).exit_code == 0
    listed = run("journal", "list", "--most", "1").output
    assert "command: account created" in listed
    assert listed.count("\n") == 1
    result = run("journal", "verify")
    assert (result.exit_code, "Unchanged rows: " in result.output) == (0, True)
    with app.app_context(), db.engine.execution_options(writes=True).begin() as connection:
        if db.engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE journal DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER journal_UPDATE"))
        connection.execute(text("UPDATE journal SET actor = 'nobody' WHERE act = 'account created'"))
    result = run("journal", "verify")
    assert (result.exit_code, "was changed, or one before it is missing" in result.stderr) == (1, True)


@on_sqlite
def test_staff_create_refuses_a_short_password_and_a_name_that_is_there(app: Flask, run: Run) -> None:
    result = run("staff", "create", "carla", "--password", "short")
    assert (result.exit_code, result.stderr) == (1, "Refused: password_too_short shortest=12\n")
    assert run("staff", "create", "carla", "--password", CARLA.password).exit_code == 0
    result = run("staff", "create", "CARLA", "--password", "another long password")
    assert (result.exit_code, result.stderr) == (1, "Refused: account_exists\n")
    with app.app_context():
        assert len(rows(Account)) == 1


def test_staff_commands_change_passwords_and_shut_accounts_out(app: Flask, run: Run) -> None:
    def comes_in(password: str) -> bool:
        with app.app_context(), suppress(LoginRefused):
            return accounts.login_of(accounts.log_in("carla", password, "192.0.2.7")) is not None
        return False

    assert run("staff", "create", "Carla", "--password", CARLA.password).exit_code == 0
    assert comes_in(CARLA.password)
    assert run("staff", "list").output.startswith("carla: owner, enabled, no second factor, sessions: 1, since 20")
    assert run("staff", "end-sessions", "carla").output == "carla is logged out everywhere.\n"
    assert run("staff", "list").output.startswith("carla: owner, enabled, no second factor, sessions: 0")
    new = "another long password"
    assert run("staff", "password", "carla", input=f"{new}\n{new}\n").exit_code == 0
    assert [comes_in(CARLA.password), comes_in(new)] == [False, True]
    assert run("staff", "disable", "carla").exit_code == 0
    assert not comes_in(new)
    assert run("staff", "list").output.startswith("carla: owner, disabled 20")
    assert run("staff", "enable", "carla").exit_code == 0
    assert comes_in(new)
    for act in ("disable", "enable", "end-sessions"):
        result = run("staff", act, "eve")
        assert (result.exit_code, result.stderr) == (1, "Refused: not_found account=eve\n")


def test_tally_record_counts_paper_and_takes_it_back(app: Flask, run: Run, campaign: PublicCampaign) -> None:
    result = run("tally", "record", "river", "paper", 40, "--note", "market in Esch")
    assert (result.exit_code, result.output) == (0, "river: +40 paper.\n")
    assert run("tally", "record", "river", "letters", 3).output == "river: +3 letters.\n"
    assert run("tally", "record", "river", "paper", "-15").output == "river: -15 paper.\n"
    with app.app_context():
        river = counts.of_campaign(campaign.id).of(campaign.case("river").id)
        assert (river.paper, river.letters) == (25, 3)
        assert rows(Tally)[0].note == "market in Esch"


@on_sqlite
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("river", "paper", "0"), 1, "The number must not be 0"),
        (("sea", "paper", "1"), 1, "Refused: not_found case=sea"),
        (("river", "cards", "1"), 2, "'cards' is not one of 'paper', 'letters'"),
        (("river", "paper", "many"), 2, "'many' is not a valid integer"),
        (("river", "paper"), 2, "Missing argument"),
        (("river", "paper", "1", "--nte", "x"), 2, "unexpected extra argument"),
    ],
)
def test_tally_record_says_what_it_does_not_understand(
    app: Flask, run: Run, campaign: PublicCampaign, words: tuple[str, ...], code: int, said: str
) -> None:
    result = run("tally", "record", *words)
    assert result.exit_code == code
    assert said in result.stderr
    with app.app_context():
        assert rows(Tally) == []


@pytest.fixture
def backed_up(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap_backups: None) -> None:
    """Tonight's backup is made, and copied."""
    monkeypatch.setattr(nightly, "HOUR", 0)
    for name in ("backups", "copies"):
        (tmp_path / name).mkdir()
    places = {"backups": str(tmp_path / "backups"), "backups_copy": str(tmp_path / "copies")}
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), **places))
    with app.app_context():
        assert nightly.backup_due()


@pytest.mark.usefixtures("backed_up")
def test_doctor_is_content_with_a_key_and_a_campaign(
    run: Run, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("petitions.queries.checks.POSTGRES", ("synchronous_commit",))  # the tests' own has no fsync
    result = run("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("No problems found.\n")


@on_sqlite
@pytest.mark.usefixtures("backed_up")
def test_doctor_names_what_is_missing_and_how_to_bring_it(app: Flask, run: Run) -> None:
    result = run("doctor")
    assert result.exit_code == 1
    assert result.stderr == "There is no public campaign: run flask campaign import PATH\n"
    with app.app_context():
        with transaction() as store:
            store.execute(Recipient.__table__.delete())
        CATALOGUE_CACHE.of(app).forget()
    result = run("doctor")
    assert result.exit_code == 1
    assert result.stdout.endswith("Problems found: 2.\n")
    assert "No public key is set up: run flask keys create PATH" in result.stderr


def test_doctor_on_a_database_without_tables_sends_to_setup(tmp_path: Path, keys: Keys) -> None:
    app = make_app(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path, keys)
    result = app.test_cli_runner().invoke(args=["doctor"])
    close_app(app)
    assert (result.exit_code, result.stderr) == (1, "The database is not up to date: run flask setup\n")


@on_sqlite
def test_doctor_lists_the_settings_for_the_readme(run: Run) -> None:
    result = run("doctor", "--settings")
    assert (result.exit_code, result.output) == (0, settings_table() + "\n")


@on_sqlite
@pytest.mark.parametrize("words", [(), ("campaign",), ("keys",), ("staff",), ("signatures",), ("tally",)])
def test_every_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    commands = [line for line in result.output.partition("Commands:")[2].splitlines() if line.strip()]
    assert commands
    assert all(len(line.split()) > 2 for line in commands if not line.startswith("    ")), commands


def test_a_role_and_a_lost_phone_are_settled_on_the_server(run: Run) -> None:
    assert run("staff", "create", "anna", "--password", CARLA.password).exit_code == 0
    assert run("staff", "role", "anna", "viewer").output == "Refused: last_owner\n"
    assert run("staff", "create", "ben", "--role", "counter", "--password", CARLA.password).exit_code == 0
    assert run("staff", "role", "ben", "owner").output == "ben is now owner.\n"
    assert run("staff", "role", "anna", "viewer").output == "anna is now viewer.\n"
    assert "ben can log in with the password alone" in run("staff", "remove-factor", "ben").output
    assert "second factor removed" in run("journal", "list").output
    assert "not_found" in run("staff", "remove-factor", "nobody").output
