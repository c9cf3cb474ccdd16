"""Inserts a row into every table, generated from the models, so that new tables are covered."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Table

from petitions.db.base import Base, UtcDateTime

MOMENT = datetime(2026, 12, 10, 9, 30, tzinfo=UTC)
# Where a check wants one of a few words; the first state that fits every table with such a column.
WORDS = {
    "cases.state": "open",
    "campaigns.state": "open",
    "campaigns.counts": "live",
    "signatures.state": "confirmed",
    "messages.state": "queued",
    "tallies.kind": "paper",
    "collectors.kind": "stall",
    "action_counts.kind": "posted",
    "accounts.role": "owner",
}


def fill(connection: Connection) -> dict[str, int]:
    """Put one row into each table, parents first; gives the number of rows of each."""
    for table in Base.metadata.sorted_tables:
        connection.execute(table.insert().values({column.name: _value(table, column) for column in table.columns}))
    return numbers(connection)


def numbers(connection: Connection) -> dict[str, int]:
    """How many rows each table has."""
    names = [table.name for table in Base.metadata.sorted_tables]
    return {name: int(connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()) for name in names}


def _value(table: Table, column: Column[Any]) -> Any:
    if column.foreign_keys:
        return 1
    if str(column) in WORDS:
        return WORDS[str(column)]
    if column.name == "state":
        return "ready"
    kind = datetime if isinstance(column.type, UtcDateTime) else column.type.python_type
    samples = {int: 1, str: "fr", bytes: b"\x00\xff", bool: True, datetime: MOMENT, date: MOMENT.date()}
    return samples.get(kind, {"title": "O’Connor"})
