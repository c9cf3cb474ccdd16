"""Migrations: they match the models, work up and down, and lose no rows."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Column, Integer, Table, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from petitions.db.base import Base, db
from petitions.db.transactions import reading
from petitions.domain.retention import MarkKey
from petitions.migrations import upgrade as upgrading
from petitions.migrations.upgrade import differences, downgrade, upgrade
from petitions.models import Campaign, CampaignText, Case, JournalRow, Story, StoryText
from petitions.queries.retention import marks
from tests.support.factories import Keys, close_app, in_threads, make_app
from tests.support.filling import fill, numbers
from tests.support.postgres import Postgres

on_sqlite = pytest.mark.parametrize("empty_app", ["sqlite"], indirect=True)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """An application, with a context, on a database without tables."""
    server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    url = server.empty_url() if server else f"sqlite:///{tmp_path / 'empty.db'}"
    app = make_app(url, tmp_path, keys)
    with app.app_context():
        yield app
    close_app(app)
    if server:
        server.drop(url)


def rows_in_every_table() -> dict[str, int]:
    """Fill the database; gives the number of rows of each table."""
    with db.engine.execution_options(writes=True).begin() as connection:
        return fill(connection)


def tables() -> set[str]:
    """The tables there are."""
    with reading() as connection:
        names = connection.dialect.get_table_names(connection)
    return set(names) - {"alembic_version"}


def test_the_migrations_lead_to_what_the_models_say(empty_app: Flask) -> None:
    upgrade()
    assert differences() == []
    assert tables() == set(Base.metadata.tables)


def test_a_model_that_no_migration_knows_is_noticed(empty_app: Flask) -> None:
    upgrade()
    forgotten = Table("forgotten", Base.metadata, Column("id", Integer, primary_key=True))
    try:
        assert [kind for kind, *_ in differences()] == ["add_table"]
    finally:
        Base.metadata.remove(forgotten)
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE accounts DROP COLUMN created_at")
    assert [kind for kind, *_ in differences()] == ["add_column"]


def load_old() -> dict[str, int]:
    """The database of revision 0002 as its version made it, a row in every table; gives the number of rows of each."""
    folder = Path(__file__).parent.parent / "data"
    script = (folder / f"database-0002.{db.engine.dialect.name}.sql").read_text(encoding="utf-8")
    with db.engine.connect().execution_options(writes=True) as connection:
        driver: Any = connection.connection.driver_connection
        (driver.executescript if db.engine.dialect.name == "sqlite" else driver.execute)(script)
        driver.commit()
        names = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in names}


def schema() -> dict[str, Any]:
    """What the database says of its tables, as far as it may not depend on how they were made."""
    found: dict[str, Any] = {}
    with reading() as connection:
        look = inspect(connection)
        for name in tables():
            parts = [look.get_pk_constraint(name), *look.get_foreign_keys(name), *look.get_indexes(name)]
            parts += [*look.get_unique_constraints(name), *look.get_check_constraints(name), *look.get_columns(name)]
            found[name] = sorted(re.sub(r"[()\n ]|::\w+( varying)?|\[\]", "", repr(part)) for part in parts)
        kept = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        kept = kept if connection.dialect.name == "sqlite" else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        found["triggers"] = sorted(connection.exec_driver_sql(kept).scalars())
        if connection.dialect.name == "sqlite":
            rowless = "SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID'"
            found["without rowid"] = sorted(connection.exec_driver_sql(rowless).scalars())
        else:
            silent = (
                "SELECT attrelid::regclass::text || attname FROM pg_attribute WHERE attstattarget = 0 AND attnum > 0"
            )
            found["no statistics"] = sorted(connection.exec_driver_sql(silent).scalars())
    return found


def test_an_old_database_with_rows_in_every_table_goes_up_down_and_up_without_loss(empty_app: Flask) -> None:
    before = load_old()
    assert set(before.values()) == {1}
    before["collectors"] = before.pop("passes")
    upgrade()
    assert differences() == []
    for again in (False, True):
        with reading() as connection:
            after = numbers(connection)
        assert {name: after[name] for name in before if name in after} == before, again
        downgrade("0002")
        upgrade()
    assert differences() == []


def test_a_new_database_is_like_one_that_was_upgraded(
    empty_app: Flask, tmp_path: Path, keys: Keys, request: pytest.FixtureRequest
) -> None:
    load_old()
    upgrade()
    upgraded = schema()
    is_sqlite = db.engine.dialect.name == "sqlite"
    server: Postgres | None = None if is_sqlite else request.getfixturevalue("postgres")
    url = server.empty_url() if server else f"sqlite:///{tmp_path / 'new.db'}"
    new = make_app(url, tmp_path, keys)
    with new.app_context():
        upgrade()
        made = schema()
        assert {name: set(parts) ^ set(made[name]) for name, parts in upgraded.items()} == {
            name: set() for name in made
        }
        assert upgraded["triggers"]
    close_app(new)
    if server:
        server.drop(url)


def test_upgrading_twice_changes_nothing(empty_app: Flask) -> None:
    upgrade()
    before = rows_in_every_table()
    upgrade()
    with reading() as connection:
        assert numbers(connection) == before


def test_two_servers_that_start_at_once_migrate_once(
    empty_app: Flask, tmp_path: Path, keys: Keys, request: pytest.FixtureRequest
) -> None:
    other = make_app(empty_app.config["SQLALCHEMY_DATABASE_URI"], tmp_path, keys)

    def start(app: Flask) -> None:
        with app.app_context():
            upgrade()

    assert in_threads(empty_app, [lambda: start(empty_app), lambda: start(other)]) == [None, None]
    close_app(other)
    assert differences() == []


# The trap: on SQLite a changed column means a new table. With foreign keys on, dropping the old one deletes or refuses
# its children. These migrations are made up; they change a table that others point to.

WIDEN = '''
"""a wider slug"""
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9998", "{after}"
branch_labels = depends_on = None

def upgrade() -> None:
    {up}

def downgrade() -> None:
    {down}
'''
ALTER = (
    'with op.batch_alter_table("campaigns") as batch:\n'
    '        batch.alter_column("slug", existing_type=sa.String(length={old}), type_=sa.String(length={new}))'
)
VERSIONS = Path(upgrading.__file__).parent / "versions"
HEAD = str(ScriptDirectory(str(VERSIONS.parent)).get_current_head())


@pytest.fixture
def with_migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """A function that puts one more migration on top of ours."""

    def add(up: str, down: str) -> None:
        versions = tmp_path / "versions"
        versions.mkdir()
        (versions / "9998_made_up.py").write_text(WIDEN.format(after=HEAD, up=up, down=down))
        honest = upgrading.config

        def config(connection: Any) -> Any:
            made = honest(connection)
            made.set_main_option("version_locations", f"{VERSIONS}:{versions}")
            return made

        monkeypatch.setattr(upgrading, "config", config)

    return add


@pytest.fixture
def widening(with_migration: Callable[[str, str], None]) -> None:
    """A migration that remakes the table of campaigns, there and back."""
    with_migration(ALTER.format(old=80, new=90), ALTER.format(old=90, new=80))


def upgrade_naively() -> None:
    """The mutant: as a stock Alembic environment does it, with foreign keys left on."""
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(upgrading.config(connection), "head")


def only_content() -> dict[str, int]:
    """A campaign whose children all go with it when it is deleted, as before the first signature."""
    with db.engine.execution_options(writes=True).begin() as connection:
        fill(connection)
        for table in reversed(Base.metadata.sorted_tables):
            kept = {each.__tablename__ for each in (Campaign, CampaignText, Case, Story, StoryText, JournalRow)}
            if table.name not in kept:
                connection.execute(table.delete())
        return {name: number for name, number in numbers(connection).items() if number}


@pytest.mark.usefixtures("widening")
def test_remaking_a_table_keeps_the_rows_of_all_its_children(empty_app: Flask) -> None:
    upgrade(HEAD)
    before = rows_in_every_table()
    assert set(before.values()) == {1}
    for step in (upgrade, lambda: downgrade(HEAD), upgrade):
        step()
        with reading() as connection:
            assert numbers(connection) == before


@on_sqlite
@pytest.mark.usefixtures("widening")
def test_without_care_the_children_would_be_lost_without_an_error(empty_app: Flask) -> None:
    upgrade(HEAD)
    before = only_content()
    assert before == {"campaigns": 1, "campaign_texts": 1, "cases": 1, "stories": 1, "story_texts": 1, "journal": 1}
    upgrade_naively()
    with reading() as connection:
        after = {name: number for name, number in numbers(connection).items() if number}
    assert after == {"campaigns": 1, "journal": 1}, "this is the trap; if it no longer snaps, the careful way may go"


@on_sqlite
@pytest.mark.usefixtures("widening")
def test_without_care_a_campaign_with_signatures_could_not_be_migrated(empty_app: Flask) -> None:
    upgrade(HEAD)
    rows_in_every_table()
    with pytest.raises(IntegrityError):
        upgrade_naively()


def test_a_migration_that_fails_half_way_is_undone_wholly(
    empty_app: Flask, with_migration: Callable[[str, str], None]
) -> None:
    with_migration(
        f'{ALTER.format(old=80, new=90)}\n    op.execute("DELETE FROM messages")\n    op.execute("OH NO")', "pass"
    )
    upgrade(HEAD)
    before = rows_in_every_table()
    with pytest.raises(DBAPIError):
        upgrade()
    with reading() as connection:
        assert numbers(connection) == before
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
    assert differences() == []


@on_sqlite
def test_a_migration_that_leaves_orphans_is_undone(
    empty_app: Flask, with_migration: Callable[[str, str], None]
) -> None:
    with_migration('op.execute("DELETE FROM campaigns")', "pass")
    upgrade(HEAD)
    before = rows_in_every_table()
    with pytest.raises(RuntimeError, match="without their parents"):
        upgrade()
    with reading() as connection:
        assert numbers(connection) == before


@on_sqlite
def test_after_a_migration_every_connection_guards_foreign_keys_again_also_when_it_failed(
    empty_app: Flask, with_migration: Callable[[str, str], None]
) -> None:
    def guards() -> set[int]:
        with db.engine.connect() as one, db.engine.connect() as two:
            return {connection.exec_driver_sql("PRAGMA foreign_keys").scalar() for connection in (one, two)}

    upgrade(HEAD)
    assert guards() == {1}
    with_migration('op.execute("OH NO")', "pass")
    with pytest.raises(DBAPIError):
        upgrade()
    assert guards() == {1}


def test_every_migration_can_be_undone_and_says_what_it_does() -> None:
    for path in VERSIONS.glob("*.py"):
        text = path.read_text()
        assert text.startswith('"""'), path.name
        assert "def downgrade() -> None:\n    pass" not in text, path.name


def test_marks_with_joined_names_keep_their_moments_forwards_and_back(empty_app: Flask) -> None:
    days = {"closed 12": 1, "retention": 2, "boot 5f-3": 3}
    upgrade()
    downgrade("0011")
    insert = text("INSERT INTO marks (name, at) VALUES (:name, :at)")
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(insert, [{"name": name, "at": f"2026-01-0{day} 12:00:00"} for name, day in days.items()])
    for step in (upgrade, lambda: downgrade("0011"), upgrade):
        step()
    expected = {MarkKey(*name.split()): day for name, day in days.items()}
    with reading() as connection:
        assert {key: at.day for key, at in marks(connection).items()} == expected, empty_app.name
