"""Checks of the machine: free disk space, a database that accepts writes, a mail server that answers."""

import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from petitions.db.transactions import transaction
from petitions.errors import Busy
from petitions.mail.mailboxes import MailboxFaulty, probe
from petitions.mail.transports import Delayed, connected
from petitions.models import Check
from petitions.services.mailing import forecast
from petitions.settings import Settings

MEBIBYTE = 2**20
LEAST_FREE = 200 * MEBIBYTE  # more than a campaign writes in a day
RELAY_ANSWERS = 5.0  # seconds


class _Rollback(Exception):
    """Ends a trial transaction."""


def faults(settings: Settings) -> list[str]:
    """What keeps this machine from storing a signature or sending an e-mail, as sentences. Leaves no trace."""
    folders = {settings.instance.resolve()} | ({settings.sqlite_path.parent} if settings.is_sqlite else set())
    found = [fault for folder in sorted(folders) for fault in _disk(folder)]
    return [*found, *_database(), *_relay(settings.mail_url), *_waiting(settings), *_bounces(settings)]


def unready(settings: Settings) -> str:
    """Why no signature could be stored now, in a word; empty if one could. Quick, and leaves no trace."""
    if shutil.disk_usage(settings.instance.resolve()).free < LEAST_FREE // 4:
        return "disk"
    return "database" if _database() else ""


def _disk(folder: Path) -> list[str]:
    found = []
    try:
        free = shutil.disk_usage(folder).free
        if free < LEAST_FREE:
            found.append(f"The disk is nearly full: {free // MEBIBYTE} MB are free for {folder}")
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(bytes(MEBIBYTE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        found.append(f"Nothing can be written to {folder}: {exc.strerror}")
    return found


def _database() -> list[str]:
    try:
        with transaction() as store:
            store.add(Check(name="doctor", value=""))
            store.flush()
            raise _Rollback
    except _Rollback:
        return []
    except (Busy, DBAPIError) as exc:
        reason = exc.__cause__ if isinstance(exc, Busy) else exc
        return [f"The database accepts no writes: {str(getattr(reason, 'orig', reason)).splitlines()[0]}"]


def _waiting(settings: Settings) -> list[str]:
    minutes = forecast.minutes_left(settings)
    if minutes <= forecast.LATE.total_seconds() / 60:
        return []
    limits = "PETITIONS_MAIL_PER_MINUTE, _PER_HOUR and _PER_DAY"
    return [
        f"The last e-mail that waits will have left in {minutes} minutes: if the mail server takes more, raise "
        f"{limits}; if not, set PETITIONS_MAIL_URL_SECOND"
    ]


def _bounces(settings: Settings) -> list[str]:
    if not settings.bounce_mailbox:
        return []
    try:
        probe(settings.bounce_mailbox)
    except MailboxFaulty as exc:
        return [f"The mailbox of bounces cannot be read ({exc}): see PETITIONS_BOUNCE_MAILBOX"]
    return []


def _relay(url: str) -> list[str]:
    if not url.startswith("smtp"):
        return []
    try:
        with connected(url, timeout=RELAY_ANSWERS):
            return []
    except Delayed as exc:
        return [f"The mail server accepts no e-mails ({exc}): see PETITIONS_MAIL_URL"]
