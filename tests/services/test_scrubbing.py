"""Scrubbing: erased bytes leave Postgres once a day; tests/reliability/test_leaks.py searches the files."""

from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import text

from petitions import clock
from petitions.clock import UTC
from petitions.db.base import db
from petitions.queries.checks import checkup
from petitions.services.keys.keyring import settings
from petitions.services.privacy import scrubbing

NIGHT = datetime(2026, 12, 10, scrubbing.HOUR, 10, tzinfo=UTC)


def is_postgres() -> bool:
    return db.engine.dialect.name == "postgresql"


def test_postgres_is_scrubbed_once_a_day_after_its_hour_and_sqlite_never(app: Flask) -> None:
    with app.app_context():
        done = []
        for moment in (NIGHT, NIGHT + timedelta(hours=20), NIGHT + timedelta(hours=23), NIGHT + timedelta(days=1)):
            with clock.stopped_at(moment):
                done.append(scrubbing.scrub_due())
        assert done == ([True, False, False, True] if is_postgres() else [False] * 4)


def test_a_table_in_use_puts_it_off_to_the_next_hour_and_doctor_reports_it_after_two_days(app: Flask) -> None:
    with app.app_context():
        if not is_postgres():
            assert not scrubbing.scrub_due()
            return
        with clock.stopped_at(NIGHT):
            assert scrubbing.scrub_due()
        later = NIGHT + timedelta(days=3)
        with db.engine.connect() as connection:
            connection.execute(text("LOCK TABLE signers IN ROW EXCLUSIVE MODE"))  # as a signer does
            with clock.stopped_at(later):
                assert not scrubbing.scrub_due()
                assert any("not scrubbed since 2026-12-10" in fault for fault in checkup(settings()).faults)
        with clock.stopped_at(later + timedelta(hours=1)):
            assert scrubbing.scrub_due()
            assert not any("scrubbed" in fault for fault in checkup(settings()).faults)


def test_values_of_signers_are_not_copied_into_the_statistics(app: Flask) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        return
    with app.app_context(), db.engine.connect() as connection:
        sampled = connection.scalars(
            text(
                "SELECT attname FROM pg_attribute WHERE attrelid IN ('signers'::regclass, 'messages'::regclass) "
                "AND attnum > 0 AND NOT attisdropped AND atttypid = 'bytea'::regtype "
                "AND attstattarget IS DISTINCT FROM 0"
            )
        ).all()
        assert sampled == []
