"""The nightly backup: made by the worker, read again to the last row, copied to a second place, kept for 30 days."""

import logging
import shlex
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.domain.retention import MarkKey
from petitions.errors import BackupFaulty
from petitions.models import Mark
from petitions.queries.retention import marks
from petitions.services.keys.keyring import settings
from petitions.services.operations import backup, daily, recovery
from petitions.settings import Settings

log = logging.getLogger(__name__)

BEGUN, MADE, COPIED = MarkKey("backup begun"), MarkKey("backup made"), MarkKey("backup copied")
HOUR = 2  # UTC
KEPT = timedelta(days=30)  # the promised erasure depends on it
LATE = timedelta(hours=48)
COPY_SECONDS = 3600
PATTERN = "petitions-*.db*"  # also those of before they were encrypted


def backup_due() -> bool:
    """Make tonight's backup, unless it was made or no folder is set; whether it did. One server of several does it."""
    config, now = settings(), clock.now()
    if not config.backups or not daily.claim(BEGUN, now, HOUR):
        return False
    path = Path(config.backups) / f"petitions-{now:%Y-%m-%dT%H%M}.db.gz.age"
    try:
        backup.copy_database(path)
        recovery.verify(path)
        _note(MADE, now)
        _copy(path, config.backups_copy)
    except (BackupFaulty, OSError, subprocess.SubprocessError) as exc:
        log.error("backup failed error=%s", type(exc).__name__)
        daily.give_back(BEGUN)
        return False
    for folder in {Path(config.backups), Path(config.backups_copy or config.backups)}:
        _forget_old(folder, now)
    log.info("backup made")
    return True


def faults(config: Settings) -> list[str]:
    """What is wrong with the nightly backups, as sentences; nothing in demo mode."""
    if config.demo:
        return []
    if not config.backups:
        return ["No backups are made: set PETITIONS_BACKUPS to a folder"]
    found = []
    with reading() as connection:
        noted = marks(connection)
    for key, what in ((MADE, "backup"), (COPIED, "copy of a backup in a second place")):
        if key == COPIED and not config.backups_copy:
            found.append("Backups are on this machine only: set PETITIONS_BACKUPS_COPY to a second place")
        elif (at := noted.get(key)) is None:
            found.append(f"There is no {what} yet: the worker makes one each night")
        elif clock.now() - at > LATE:
            found.append(f"The last {what} is from {at:%Y-%m-%d %H:%M} UTC: see the log")
    return found


def _copy(path: Path, place: str) -> None:
    """Copy the file to the folder `place`, or with the command `place`, in which {} stands for the file."""
    if not place:
        return
    if "{}" in place:
        command = [part.replace("{}", str(path)) for part in shlex.split(place)]
        subprocess.run(command, check=True, capture_output=True, timeout=COPY_SECONDS)  # noqa: S603 - the operator's own
    else:
        target = Path(place) / path.name
        target.touch(mode=0o600)
        shutil.copyfile(path, target)
        recovery.verify(target)
    _note(COPIED, clock.now())


def _note(key: MarkKey, at: datetime) -> None:
    with transaction() as store:
        store.merge(Mark(**key._asdict(), at=at))


def _forget_old(folder: Path, now: datetime) -> None:
    if folder.is_dir():
        for path in folder.glob(PATTERN):
            if path.stat().st_mtime < (now - KEPT).timestamp():
                path.unlink()
