"""On Postgres, erased bytes leave the files and the write-ahead log within a day.

Postgres keeps what was deleted between the living rows and in its log until something else is written there, so once
a day all tables are written anew, and the log is filled until nothing of before is left in it. SQLite needs nothing
of this: secure_delete overwrites at once.
"""

import logging

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from petitions import clock
from petitions.db.base import db
from petitions.db.transactions import read_autocommit, transaction
from petitions.errors import Busy
from petitions.models import Mark
from petitions.queries import retention

log = logging.getLogger(__name__)

HOUR = 2  # UTC, when few people sign: while a table is written anew, whoever writes to it waits
WAITS_MS = 2_000  # for a table that is in use; then the next hour's run tries again
MEGABYTE = 1 << 20
ZEROS = f"decode(repeat('00', {MEGABYTE}), 'hex')"
SIZES = "SELECT name, setting::int FROM pg_settings WHERE name IN ('max_wal_size', 'wal_segment_size')"


def scrub_due() -> bool:
    """Write everything anew, unless it was done since this day's hour or the database is SQLite; gives if it was."""
    if db.engine.dialect.name != "postgresql":
        return False
    now = clock.now()
    with transaction() as store:
        mark = store.get(Mark, retention.SCRUBBED)
        last = mark.at if mark else None
    day = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if last is not None and (now < day or last >= day):
        return False
    try:
        with read_autocommit() as connection:
            connection.execute(text(f"SET lock_timeout = {WAITS_MS}"))
            for table in db.metadata.sorted_tables:
                connection.execute(text(f"VACUUM FULL {table.name}"))
            _checkpoint(connection)
            for _ in range(_log_megabytes(connection)):
                connection.execute(text(f"SELECT pg_logical_emit_message(false, 'petitions', {ZEROS})"))
            _checkpoint(connection)
            connection.invalidate()  # its lock_timeout is nobody else's
    except (Busy, DBAPIError) as exc:
        log.warning("scrub waits error=%s", type(exc).__name__)
        return False
    with transaction() as store:
        store.merge(Mark(name=retention.SCRUBBED, at=now))
    log.info("scrubbed")
    return True


def _log_megabytes(connection: Connection) -> int:
    """How much log must be written until none of before is left: files that are reused keep it longest."""
    sizes: dict[str, int] = {row.name: row.setting for row in connection.execute(text(SIZES))}
    segment = sizes["wal_segment_size"] // MEGABYTE
    is_reused = connection.scalar(text("SHOW wal_recycle")) == "on"
    return (sizes["max_wal_size"] if is_reused else segment) + 2 * segment


def _checkpoint(connection: Connection) -> None:
    """Let Postgres drop the log of before, if we may say so (GRANT pg_checkpoint); else it does within minutes."""
    try:
        connection.execute(text("CHECKPOINT"))
    except DBAPIError:
        log.debug("checkpoint left to Postgres")
