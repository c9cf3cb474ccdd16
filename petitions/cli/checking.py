"""`flask doctor` and `flask upgrade`: whether this installation is sound, and how it gets a new version."""

import json
import sys

import click
from flask.cli import with_appcontext

from petitions import settings
from petitions.cli.helpers import catalogue_cache, refusals
from petitions.cli.setup import prepare_installation
from petitions.migrations.upgrade import is_current
from petitions.queries.checks import Checkup
from petitions.services.operations import diagnosis, snapshots


@click.command("doctor")
@click.option("--settings", "show_settings", is_flag=True, help="List every setting as docs/settings.md does.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one object with `faults` and `notes`.")
@with_appcontext
def doctor(show_settings: bool, as_json: bool) -> None:
    """Check whether this installation can accept signatures and keeps what it promises.

    Exits with status 1 if there are problems.
    """
    if show_settings:
        click.echo(settings_table())
        return
    found = diagnosis.diagnose()
    if as_json:
        click.echo(json.dumps({"faults": found.faults, "notes": found.notes}, ensure_ascii=False))
    else:
        _tell(found)
    sys.exit(1 if found.faults else 0)


@click.command("upgrade")
@with_appcontext
def upgrade() -> None:
    """Bring the database to this version: copy it, change it, and check it. Stop the server first."""
    if is_current():
        click.echo(f"The database fits version {settings.version()} already.")
        return
    with refusals():
        path = snapshots.take()
        click.echo(f"Copied the database as it was to {path}")
        prepare_installation(catalogue_cache())
    _tell(diagnosis.diagnose())
    click.echo(
        f"The database now fits version {settings.version()}. To go back: stop the server, check out the version that "
        f"you had, and put the copy back ({path}): docs/operating.md says how."
    )


def settings_table() -> str:
    """The table of settings, in Markdown."""
    rows = ["| Setting | Default | What it is for |", "|---|---|---|"]
    rows += [f"| `{name}` | {f'`{default}`' if default else ''} | {help} |" for name, default, help in settings.table()]
    return "\n".join(rows)


def _tell(found: Checkup) -> None:
    for note in found.notes:
        click.echo(note)
    for fault in found.faults:
        click.echo(fault, err=True)
    click.echo("No problems found." if not found.faults else f"Problems found: {len(found.faults)}.")
