"""A machine that cannot store or send is reported in a sentence; the check leaves no trace."""

import errno
import os
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import DDL

from petitions.db.transactions import transaction
from petitions.models import Check
from petitions.services.operations import machine_checks
from petitions.settings import SETTINGS, Settings
from tests.support.factories import rows
from tests.support.ports import free_port
from tests.support.smtp import mail_server

pytestmark = pytest.mark.usefixtures("context")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def config(context: Flask) -> Settings:
    """The settings of an installation that `flask setup` made ready."""
    found: Settings = SETTINGS.of(context)
    found.instance.mkdir(exist_ok=True)
    return found


def files(config: Settings) -> list[Path]:
    return sorted(config.instance.iterdir())


def test_a_sound_machine_has_no_faults_and_nothing_is_left_behind(config: Settings) -> None:
    before = files(config), len(rows(Check))
    assert machine_checks.faults(config) == []
    assert (files(config), len(rows(Check))) == before


def test_a_disk_that_is_nearly_full_is_reported_before_it_is_full(
    config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(20 * 2**30, 20 * 2**30, 199 * 2**20))
    assert f"The disk is nearly full: 199 MB are free for {config.instance}" in machine_checks.faults(config)


def test_a_full_disk_and_a_missing_folder_are_reported(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert f"Nothing can be written to {config.instance}: No space left on device" in machine_checks.faults(config)
    assert list(config.instance.glob(".doctor-*")) == []
    gone = replace(config, instance=config.instance / "gone")
    assert f"Nothing can be written to {gone.instance}: No such file or directory" in machine_checks.faults(gone)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_takes_no_writes_is_reported(config: Settings) -> None:
    full = "CREATE TRIGGER full BEFORE INSERT ON checks BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    with transaction() as store:
        store.execute(DDL(full))
    assert machine_checks.faults(config) == ["The database accepts no writes: disk is full"]


def test_a_mail_server_is_connected_to_and_logged_in_to(config: Settings) -> None:
    with mail_server() as server:
        assert machine_checks.faults(replace(config, mail_url=server.url)) == []
        assert server.mails == []
    away = replace(config, mail_url=f"smtp://127.0.0.1:{free_port()}")
    said = "The mail server accepts no e-mails ({}): see PETITIONS_MAIL_URL"
    assert machine_checks.faults(away) == [said.format("ConnectionRefusedError")]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_refused_password_is_reported_and_not_repeated(config: Settings) -> None:
    with mail_server(asks_login=True) as server:
        wrong = server.url.replace("//", "//someone:nonsense@")
        found = machine_checks.faults(replace(config, mail_url=wrong))
    assert found == ["The mail server accepts no e-mails (SMTPAuthenticationError): see PETITIONS_MAIL_URL"]
