"""Scrubbing on Postgres: removes deleted bytes from its files and its write-ahead log within a day.

Postgres keeps deleted data between the live rows and in its log until the space is used again. So once a day all tables
are rewritten, and the log is filled until none of its old content is left. SQLite does not need this: secure_delete
overwrites at once.
"""

import logging

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from petitions import clock
from petitions.db.base import db
from petitions.db.transactions import read_autocommit, transaction
from petitions.domain import retention
from petitions.errors import Busy
from petitions.models import Mark

log = logging.getLogger(__name__)

HOUR = 2  # UTC, when few people sign: writers of a table wait while it is rewritten
WAITS_MS = 2_000  # how long to wait for a table in use; the next run tries again
MEGABYTE = 1 << 20
ZEROS = f"decode(repeat('00', {MEGABYTE}), 'hex')"
SIZES = "SELECT name, setting::int FROM pg_settings WHERE name IN ('max_wal_size', 'wal_segment_size')"


def scrub_due() -> bool:
    """Rewrite tables and log, unless it was done since today's hour or the database is SQLite; whether it was."""
    if db.engine.dialect.name != "postgresql":
        return False
    now = clock.now()
    with transaction() as store:
        mark = store.get(Mark, tuple(retention.SCRUBBED))
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
            connection.invalidate()  # so that no other caller gets its lock_timeout
    except (Busy, DBAPIError) as exc:
        log.warning("scrub waits error=%s", type(exc).__name__)
        return False
    with transaction() as store:
        store.merge(Mark(**retention.SCRUBBED._asdict(), at=now))
    log.info("scrubbed")
    return True


def _log_megabytes(connection: Connection) -> int:
    """How much log must be written to replace the old content; reused files keep it longest."""
    sizes: dict[str, int] = {row.name: row.setting for row in connection.execute(text(SIZES))}
    segment = sizes["wal_segment_size"] // MEGABYTE
    is_reused = connection.scalar(text("SHOW wal_recycle")) == "on"
    return (sizes["max_wal_size"] if is_reused else segment) + 2 * segment


def _checkpoint(connection: Connection) -> None:
    """Make Postgres drop the old log, if the role may (GRANT pg_checkpoint); otherwise it does so within minutes."""
    try:
        connection.execute(text("CHECKPOINT"))
    except DBAPIError:
        log.debug("checkpoint left to Postgres")
