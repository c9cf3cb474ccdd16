"""Inserts many rows with one statement, on both databases, without the ORM.

`INSERT … SELECT` from one JSON parameter (SQLite) or from arrays (Postgres): the statement's text does not depend on
the number of rows, so it is prepared once, and RETURNING gives exactly the rows that were inserted.

SQLite's driver releases the GIL for each row that it fetches and for each Python function that it calls, and the writer
then has to wait until it gets the GIL back. So binary values travel as one long parameter that the statement cuts into
pieces, and callers ask for returned rows only where they need them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Dialect, LargeBinary, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from petitions.db.base import Base

Row = Sequence[Any]
Binder = Callable[[Any], Any] | None


def insert(
    connection: Connection,
    model: type[Base],
    columns: tuple[str, ...],
    rows: Sequence[Row],
    *,
    same: Mapping[str, Any] | None = None,
    on_conflict: str = "",
    returning: tuple[str, ...] = (),
) -> list[Any]:
    """Insert `rows` (values in the order of `columns`); returns the RETURNING rows, without those that conflicted.

    `same`: values that all rows share. `on_conflict`: the SQL after `ON CONFLICT`, for example `DO NOTHING`.
    """
    if not rows:
        return []
    same = same or {}
    table, dialect = _table(model), connection.dialect
    text = _insert_text(dialect, table, columns, tuple(same), on_conflict, returning)
    shared = [
        bind(value) if bind else value
        for bind, value in zip(_binders(dialect, table, tuple(same)), same.values(), strict=True)
    ]
    binders = _binders(dialect, table, columns)
    if dialect.name == "sqlite":
        values, *pieces = _flat(rows, binders, [_is_binary(table.c[name].type) for name in columns])
        result = _execute(connection, text, (values, *shared, *pieces))
    else:
        bound = [[bind(value) if bind else value for bind, value in zip(binders, row, strict=True)] for row in rows]
        result = _execute(connection, text, (*map(list, zip(*bound, strict=True)), *shared))
    return _read(dialect, table, returning, result) if returning else []


def _table(model: type[Base]) -> Table:
    """The model's table; SQLAlchemy's type would also allow a join."""
    return cast(Table, model.__table__)


def _execute(connection: Connection, text: str, parameters: tuple[Any, ...]) -> Any:
    """Execute with the driver's own cursor, which costs less than SQLAlchemy's path; errors are SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    base = connection.dialect.loaded_dbapi.Error
    try:
        return driver.execute(text, parameters)
    except base as exc:
        is_lost = connection.dialect.is_disconnect(exc, driver, None)
        if is_lost:
            connection.invalidate(exc)
        raise DBAPIError.instance(
            text, None, exc, base, hide_parameters=True, connection_invalidated=is_lost, dialect=connection.dialect
        ) from exc


def _read(dialect: Dialect, table: Table, columns: tuple[str, ...], result: Any) -> list[Any]:
    readers = _readers(dialect, table, columns)
    return [tuple(r(v) if r else v for r, v in zip(readers, row, strict=True)) for row in result]


def _flat(rows: Sequence[Row], binders: Sequence[Binder], are_binary: Sequence[bool]) -> list[Any]:
    """The rows as SQLite parameters: JSON, and one value with all binary values, which JSON cannot hold.

    In the JSON a binary value is two numbers: its offset, counted from 1, and its length.
    """
    pieces = bytearray()
    flat = []
    for row in rows:
        values: list[Any] = []
        for value, bind, is_binary in zip(row, binders, are_binary, strict=True):
            if not is_binary:
                values.append(bind(value) if bind else value)
            elif value is None:
                values += (None, None)
            else:
                values += (len(pieces) + 1, len(value))
                pieces += value
        flat.append(values)
    return [json.dumps(flat), bytes(pieces)] if any(are_binary) else [json.dumps(flat)]


def _cut(place: int, kind: TypeEngine[Any], pieces: int) -> tuple[str, int]:
    """The SQL for the value at index `place` of a JSON row (binary from parameter `pieces`), and the next index."""
    one = f"json_extract(value, '$[{place}]')"
    if not _is_binary(kind):
        return one, place + 1
    return f"substr(?{pieces}, {one}, json_extract(value, '$[{place + 1}]'))", place + 2


@lru_cache(maxsize=64)
def _insert_text(
    dialect: Dialect,
    table: Table,
    columns: tuple[str, ...],
    same: tuple[str, ...],
    on_conflict: str,
    returning: tuple[str, ...],
) -> str:
    types = [table.c[name].type for name in columns]
    if dialect.name == "sqlite":
        values, place = [], 0
        for kind in types:
            value, place = _cut(place, kind, 2 + len(same))
            values.append(value)
        values += [f"?{number}" for number in range(2, 2 + len(same))]
        source = f"SELECT {', '.join(values)} FROM json_each(?1) WHERE true"  # noqa: S608 - made of numbers; values are parameters
    else:
        arrays = ", ".join(f"%s::{kind.compile(dialect)}[]" for kind in types)
        alike = ", ".join(f"%s::{table.c[name].type.compile(dialect)}" for name in same)
        source = f"SELECT * FROM unnest({arrays})" + (f", (SELECT {alike}) AS same" if same else "")  # noqa: S608 - types of our models; values are parameters
    text = f"INSERT INTO {table.name} ({', '.join(columns + same)}) {source}"
    if on_conflict:
        text += f" ON CONFLICT {on_conflict}"
    if returning:
        text += f" RETURNING {', '.join(returning)}"
    return text


def _is_binary(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, LargeBinary)


@lru_cache(maxsize=64)
def _binders(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> list[Binder]:
    """Functions that convert Python values by SQLAlchemy's rules; None where the value is used as it is."""
    types = [table.c[name].type for name in columns]
    return [None if _is_binary(kind) else kind.dialect_impl(dialect).bind_processor(dialect) for kind in types]


@lru_cache(maxsize=64)
def _readers(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> list[Binder]:
    return [table.c[name].type.dialect_impl(dialect).result_processor(dialect, None) for name in columns]
