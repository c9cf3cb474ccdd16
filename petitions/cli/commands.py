"""All commands below `flask`."""

import signal
import sys
import time
from datetime import date
from pathlib import Path
from typing import IO

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from petitions import clock, worker
from petitions.cli import checking, privacy, retention
from petitions.cli.helpers import catalogue_cache, identities, private_files, refusals
from petitions.cli.keys import keys
from petitions.cli.lazy_group import LazyGroup
from petitions.cli.setup import prepare_installation
from petitions.cli.staff import journal, staff
from petitions.content import changes, reading, writing
from petitions.domain import decrypt_export, sealing
from petitions.domain.states import CaseState, CollectorKind, TallyKind
from petitions.queries.catalogue import catalogue
from petitions.services import journal as acts
from petitions.services.campaigns import folders, states
from petitions.services.paper import collectors, tallies
from petitions.services.privacy import exports
from petitions.services.privacy import retention as retention_service

campaign = LazyGroup(
    "campaign",
    help="Campaign folders: check, import, export; and a closed campaign as plain files.",
    elsewhere={
        "freeze": "petitions.cli.freeze:freeze",
        "import": "petitions.cli.importing:import_campaign",
    },
)
collector = AppGroup("collector", help="Collectors: schools, stalls and others who gather signatures and letters.")
signatures = LazyGroup(
    "signatures",
    help="Export of the signatures for delivery.",
    elsewhere={"open": "petitions.cli.decrypt_export:open_signatures"},
)
tally = AppGroup("tally", help="Paper signatures and letters that came back.")


def register(app: Flask) -> None:
    """Register every command with `flask`."""
    campaign.add_command(retention.handed_over)
    theirs = (retention.retention, privacy.privacy)
    for group in (campaign, keys, staff, journal, collector, signatures, tally, *theirs):
        app.cli.add_command(group)
    for command in (setup, run_worker, checking.doctor, checking.upgrade, retention.backup, retention.restore_backup):
        app.cli.add_command(command)


@click.command("setup")
@with_appcontext
def setup() -> None:
    """Create the secrets and bring the database up to date; in demo mode also the demo key and campaign.

    Safe to repeat.
    """
    with refusals():
        prepare_installation(catalogue_cache())


@click.command("worker")
@with_appcontext
def run_worker() -> None:
    """Send e-mails until stopped; for installations with PETITIONS_WORKER=0.

    Exits with status 1 if the database is damaged. Ctrl-C and SIGTERM let the e-mail that is being sent leave, and
    release the others. Press Ctrl-C again to stop at once.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way to the application itself
    # A signal interrupts this thread only; the e-mail leaves in the worker's thread
    for number in (signal.SIGTERM, signal.SIGINT):  # commands started with & ignore SIGINT
        signal.signal(number, signal.default_int_handler)
    loop = worker.Worker(app)
    thread = loop.start()
    try:
        click.echo("Sending e-mails; press Ctrl-C to stop.")
        while thread.is_alive():  # not join(): after an interrupt, Python 3.11 takes the thread for ended
            time.sleep(1)
    except KeyboardInterrupt:
        loop.stop()
        thread.join()
    sys.exit(1 if loop.failed else 0)


@campaign.command("check")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def check_campaign(path: Path) -> None:
    """Check the folder at PATH: print its faults, and which translations are missing."""
    with refusals():
        content = reading.read(path)
    for place, language in changes.unfinished(content):
        click.echo(f"{place}/{language}.md: is a draft; the staff pages open no campaign with it")
    for file in reading.missing_texts(content):
        click.echo(f"{file}: not translated yet; visitors will read {content.languages[0]} there")
    click.echo(f"{content.slug}: {len(content.cases)} cases, {', '.join(content.languages)}: no faults.")


@campaign.command("export")
@click.argument("slug")
@click.argument("path", type=click.Path(path_type=Path, file_okay=False))
def export_campaign(slug: str, path: Path) -> None:
    """Write the campaign SLUG as a folder at PATH, which must be new or empty."""
    if path.exists() and any(path.iterdir()):
        raise click.ClickException(f"{path} is not empty")
    with refusals():
        writing.write(folders.export_campaign(slug), path)
    click.echo(f"{slug}: exported to {path}.")


@collector.command("create")
@click.argument("title")
@click.option("--kind", type=click.Choice([str(each) for each in CollectorKind]), default="stall", show_default=True)
@click.option("--most", default=collectors.DEFAULT_SIGNERS, show_default=True, help="Signers who need not wait.")
def create_collector(title: str, kind: str, most: int) -> None:
    """Make the collector TITLE for the current campaign, and print its code."""
    with refusals():
        slug = catalogue().current.slug
        code = collectors.create(slug, CollectorKind(kind), title, most, clock.now(), None)
    click.echo(f"{title}: {code}, for {most} signers.")


@signatures.command("export")
@click.option("--sealed", is_flag=True, help="Encrypted, as stored, to be decrypted on another machine.")
@click.option("--identity", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A private key file.")
@click.option("--campaign", "slug", help="The campaign; by default the current one.")
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-", help="By default standard output.")
def export_signatures(sealed: bool, identity: Path | None, slug: str | None, output: IO[str]) -> None:
    """Write the confirmed signatures: as CSV with --identity, or encrypted with --sealed.

    A private key on the server can be stolen: real campaigns use --sealed, and `flask signatures open` elsewhere.
    """
    if sealed == bool(identity):
        raise click.UsageError("Give either --sealed or --identity KEYFILE.")
    begun_at = clock.now()
    with refusals(), private_files():
        found = catalogue().campaign(slug) if slug else catalogue().current
        lines = exports.sealed_lines(found.slug, by="command")
        try:
            output.writelines(decrypt_export.csv_lines(lines, identities(identity)) if identity else lines)
        except sealing.CannotOpen as exc:
            raise click.ClickException("This key does not decrypt these signatures.") from exc
        retention_service.note_export(found.slug, begun_at)


@campaign.command("case")
@click.argument("case_slug", metavar="CASE")
@click.argument("state", type=click.Choice([each.value for each in CaseState if each != CaseState.DRAFT]))
@with_appcontext
def set_case_state(case_slug: str, state: str) -> None:
    """Open, pause, hide, win or close a case of the current campaign, at once."""
    with refusals():
        slug = catalogue().current.slug
        states.set_case_state(slug, case_slug, CaseState(state), acts.COMMAND, catalogue_cache())
    click.echo(f"{case_slug}: {state}.")


@tally.command("record", context_settings={"ignore_unknown_options": True})  # so that -5 is a number, not an option
@click.argument("case_slug")
@click.argument("kind", type=click.Choice([str(kind) for kind in TallyKind]))
@click.argument("number", type=int)
@click.option("--note", default="", help="Where they came from.")
def record_tally(case_slug: str, kind: str, number: int, note: str) -> None:
    """Add NUMBER paper signatures or letters to a case of the current campaign; a negative number corrects."""
    if number == 0:
        raise click.ClickException("The number must not be 0")
    with refusals():
        case = catalogue().current.case(case_slug)
        tallies.record_tally(case, TallyKind(kind), number, date.today(), note)  # noqa: DTZ011 - the operator's local date
    click.echo(f"{case_slug}: {number:+d} {kind}.")
