"""All commands below `flask`."""

import sys
from datetime import date
from pathlib import Path
from typing import IO

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from petitions import settings, worker
from petitions.cli.keys import keys
from petitions.cli.lazily import LazyGroup
from petitions.cli.setup import prepare_installation
from petitions.cli.telling import refusals, shelf
from petitions.content import reading, writing
from petitions.migrations.upgrade import is_current
from petitions.models.states import TallyKind
from petitions.queries.catalogue import catalogue
from petitions.queries.keys import check_of
from petitions.services import accounts, campaigns, exports, tallies

campaign = AppGroup("campaign", help="Campaign folders: check, import, export.")
staff = AppGroup("staff", help="Accounts for the staff pages.")
signatures = LazyGroup(
    "signatures", help="Handing signatures over.", elsewhere={"open": "petitions.cli.opening:open_signatures"}
)
tally = AppGroup("tally", help="Paper signatures and letters that came back.")


def register(app: Flask) -> None:
    """Make every command known to `flask`."""
    for group in (campaign, keys, staff, signatures, tally):
        app.cli.add_command(group)
    for command in (setup, run_worker, doctor):
        app.cli.add_command(command)


@click.command("setup")
@with_appcontext
def setup() -> None:
    """Make secrets and database ready; in demo mode also the demo key and campaign. Safe to repeat."""
    with refusals():
        prepare_installation(shelf())


@click.command("worker")
@with_appcontext
def run_worker() -> None:
    """Send mails until stopped; for installations with PETITIONS_WORKER=0."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    loop = worker.Worker(app)
    click.echo("Sending mails; Ctrl-C ends.")
    try:
        loop.run()
    except KeyboardInterrupt:
        loop.stop()


@click.command("doctor")
@click.option("--settings", "show_settings", is_flag=True, help="List every setting as the README does.")
@with_appcontext
def doctor(show_settings: bool) -> None:
    """Say whether this installation can take signatures."""
    if show_settings:
        click.echo(settings_table())
        return
    faults = _installation_faults()
    for fault in faults:
        click.echo(fault, err=True)
    click.echo("All is well." if not faults else f"{len(faults)} fault(s).")
    sys.exit(1 if faults else 0)


def _installation_faults() -> list[str]:
    if not is_current():
        return ["The database is not up to date: flask setup"]
    public = catalogue()
    faults = [] if public.public_keys else ["There is no key to seal to: flask keys create PATH"]
    faults += [] if public.campaigns else ["There is no public campaign: flask campaign import PATH"]
    unproven = [each.slug for each in public.campaigns if each.is_open and check_of(each.slug).checked_at is None]
    return faults + [f"{slug} is open, but not all keys are proven to work: flask keys check" for slug in unproven]


def settings_table() -> str:
    """The table of settings in Markdown."""
    rows = ["| Setting | Default | What it is for |", "|---|---|---|"]
    rows += [f"| `{name}` | {f'`{default}`' if default else ''} | {help} |" for name, default, help in settings.table()]
    return "\n".join(rows)


@campaign.command("check")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def check_campaign(path: Path) -> None:
    """Say what is wrong with the folder at PATH, and which translations are missing."""
    with refusals():
        content = reading.read(path)
    for file in reading.missing_texts(content):
        click.echo(f"{file}: not translated yet; visitors will read {content.languages[0]} there")
    click.echo(f"{content.slug}: {len(content.cases)} cases, {', '.join(content.languages)}: no faults.")


@campaign.command("import")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def import_campaign(path: Path) -> None:
    """Take the folder at PATH over into the database. Nothing changes if it has faults."""
    with refusals():
        content = reading.read(path)
        campaigns.import_campaign(content, shelf())
    click.echo(f"{content.slug}: imported, {len(content.cases)} cases.")


@campaign.command("export")
@click.argument("slug")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def export_campaign(slug: str, path: Path) -> None:
    """Write the campaign SLUG as a folder at PATH, which must be new or empty."""
    if path.exists() and any(path.iterdir()):
        raise click.ClickException(f"{path} is not empty")
    with refusals():
        writing.write(campaigns.export_campaign(slug), path)
    click.echo(f"{slug}: exported to {path}.")


@staff.command("create")
@click.argument("name")
@click.password_option(help="Asked for if not given; at least 12 characters.")
def create_staff(name: str, password: str) -> None:
    """Make an account for the staff pages."""
    with refusals():
        accounts.create_account(name, password)
    click.echo(f"{name} can now sign in at /admin/.")


@signatures.command("export")
@click.option("--sealed", is_flag=True, help="As they lie here: the only way in which names leave the server.")
@click.option("--campaign", "slug", help="The campaign; by default the current one.")
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-", help="By default standard output.")
def export_signatures(sealed: bool, slug: str | None, output: IO[str]) -> None:
    """Write the confirmed signers, a line of JSON each, for `flask signatures open` on the officer's machine."""
    if not sealed:
        raise click.UsageError("Private keys stay off the server: add --sealed, and open the file elsewhere.")
    with refusals():
        campaign = catalogue().campaign(slug) if slug else catalogue().current
        output.writelines(exports.sealed_lines(campaign.slug, by="command"))


@tally.command("record", context_settings={"ignore_unknown_options": True})  # -5 is a number
@click.argument("case_slug")
@click.argument("kind", type=click.Choice([str(kind) for kind in TallyKind]))
@click.argument("number", type=int)
@click.option("--note", default="", help="Where they came from.")
def record_tally(case_slug: str, kind: str, number: int, note: str) -> None:
    """Add NUMBER paper signatures or letters to a case of the current campaign; a negative number takes back."""
    if number == 0:
        raise click.ClickException("The number must not be 0")
    with refusals():
        case = catalogue().current.case(case_slug)
        tallies.record_tally(case, TallyKind(kind), number, date.today(), note)  # noqa: DTZ011 - the desk's own calendar
    click.echo(f"{case_slug}: {number:+d} {kind}.")
