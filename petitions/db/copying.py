"""All rows of a database in another one, of the same or of the other kind, with the same tables."""

from sqlalchemy import Connection, Table, func, insert, select

from petitions.db.base import Base

CHUNK = 2_000  # rows


def copy_rows(source: Connection, target: Connection, without: frozenset[str] = frozenset()) -> None:
    """Copy every table, parents first, except the tables named in `without`, in the caller's two transactions."""
    for table in Base.metadata.sorted_tables:
        if table.name in without:
            continue
        result = source.execution_options(yield_per=CHUNK).execute(select(table))
        for rows in result.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in rows])
        if target.dialect.name == "postgresql":
            _continue_numbers(target, table)


def _continue_numbers(target: Connection, table: Table) -> None:
    """Let the next row that Postgres numbers itself follow the copied ones."""
    column = table.autoincrement_column
    if column is None:
        return
    sequence = target.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
    if sequence:
        last = select(func.max(column)).scalar_subquery()
        target.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))
