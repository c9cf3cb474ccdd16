"""The test setup: isolated from other machines and the environment, on real databases."""

import os
import socket
import warnings

import pytest
from flask import Flask
from sqlalchemy import text

from petitions.db.base import db
from tests.support.postgres import Postgres


@pytest.mark.parametrize("address", [("192.0.2.1", 25), ("2001:db8::1", 443)])
def test_no_test_can_talk_to_another_machine(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as stranger, pytest.raises(AssertionError, match="wanted to talk"):
        stranger.connect(address)


def test_a_warning_is_an_error() -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_the_environment_says_nothing() -> None:
    assert not [name for name in os.environ if name.startswith("PETITIONS_") or name == "PORT"]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_postgres_is_a_real_one_that_is_new_enough(context: Flask) -> None:
    with db.engine.connect() as connection:
        assert int(connection.scalar(text("SHOW server_version_num")) or 0) >= 150_000
        assert connection.scalar(text("SELECT current_user")) == "app"


def test_postgres_can_be_stopped_killed_and_started_again_without_loss() -> None:
    server = Postgres().start("fsync=off")
    try:
        server.execute("CREATE TABLE kept (number integer)")
        for number, end in enumerate((server.stop, server.kill9)):
            server.execute(f"INSERT INTO kept VALUES ({number})")
            end()
            server.start("fsync=off")
        server.execute("DO $$ BEGIN ASSERT (SELECT count(*) FROM kept) = 2; END $$")
    finally:
        server.close()
    assert not server._folder.exists()  # noqa: SLF001 - the folder must be gone
