"""A copy of the database as it is, of whatever version, made before an upgrade changes it."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from petitions import clock
from petitions.errors import BackupFaulty
from petitions.services.keys.keyring import settings
from petitions.services.operations.backup import LEFT_OUT

PREFIX = "before-upgrade-"
KEPT = timedelta(days=30)  # as backups: the promised erasure depends on it
NOT_COPIED = LEFT_OUT - {"messages"}  # keyed hashes that no copy may keep; queued e-mails are needed to go back


def take() -> Path:
    """Copy the database to a new file in the instance folder. Raises BackupFaulty.

    Not beside the backups: those show no address to who has one secret, and this copy does, as the database itself.
    """
    config = settings()
    folder = config.instance
    path = folder / f"{PREFIX}{clock.now():%Y-%m-%dT%H%M%S}.{'db' if config.is_sqlite else 'dump'}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=False)
        if config.is_sqlite:
            _copy_file(config.sqlite_path, path)
        else:
            _dump(config.database_url, path)
    except (OSError, sqlite3.Error, subprocess.SubprocessError) as exc:
        path.unlink(missing_ok=True)
        raise BackupFaulty(reason=f"{folder}: {type(exc).__name__}") from exc
    return path


def forget_old() -> None:
    """Delete the copies that are older than backups may be."""
    for path in settings().instance.glob(f"{PREFIX}*"):
        if path.stat().st_mtime < (clock.now() - KEPT).timestamp():
            path.unlink()


def _copy_file(source: Path, path: Path) -> None:
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(path)) as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        there = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in sorted(NOT_COPIED & there):
            copy.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
        copy.commit()
        copy.execute("VACUUM")  # so that the deleted rows are in no free page


def _dump(url: str, path: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupFaulty(reason="pg_dump is missing: apt-get install postgresql-client")
    parts = make_url(url)
    plain = parts.set(drivername="postgresql", password=None).render_as_string()
    command = [program, "--format=custom", f"--file={path}", f"--dbname={plain}"]
    command += [f"--exclude-table-data={table}" for table in sorted(NOT_COPIED)]
    password = {"PGPASSWORD": parts.password or ""}  # not in the command, which others on this machine can see
    subprocess.run(command, check=True, capture_output=True, env=password)  # noqa: S603 - our own words and settings
