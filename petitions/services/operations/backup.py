"""Backup: a consistent, checked copy of the database, made while the server runs."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from petitions.db.base import db
from petitions.errors import BackupFaulty

# Cases whose count differs from their signatures; a copy with any is not trusted
_MISCOUNTED = """SELECT count(*) FROM (SELECT case_id, sum(confirmed) AS said FROM counts GROUP BY case_id) AS c
    WHERE said <> (SELECT count(*) FROM signatures AS s WHERE s.case_id = c.case_id AND s.state = 'confirmed')"""


# Short-lived data that no copy may keep: addresses of queued e-mails, keyed hashes of networks and of mailboxes (which
# the secret key could test even after the campaign's key is destroyed), staff sessions
_OMIT_SQL = """PRAGMA secure_delete = ON;
    DELETE FROM messages; DELETE FROM mail_slots; DELETE FROM limits; DELETE FROM staff_sessions;"""


def copy_database(path: Path) -> None:
    """Copy the SQLite database to the new file `path`, and check the copy; raises BackupFaulty."""
    if db.engine.dialect.name != "sqlite":
        raise BackupFaulty(reason="use pg_dump")
    if path.exists():
        raise BackupFaulty(reason="the file exists")
    path.touch(mode=0o600)
    with db.engine.connect() as connection, closing(sqlite3.connect(path)) as copy:
        driver: Any = connection.connection.driver_connection  # the sqlite3 connection, which has backup()
        driver.backup(copy)
        copy.executescript(_OMIT_SQL)
        if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupFaulty(reason="integrity")
        if copy.execute(_MISCOUNTED).fetchone() != (0,):
            raise BackupFaulty(reason="counts")
