"""Many rows in one statement, on both databases, without the ORM.

`INSERT … SELECT` from one JSON parameter (SQLite) or from arrays (Postgres): the text of the statement does not depend
on the number of rows, so it is prepared once, and RETURNING tells exactly which rows were new.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Dialect, LargeBinary, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from petitions.db.base import Base, UtcDateTime

Row = Sequence[Any]


def insert(
    connection: Connection,
    model: type[Base],
    columns: tuple[str, ...],
    rows: Sequence[Row],
    *,
    on_conflict: str = "",
    returning: tuple[str, ...] = (),
) -> list[Any]:
    """Insert `rows` (values in the order of `columns`); gives the RETURNING rows, which skip what conflicted.

    `on_conflict` is the SQL behind `ON CONFLICT`, for example `DO NOTHING`.
    """
    if not rows:
        return []
    table = _table(model)
    statement, binders = _statement(connection.dialect, table, columns, on_conflict, returning)
    bound = [[bind(value) if bind else value for bind, value in zip(binders, row, strict=True)] for row in rows]
    if connection.dialect.name == "sqlite":
        result = _execute(connection, statement, (json.dumps(bound),))
    else:
        result = _execute(connection, statement, tuple(list(column) for column in zip(*bound, strict=True)))
    if not returning:
        return []
    return _read(connection.dialect, table, returning, result)


def matching(
    connection: Connection, model: type[Base], columns: tuple[str, ...], where: Mapping[str, Sequence[Any]]
) -> list[Any]:
    """The `columns` of the rows each of whose columns in `where` has one of the values there; in no order."""
    table = _table(model)
    conditions: list[str] = []
    parameters: list[Any] = []
    for name, values in where.items():
        kind = table.c[name].type
        bind = _binder(connection.dialect, kind)
        bound = [bind(value) if bind else value for value in values]
        if connection.dialect.name == "sqlite":
            one = "unhex(value)" if _is_binary(kind) else "value"
            conditions.append(f"{name} IN (SELECT {one} FROM json_each(?))")  # noqa: S608 - our own columns
            parameters.append(json.dumps(bound))
        else:
            conditions.append(f"{name} = ANY(%s::{kind.compile(connection.dialect)}[])")
            parameters.append(bound)
    text = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {' AND '.join(conditions)}"  # noqa: S608 - our own names
    return _read(connection.dialect, table, columns, _execute(connection, text, tuple(parameters)))


def _table(model: type[Base]) -> Table:
    """A model's table; SQLAlchemy's types leave open that it might be a join."""
    return cast(Table, model.__table__)


def _execute(connection: Connection, text: str, parameters: tuple[Any, ...]) -> Any:
    """The driver's own cursor: SQLAlchemy's way around it costs more than most of these statements. Its errors stay."""
    driver: Any = connection.connection.driver_connection
    base = connection.dialect.loaded_dbapi.Error
    try:
        return driver.execute(text, parameters)
    except base as why:
        is_lost = connection.dialect.is_disconnect(why, driver, None)
        if is_lost:
            connection.invalidate(why)
        raise DBAPIError.instance(
            text, None, why, base, hide_parameters=True, connection_invalidated=is_lost, dialect=connection.dialect
        ) from why


def _read(dialect: Dialect, table: Table, columns: tuple[str, ...], result: Any) -> list[Any]:
    readers = _readers(dialect, table, columns)
    return [tuple(r(v) if r else v for r, v in zip(readers, row, strict=True)) for row in result]


@lru_cache(maxsize=64)
def _statement(
    dialect: Dialect, table: Table, columns: tuple[str, ...], on_conflict: str, returning: tuple[str, ...]
) -> tuple[str, list[Callable[[Any], Any] | None]]:
    types = [table.c[name].type for name in columns]
    if dialect.name == "sqlite":
        values = ", ".join(
            f"unhex(json_extract(value, '$[{place}]'))" if _is_binary(kind) else f"json_extract(value, '$[{place}]')"
            for place, kind in enumerate(types)
        )
        source = f"SELECT {values} FROM json_each(?) WHERE true"  # noqa: S608 - our own column numbers
    else:
        arrays = ", ".join(f"%s::{kind.compile(dialect)}[]" for kind in types)
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - types of our own columns
    text = f"INSERT INTO {table.name} ({', '.join(columns)}) {source}"
    if on_conflict:
        text += f" ON CONFLICT {on_conflict}"
    if returning:
        text += f" RETURNING {', '.join(returning)}"
    return text, [_binder(dialect, kind) for kind in types]


def _is_binary(kind: TypeEngine[Any]) -> bool:
    return isinstance(kind, LargeBinary)


def _binder(dialect: Dialect, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """How a Python value travels: by SQLAlchemy's own rule, and bytes as hex inside SQLite's JSON."""
    if dialect.name == "sqlite" and _is_binary(kind):
        return _hex
    bind = kind.dialect_impl(dialect).bind_processor(dialect)
    # All rows of a batch carry the same moment
    return lru_cache(maxsize=8)(bind) if bind and isinstance(kind, UtcDateTime) else bind


@lru_cache(maxsize=64)
def _readers(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> list[Callable[[Any], Any] | None]:
    return [_reader(dialect, table.c[name].type) for name in columns]


def _reader(dialect: Dialect, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
