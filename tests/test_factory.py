"""The application factory: can be called repeatedly, and refuses faulty settings."""

from pathlib import Path

import pytest
from flask import Flask

from petitions.db.transactions import WRITE_QUEUE
from petitions.factory import create_app
from petitions.settings import SETTINGS
from tests.support.factories import Keys, close_app, make_app


def test_two_applications_live_in_one_process(tmp_path: Path, keys: Keys) -> None:
    apps = [make_app(f"sqlite:///{tmp_path / name}.db", tmp_path / name, keys) for name in ("one", "two")]
    one, two = apps
    assert WRITE_QUEUE.of(one) is not WRITE_QUEUE.of(two)
    for app in apps:
        answer = app.test_client().get("/admin/")
        assert answer.status_code == 303, "both have their guard, once"
        close_app(app)


def test_faulty_settings_end_the_program_with_all_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PETITIONS_BIND", "nowhere")
    monkeypatch.setenv("PETITIONS_DATABASE_URL", "mysql://x")
    with pytest.raises(SystemExit) as ended:
        create_app()
    assert "PETITIONS_BIND" in str(ended.value)
    assert "PETITIONS_DATABASE_URL" in str(ended.value)


def test_the_environment_is_what_counts_without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PETITIONS_INSTANCE", str(tmp_path))
    monkeypatch.setenv("PETITIONS_MAIL_URL", "console:")
    app = create_app()
    assert SETTINGS.of(app).instance == tmp_path
    close_app(app)


def test_the_folder_of_the_database_is_made(tmp_path: Path, keys: Keys) -> None:
    app = make_app(f"sqlite:///{tmp_path}/new/folder/a.db", tmp_path, keys)
    assert (tmp_path / "new/folder").is_dir()
    close_app(app)


def test_no_demo_page_exists_outside_the_demo(tmp_path: Path, keys: Keys) -> None:
    app = make_app(f"sqlite:///{tmp_path}/a.db", tmp_path, keys)
    assert not [rule for rule in app.url_map.iter_rules() if "demo" in rule.rule]
    close_app(app)


def test_every_command_and_room_is_there(app: Flask) -> None:
    assert {"campaign", "keys", "staff", "signatures", "tally", "setup", "worker", "doctor"} <= app.cli.commands.keys()
    assert {"pages", "signing", "confirming", "admin", "health", "api_counts"} <= app.blueprints.keys()


def test_a_body_of_more_than_32_kilobytes_is_not_read(app: Flask) -> None:
    assert app.config["MAX_CONTENT_LENGTH"] == app.config["MAX_FORM_MEMORY_SIZE"] == 32 * 1024
