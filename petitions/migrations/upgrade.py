"""Runs the migrations. The configuration is in code, not in an ini file."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata as compare
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect

from petitions import models  # noqa: F401 - registers the tables
from petitions.db.base import Base, db
from petitions.db.engine import prepare
from petitions.db.transactions import write_lock
from petitions.models.extras import EXTRAS


def config(connection: Connection) -> Config:
    """Alembic's configuration, bound to an open connection that is set up for migrating."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def upgrade(revision: str = "head") -> None:
    """Bring the database to `revision`, completely or not at all; an empty one gets the models' tables directly."""
    _run(_create_or_upgrade, revision)


def upgrade_file(path: Path) -> None:
    """The same for the SQLite file `path`, which is not this installation's database."""
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    prepare(engine)
    try:
        with engine.connect() as connection:
            one_file(connection)
            _migrate(connection, _create_or_upgrade, "head")
    finally:
        engine.dispose()


def one_file(connection: Connection) -> None:
    """Write no log beside an SQLite file that is not in use yet: it is whole, whenever this process ends."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA journal_mode=DELETE")


def stamp_new(connection: Connection, revision: str = "head") -> None:
    """Note in a database with the models' tables that it is at `revision`, and add what tables cannot say."""
    for statement in EXTRAS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
    command.stamp(config(connection), revision)


def downgrade(revision: str) -> None:
    """Bring the database back to `revision`."""
    _run(command.downgrade, revision)


def is_current() -> bool:
    """Whether the database is at the newest revision; False before the first `flask setup`."""
    newest = ScriptDirectory(str(Path(__file__).parent)).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def is_new() -> bool:
    """Whether there are no tables yet."""
    with db.engine.connect() as connection:
        return not inspect(connection).has_table("alembic_version")


def differences() -> list[Any]:
    """How the models differ from the migrated database; empty if they agree."""
    from_models = Base.metadata
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare(context, from_models))


def _create_or_upgrade(made: Config, revision: str) -> None:
    connection: Connection = made.attributes["connection"]
    if inspect(connection).has_table("alembic_version"):
        command.upgrade(made, revision)
    else:
        Base.metadata.create_all(connection)
        stamp_new(connection, revision)


def _run(step: Any, revision: str) -> None:
    with write_lock().held():
        try:
            with db.engine.connect() as connection:
                _migrate(connection, step, revision)
        finally:
            db.engine.dispose()  # otherwise a pooled connection would keep foreign_keys=OFF


def _migrate(connection: Connection, step: Any, revision: str) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # Batch migrations drop and remake a table; with foreign keys on, that deletes the rows of its children
        # without an error. The pragma does nothing inside a transaction, so it goes to the driver.
        connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
    writing = connection.execution_options(writes=True)
    with writing.begin():
        if not is_sqlite:
            writing.exec_driver_sql(
                "SELECT pg_advisory_xact_lock(7316527)"
            )  # against two servers that start at the same time
        step(config(writing), revision)
        if is_sqlite and writing.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError("the migration left rows without their parents")
