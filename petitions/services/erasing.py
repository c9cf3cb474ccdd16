"""Erasing people: what is personal goes, that somebody signed stays. A ledger outside the database remembers whom.

The ledger (instance/erasures.jsonl) names nobody: a number, a campaign, a time. A line is on disk before its erasing is
committed, so that no restored backup can bring anybody back; `services/retention.py` applies it again.
"""

import errno
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, case, select, update

from petitions.errors import Busy
from petitions.models import Campaign, Message, Signer
from petitions.models.states import MessageState
from petitions.services.keyring import settings

WISH, RETENTION = "wish", "retention"

_PERSONAL = ("email_key", "name_key", "sealed", "sealed_name", "link_salt")


@dataclass(frozen=True)
class Erasure:
    """One line of the ledger; without a signer it is the campaign's key that was destroyed."""

    campaign: str
    signer: int | None
    at: datetime
    why: str


def erase_signers(connection: Connection, ids: Sequence[int], now: datetime, why: str = WISH) -> int:
    """Forget these signers, and whom their mails were for; gives how many were not forgotten before.

    Raises Busy if the ledger cannot be written: then the caller's transaction must not be kept.
    """
    living = connection.execute(
        select(Signer.id, Campaign.slug)
        .join(Campaign, Campaign.id == Signer.campaign_id)
        .where(Signer.id.in_(ids), Signer.erased_at.is_(None))
        .order_by(Signer.id)
        .with_for_update(of=Signer)
    ).all()
    if not living:
        return 0
    note_erasures([Erasure(row.slug, row.id, now, why) for row in living])
    mine = [row.id for row in living]
    connection.execute(update(Signer).where(Signer.id.in_(mine)).values(**dict.fromkeys(_PERSONAL), erased_at=now))
    is_theirs = Message.signer_id.in_(mine)
    connection.execute(update(Message).where(is_theirs, HOLDS_SOMETHING).values(wiped("erased")))
    return len(mine)


HOLDS_SOMETHING = Message.payload.is_not(None) | (Message.state == MessageState.QUEUED)


def wiped(failure: str) -> dict[str, Any]:
    """What becomes of a mail's row: nobody can tell any more to whom it was, and if it still waited it never goes.

    All in one UPDATE: at a second one in the same transaction Postgres would look at the signer again, and wait for
    somebody who erases that signer and waits for this row.
    """
    waits = Message.state == MessageState.QUEUED
    return {
        "state": case((waits, MessageState.FAILED), else_=Message.state),
        "failure": case((waits, failure), else_=Message.failure),
        "leased_until": None,
        "payload": None,
    }


def ledger_path() -> Path:
    """Where the ledger lies: beside the secrets, not in the database, and not in its backups."""
    return settings().instance / "erasures.jsonl"


def note_erasures(erasures: Sequence[Erasure]) -> None:
    """Append to the ledger, and return when it is on disk; raises Busy if it cannot be."""
    text = "".join(json.dumps({**asdict(each), "at": each.at.isoformat()}) + "\n" for each in erasures)
    path = ledger_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"  # power was lost in the middle of a line
            lines = ("\n" * torn + text).encode()
            if os.write(file, lines) < len(lines):  # one write: lines of two processes do not mix
                raise OSError(errno.ENOSPC, "short write")
            os.fsync(file)
        finally:
            os.close(file)
        if is_new:
            _sync_folder(path.parent)
    except OSError as why:
        raise Busy(ledger=why.errno) from why


def noted_erasures() -> Iterator[Erasure]:
    """What the ledger says, oldest first; a torn line says nothing."""
    path = ledger_path()
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                said = json.loads(line)
                yield Erasure(said["campaign"], said["signer"], datetime.fromisoformat(said["at"]), said["why"])
            except (ValueError, KeyError, TypeError):
                continue


def _sync_folder(folder: Path) -> None:
    """Let the new file's name be on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
