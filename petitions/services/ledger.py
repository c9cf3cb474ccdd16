"""The ledger: erasures, withdrawals and wishes, kept outside the database, so that no restored backup undoes them.

The file (instance/erasures.jsonl) names nobody: it says what happened, to which random link_id or keyed hash, in which
minute. Lines are on disk before the transaction they belong to commits. The database stores the ledger's length: a
database that is behind was restored and waits for `flask retention replay`; if it is ahead, the ledger was lost.
"""

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select

from petitions.clock import minute_of
from petitions.db import bulk
from petitions.db.transactions import reading, transaction
from petitions.errors import Busy
from petitions.models import Check
from petitions.services.keys.keyring import settings

Line = dict[str, Any]

ERASED, EXPIRED, KEY_DESTROYED = "erased", "expired", "key destroyed"
WITHDRAWN, CORRECTED, NEWS, NAMED = "withdrawn", "corrected", "news", "named"
SUPPRESSED, LIFTED = "suppressed", "lifted"
INVALIDATED, RESTORED = "invalidated", "restored"
COLLECTOR_ERASED = "collector erased"
_OLD_REASONS = {
    "wish": ERASED,
    "retention": EXPIRED,
}  # reasons in lines of older versions, which recorded only erasures
_LENGTH, _REPLAY_DUE = "ledger", "replay due"


def path() -> Path:
    """The ledger's file: beside the secrets, not in the database, and not in its backups."""
    return settings().instance / "erasures.jsonl"


def append(connection: Connection, lines: Sequence[Line], now: datetime) -> None:
    """Append to the ledger, within the transaction that the lines describe; returns when they are on disk.

    Raises Busy if they cannot be written: then the caller must roll back.
    """
    if lines:
        at = minute_of(now).isoformat()
        note_length(connection, _append("".join(json.dumps({"at": at, **line}) + "\n" for line in lines)))


def withdrawal(link_id: bytes, case_ids: Sequence[int]) -> Line:
    """The line for a signer who withdrew these signatures."""
    return {"what": WITHDRAWN, "signer": link_id.hex(), "cases": sorted(case_ids)}


def is_of(line: Line, sealed_name: bytes | None) -> bool:
    """Whether the line refers to this corrected name."""
    return sealed_name is not None and hashlib.sha256(sealed_name).hexdigest() == line["sha256"]


def note_length(connection: Connection, length: int, *, is_set: bool = False) -> None:
    """Store that the database is up to date with the first `length` bytes of the ledger; it never decreases.

    Except with `is_set`, where the ledger itself was replaced.
    """
    if is_set:
        connection.execute(delete(Check).where(Check.name.in_([_LENGTH, _REPLAY_DUE])))
    bulk.insert(connection, Check, ("name", "value"), [(_LENGTH, f"{length:020d}")], on_conflict=_longest)


def _longest(statement: bulk.Insert) -> bulk.Insert:
    new, old = statement.excluded.value, Check.__table__.c.value
    return statement.on_conflict_do_update(index_elements=["name"], set_={"value": new}, where=old < new)


def lengths() -> tuple[int, int]:
    """The ledger's length according to the database, and its real length, in bytes."""
    with reading() as connection:
        noted = connection.scalar(select(Check.value).where(Check.name == _LENGTH))
    return int(noted or 0), path().stat().st_size if path().exists() else 0


def notice_restore() -> None:
    """Record that the database is behind the ledger, so that a replay stays due whatever is written later."""
    if is_ahead():
        with transaction() as store:
            row = (_REPLAY_DUE, "")
            bulk.insert(store.connection(), Check, ("name", "value"), [row], on_conflict=bulk.skip)


def is_ahead() -> bool:
    """Whether the ledger has entries that the database lacks, because a backup was restored and not yet replayed."""
    noted, length = lengths()
    with reading() as connection:
        return length > noted or connection.scalar(select(Check.name).where(Check.name == _REPLAY_DUE)) is not None


def lines() -> Iterator[Line]:
    """The ledger's lines, oldest first; an incomplete line is skipped."""
    if not path().exists():
        return
    with path().open(encoding="utf-8") as file:
        for text in file:
            try:
                line = json.loads(text)
                line["at"] = datetime.fromisoformat(line["at"])
                if "why" in line:
                    line["what"] = KEY_DESTROYED if line["signer"] is None else _OLD_REASONS[line["why"]]
                yield line
            except (ValueError, KeyError, TypeError):
                continue


def is_destroyed(slug: str) -> bool:
    """Whether the campaign's key was destroyed on purpose."""
    return any(line["what"] == KEY_DESTROYED and line["campaign"] == slug for line in lines())


def _append(text: str) -> int:
    """Append to the file and return its new length."""
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        is_new = not path().exists()
        file = os.open(path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"  # a power loss left an incomplete line
            raw = ("\n" * torn + text).encode()
            if os.write(file, raw) < len(raw):  # a single write, so that lines of two processes do not mix
                raise OSError(errno.ENOSPC, "short write")
            os.fsync(file)
            length = os.fstat(file).st_size
        finally:
            os.close(file)
        if is_new:
            _sync_folder(path().parent)
    except OSError as exc:
        raise Busy(ledger=exc.errno) from exc
    return length


def _sync_folder(folder: Path) -> None:
    """Flush the folder, so that the new file's name is on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
