"""Backup: one file with a consistent, checked copy of everything, made while the server runs.

In its envelope (see envelopes) is an SQLite database, whatever the server uses, so that either can be restored from it.
Beside the tables it holds one encrypted blob, which only both secrets together decrypt: the queued e-mails, the orders
for kits, the campaigns' keys, the list of recipient keys, and the ledger.
"""

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, select

from petitions import clock
from petitions.db.base import Base, db
from petitions.db.copying import copy_rows
from petitions.db.engine import prepare
from petitions.db.transactions import reading
from petitions.domain import sealing
from petitions.errors import BackupFaulty
from petitions.migrations.upgrade import one_file, stamp_new
from petitions.models import KitOrder, Message
from petitions.services import ledger
from petitions.services.keys.keyring import keyring, settings
from petitions.services.operations import envelopes

# Cases whose count differs from their signatures; a copy with any is not trusted
_MISCOUNTED = """SELECT count(*) FROM (SELECT case_id, sum(confirmed) AS said FROM counts GROUP BY case_id) AS c
    WHERE said <> (SELECT count(*) FROM signatures AS s WHERE s.case_id = c.case_id AND s.state = 'confirmed')"""
# Short-lived data that no copy may keep: keyed hashes of networks and of mailboxes (which the secret key could test
# even after the campaign's key is destroyed), staff sessions. What the master key alone opens is in the encrypted part.
ADDRESSED = (Message, KitOrder)
LEFT_OUT = frozenset({*(model.__tablename__ for model in ADDRESSED), "mail_slots", "limits", "staff_sessions"})
PART = "backup_part"
FILES = ("recipients.txt",)


def copy_database(path: Path) -> None:
    """Write everything into the new file `path`, and check it; raises BackupFaulty, and then leaves no file."""
    if path.exists():
        raise BackupFaulty(reason=f"{path} exists already")
    try:
        path.touch(mode=0o600)
    except OSError as exc:
        raise BackupFaulty(reason=f"cannot write {path}: {exc.strerror}") from exc
    try:
        with envelopes.scratch_file() as plain:
            _write(plain)
            check(plain)
            envelopes.put_in(plain, path)
    except BaseException as exc:
        path.unlink(missing_ok=True)
        if isinstance(exc, OSError | sqlite3.Error):
            raise BackupFaulty(reason=f"the copy could not be written: {exc}") from exc
        raise


def _write(plain: Path) -> None:
    """Copy everything into the empty file `plain`, with the encrypted part."""
    with reading() as connection:
        part = _part() | {
            model.__tablename__: [_plain(row) for row in connection.execute(select(model)).mappings()]
            for model in ADDRESSED
        }
        if connection.dialect.name == "sqlite":
            _copy_file(connection, plain)
        else:
            _copy_rows(connection, plain)
    with closing(sqlite3.connect(plain)) as copy, copy:
        part["digest"] = digest(copy)
        sealed = sealing.protect(json.dumps(part), secret_words())
        copy.execute(f"CREATE TABLE {PART} (sealed TEXT)")
        copy.execute(f"INSERT INTO {PART} VALUES (?)", (sealed,))  # noqa: S608 - a constant


def check(path: Path) -> None:
    """Raise BackupFaulty unless the database `path` is whole, and its counts are those of its signatures."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupFaulty(reason="the copy is damaged")
            if copy.execute(_MISCOUNTED).fetchone() != (0,):
                raise BackupFaulty(reason="the counts are not the numbers of signatures")
    except sqlite3.DatabaseError as exc:
        raise BackupFaulty(reason=f"{path} is not a backup") from exc


def digest(copy: sqlite3.Connection) -> str:
    """A hash of all rows of all tables, except the encrypted part."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    found = hashlib.sha256()
    for (table,) in copy.execute(tables).fetchall():
        if table != PART:
            found.update(f"{table}\n".encode())
            for row in copy.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own tables
                found.update(repr(row).encode())
    return found.hexdigest()


def secret_words() -> str:
    """What decrypts the encrypted part: both secrets, so that neither of them alone does."""
    ring = keyring()
    return f"{ring.secret_key} {ring.master_key}"


@contextmanager
def database_at(path: Path) -> Iterator[Connection]:
    """A connection to the SQLite file `path`, in a writing transaction."""
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    prepare(engine)
    try:
        with engine.connect().execution_options(writes=True) as connection:
            one_file(connection)
            with connection.begin():
                yield connection
    finally:
        engine.dispose()


def _copy_file(connection: Connection, path: Path) -> None:
    driver: Any = connection.connection.driver_connection  # the sqlite3 connection, which has backup()
    with closing(sqlite3.connect(path)) as copy:
        driver.backup(copy)
        omit = "".join(f"DELETE FROM {table};" for table in LEFT_OUT)  # noqa: S608 - constants
        copy.executescript(f"PRAGMA secure_delete = ON; {omit} VACUUM; PRAGMA journal_mode = DELETE;")


def _copy_rows(source: Connection, path: Path) -> None:
    with database_at(path) as target:
        Base.metadata.create_all(target)
        stamp_new(target)
        target.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        copy_rows(source, target, LEFT_OUT)


def _part() -> dict[str, Any]:
    """What is encrypted with both secrets, beside the rows with addresses."""
    instance = settings().instance
    keys = {each.name: _text(each.read_bytes()) for each in sorted((instance / "campaign-keys").glob("*"))}
    files = {name: (instance / name).read_text() for name in FILES if (instance / name).exists()}
    lines = ledger.path().read_text() if ledger.path().exists() else ""
    return {"made_at": clock.now().isoformat(), "keys": keys, "files": files, "ledger": lines}


def _plain(row: Any) -> dict[str, Any]:
    """A row as JSON can hold it; nobody has leased an e-mail of a copy."""
    values = {name: _text(value) if isinstance(value, bytes) else value for name, value in row.items()}
    values |= {name: value.isoformat() for name, value in values.items() if isinstance(value, datetime)}
    return values | ({"leased_until": None} if "leased_until" in values else {})


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def is_here() -> bool:
    """Whether this installation has a database already."""
    config = settings()
    if config.is_sqlite:
        return config.sqlite_path.exists() and config.sqlite_path.stat().st_size > 0
    with db.engine.connect() as connection:
        return bool(db.engine.dialect.has_table(connection, "alembic_version"))
