"""All commands below `flask`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from petitions import sealing, settings, worker
from petitions.cli.setup import prepare_installation
from petitions.content import reading, writing
from petitions.errors import ContentFaulty, DomainError
from petitions.migrations.upgrade import is_current
from petitions.models.states import TallyKind
from petitions.queries.catalogue import Shelf, catalogue
from petitions.services import accounts, campaigns, exports, recipients, tallies

campaign = AppGroup("campaign", help="Campaign folders: check, import, export.")
keys = AppGroup("keys", help="The section's keys, to which personal data is sealed.")
staff = AppGroup("staff", help="Accounts for the staff pages.")
signatures = AppGroup("signatures", help="Handing signatures over.")
tally = AppGroup("tally", help="Paper signatures and letters that came back.")


def register(app: Flask) -> None:
    """Make every command known to `flask`."""
    for group in (campaign, keys, staff, signatures, tally):
        app.cli.add_command(group)
    for command in (setup, run_worker, doctor):
        app.cli.add_command(command)


@contextmanager
def _refusals() -> Iterator[None]:
    """Print what a service refused, and end with status 1."""
    try:
        yield
    except ContentFaulty as why:
        for fault in why.faults:
            click.echo(fault, err=True)
        click.echo(f"{len(why.faults)} fault(s); nothing was changed.", err=True)
        sys.exit(1)
    except DomainError as why:
        click.echo(f"Refused: {why}", err=True)
        sys.exit(1)


def _shelf() -> Shelf:
    shelf: Shelf = current_app.extensions["petitions_shelf"]
    return shelf


@click.command("setup")
@with_appcontext
def setup() -> None:
    """Make secrets and database ready; in demo mode also the demo key and campaign. Safe to repeat."""
    with _refusals():
        prepare_installation(_shelf())


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
    return faults + ([] if public.campaigns else ["There is no public campaign: flask campaign import PATH"])


def settings_table() -> str:
    """The table of settings in Markdown."""
    rows = ["| Setting | Default | What it is for |", "|---|---|---|"]
    rows += [f"| `{name}` | {f'`{default}`' if default else ''} | {help} |" for name, default, help in settings.table()]
    return "\n".join(rows)


@campaign.command("check")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def check_campaign(path: Path) -> None:
    """Say what is wrong with the folder at PATH, and which translations are missing."""
    with _refusals():
        content = reading.read(path)
    for file in reading.missing_texts(content):
        click.echo(f"{file}: not translated yet; visitors will read {content.languages[0]} there")
    click.echo(f"{content.slug}: {len(content.cases)} cases, {', '.join(content.languages)}: no faults.")


@campaign.command("import")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def import_campaign(path: Path) -> None:
    """Take the folder at PATH over into the database. Nothing changes if it has faults."""
    with _refusals():
        content = reading.read(path)
        campaigns.import_campaign(content, _shelf())
    click.echo(f"{content.slug}: imported, {len(content.cases)} cases.")


@campaign.command("export")
@click.argument("slug")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def export_campaign(slug: str, path: Path) -> None:
    """Write the campaign SLUG as a folder at PATH, which must be new or empty."""
    if path.exists() and any(path.iterdir()):
        raise click.ClickException(f"{path} is not empty")
    with _refusals():
        writing.write(campaigns.export_campaign(slug), path)
    click.echo(f"{slug}: exported to {path}.")


@keys.command("create")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label", default="section", help="Whose key it is.")
def create_key(path: Path, label: str) -> None:
    """Make a key pair: the private key goes to the file PATH, the public one into the database.

    Move the file off this machine, to two safe places. Whoever has it can read every name; without it nobody can.
    """
    private, public = sealing.new_identity()
    _write_new(path, f"# Private key of {label}. Keep it off the server.\n# public key: {public}\n{private}\n")
    with _refusals():
        recipients.add_recipient(label, public, _shelf())
    click.echo(f"Private key: {path}\nPublic key:  {public}\nNow move the private key off this machine.")


@keys.command("add")
@click.argument("public_key")
@click.option("--label", default="section", help="Whose key it is.")
def add_key(public_key: str, label: str) -> None:
    """Seal to PUBLIC_KEY (age1…) too, whose private half was made elsewhere."""
    with _refusals():
        recipients.add_recipient(label, public_key, _shelf())
    click.echo("Added.")


def _write_new(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError as why:
        raise click.ClickException(f"{path} exists already; a key is never overwritten") from why
    except OSError as why:
        raise click.ClickException(f"{path}: {why.strerror}") from why
    path.write_text(text)


@staff.command("create")
@click.argument("name")
@click.password_option(help="Asked for if not given; at least 12 characters.")
def create_staff(name: str, password: str) -> None:
    """Make an account for the staff pages."""
    with _refusals():
        accounts.create_account(name, password)
    click.echo(f"{name} can now sign in at /admin/.")


@signatures.command("export")
@click.option("--identity", "identity_file", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--campaign", "slug", help="The campaign; by default the current one.")
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-", help="By default standard output.")
def export_signatures(identity_file: Path, slug: str | None, output: IO[str]) -> None:
    """Write the confirmed signatures as CSV, opened with the private key in the file --identity."""
    lines = identity_file.read_text().splitlines()
    identities = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    with _refusals():
        slug = (catalogue().campaign(slug) if slug else catalogue().current).slug
        if not identities:
            raise click.ClickException(f"{identity_file} holds no key")
        try:
            for line in exports.csv_lines(exports.opened_signatures(slug, identities)):
                output.write(line)
        except sealing.CannotOpen as why:
            raise click.ClickException("This key does not open these signatures.") from why


@tally.command("record", context_settings={"ignore_unknown_options": True})  # -5 is a number
@click.argument("case_slug")
@click.argument("kind", type=click.Choice([str(kind) for kind in TallyKind]))
@click.argument("number", type=int)
@click.option("--note", default="", help="Where they came from.")
def record_tally(case_slug: str, kind: str, number: int, note: str) -> None:
    """Add NUMBER paper signatures or letters to a case of the current campaign; a negative number takes back."""
    if number == 0:
        raise click.ClickException("The number must not be 0")
    with _refusals():
        case = catalogue().current.case(case_slug)
        tallies.record_tally(case, TallyKind(kind), number, date.today(), note)  # noqa: DTZ011 - the desk's own calendar
    click.echo(f"{case_slug}: {number:+d} {kind}.")
