"""Restoring a backup on a machine that has only the two secrets: everything is checked before anything is in place."""

import base64
import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, insert

from petitions.db.base import Base, UtcDateTime, db
from petitions.db.copying import copy_rows
from petitions.db.transactions import write_lock
from petitions.domain import sealing
from petitions.errors import BackupFaulty
from petitions.migrations.upgrade import upgrade, upgrade_file
from petitions.services import ledger
from petitions.services.keys.keyring import keyring, settings
from petitions.services.operations import backup, envelopes

SCRATCH = "restoring.db"


def restore(path: Path) -> datetime:
    """Put the backup in place; returns when it was made. Raises BackupFaulty with the reason, and then changes nothing.

    Afterwards run `replay`: the ledger may be newer than the backup.
    """
    config = settings()
    if backup.is_here():
        raise BackupFaulty(reason="there is a database already: move it away first, and only if you mean it")
    ring = keyring()
    missing = [name for name in ("secret_key", "master_key") if not getattr(ring, name)]
    if missing:
        raise BackupFaulty(reason=f"{config.instance / missing[0]} is missing: put your copy of it there first")
    if not path.is_file():
        raise BackupFaulty(reason=f"there is no file {path}")
    scratch = config.instance / SCRATCH
    for left in (scratch, *config.instance.glob(f"{envelopes.PREFIX}*")):  # of an attempt that was interrupted
        left.unlink(missing_ok=True)
    try:
        with envelopes.taken_out(path) as plain:
            part = _checked_part(plain)
            scratch.touch(mode=0o600)
            shutil.copyfile(plain, scratch)
        _prepare(scratch, part)
        _write_files(config.instance, part)
        _put_in_place(scratch)
    finally:
        scratch.unlink(missing_ok=True)
    return datetime.fromisoformat(part["made_at"])


def verify(path: Path) -> None:
    """Read a backup to its last row, and decrypt its encrypted part; raises BackupFaulty if anything is wrong."""
    with envelopes.taken_out(path) as plain:
        _checked_part(plain)


def _checked_part(path: Path) -> dict[str, Any]:
    """The decrypted part of the database `path`, once its rows are found whole; raises BackupFaulty."""
    backup.check(path)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            (sealed,) = copy.execute(f"SELECT sealed FROM {backup.PART}").fetchone()  # noqa: S608 - a constant
            found = backup.digest(copy)
    except (sqlite3.DatabaseError, TypeError) as exc:
        raise BackupFaulty(reason="it was not made by flask backup of this version") from exc
    try:
        part: dict[str, Any] = json.loads(sealing.unprotect(sealed, backup.secret_words()))
    except sealing.CannotOpen as exc:
        raise BackupFaulty(reason=envelopes.WRONG_KEY) from exc
    if part["digest"] != found:
        raise BackupFaulty(reason="it was changed or damaged after it was made")
    return part


def _prepare(scratch: Path, part: dict[str, Any]) -> None:
    """Bring the copy to this version, with queued e-mails and orders in it, and without the encrypted part."""
    with closing(sqlite3.connect(scratch)) as copy, copy:
        copy.execute(f"DROP TABLE {backup.PART}")
    upgrade_file(scratch)
    with backup.database_at(scratch) as connection:
        for model in backup.ADDRESSED:
            rows = [_row(model, each) for each in part.get(model.__tablename__, [])]  # an older backup has no orders
            if rows:
                connection.execute(insert(model), rows)
    with closing(sqlite3.connect(scratch)) as copy:
        copy.execute("VACUUM")


def _row(model: type[Base], values: dict[str, Any]) -> dict[str, Any]:
    """The row that was kept as JSON."""
    found = dict(values)
    for column in model.__table__.columns:
        if values.get(column.name) is not None and isinstance(column.type, UtcDateTime):
            found[column.name] = datetime.fromisoformat(values[column.name])
        elif values.get(column.name) is not None and isinstance(column.type, LargeBinary):
            found[column.name] = base64.b64decode(values[column.name])
    return found


def _write_files(instance: Path, part: dict[str, Any]) -> None:
    """Keys, recipient keys and ledger, where there are none; a ledger that is longer is newer, and stays."""
    (instance / "campaign-keys").mkdir(mode=0o700, exist_ok=True)
    files = {f"campaign-keys/{name}": base64.b64decode(text) for name, text in part["keys"].items()}
    files |= {name: text.encode() for name, text in part["files"].items()}
    lines = part["ledger"].encode()
    if lines and not (ledger.path().exists() and ledger.path().stat().st_size >= len(lines)):
        files[ledger.path().name] = lines
    for name, data in files.items():
        new = instance / f"{name}.new"
        new.touch(mode=0o600)
        new.write_bytes(data)
        new.replace(instance / name)


def _put_in_place(scratch: Path) -> None:
    config = settings()
    if config.is_sqlite:
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        for rest in ("-wal", "-shm"):  # of a database that was here before: they would damage this one
            Path(f"{config.sqlite_path}{rest}").unlink(missing_ok=True)
        scratch.replace(config.sqlite_path)
        db.engine.dispose()
        return
    upgrade()
    with backup.database_at(scratch) as source, write_lock().held(), db.engine.begin() as target:
        copy_rows(source, target)
