"""Writes a migration from the difference between the models and the migrations; `make migration NAME="words about it"`.

Read what it wrote: Alembic sees new tables and columns, but neither renames nor data.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from petitions.db.base import db
from petitions.factory import create_app
from petitions.migrations import upgrade
from petitions.settings import Settings
from tests.migrations.test_migrations import load_old
from tests.support.factories import close_app

MIGRATIONS = Path(upgrade.__file__).parent


@contextmanager
def migrated_database(folder: Path) -> Iterator[None]:
    """A scratch database that went through every migration; a new one would be made from the models at once."""
    app = create_app(Settings.from_env({"PETITIONS_INSTANCE": str(folder), "PETITIONS_LOG_LEVEL": "WARNING"}))
    try:
        with app.app_context():
            load_old()
            upgrade.upgrade()
            yield
    finally:
        close_app(app)


def main() -> None:
    """Write the next numbered file into petitions/migrations/versions."""
    words = " ".join(sys.argv[1:])
    if not words:
        sys.exit('Say what the migration does:  make migration NAME="accounts are disabled"')
    number = f"{int(ScriptDirectory(str(MIGRATIONS)).get_current_head() or 0) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder, migrated_database(Path(folder)), db.engine.connect() as connection:
        command.revision(upgrade.config(connection), message=words, autogenerate=True, rev_id=number)
    [made] = (MIGRATIONS / "versions").glob(f"{number}*.py")
    path = made.with_name(f"{number}_{re.sub(r'[^a-z0-9]+', '_', words.lower()).strip('_')}.py")
    made.rename(path)
    print(path.relative_to(MIGRATIONS.parent.parent))


if __name__ == "__main__":
    main()
