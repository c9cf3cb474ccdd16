"""Commands for retention and backup."""

import sys
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from petitions import clock
from petitions.cli.helpers import refusals
from petitions.domain.retention import Clock
from petitions.queries import retention as rules
from petitions.services.operations import backup as backups
from petitions.services.operations import recovery, restore
from petitions.services.privacy import retention as services

retention = AppGroup("retention", help="Retention: erasing what is no longer needed; the worker does it each hour.")


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only print what would be erased.")
def run(dry_run: bool) -> None:
    """Erase what is due. Prints numbers only; nobody is named."""
    if dry_run:
        _say_plans()
        return
    done = services.run()
    if done.clock != Clock.TRUSTED:
        click.echo(f"Nothing was erased: the clock cannot be trusted ({done.clock}). See docs/operating.md.", err=True)
        sys.exit(1)
    click.echo(f"{done.expired} signatures expired, {done.erased} signers erased, {done.mails} e-mails wiped.")


def _say_plans() -> None:
    now = clock.now()
    click.echo(f"Clock: {rules.clock_state()}")
    for plan in rules.plans(now):
        work = rules.work(plan, now)
        by = f"{plan.erased_by:%Y-%m-%d}" if plan.erased_by else "unknown: it has no end yet"
        click.echo(f"{plan.slug}: {work.stored} signers known, to be erased by {by}")
        click.echo(
            f"  now: {work.expiring} signatures to expire, {work.forgetting} signers without a counted signature"
        )
        click.echo(f"  now: {work.due} signers because the campaign is over, {work.mails} e-mails to wipe")
        if work.never_exported:
            click.echo(f"  WARNING: {work.never_exported} want news, and their addresses were never exported")


@retention.command("replay")
def replay() -> None:
    """Repeat the erasures, withdrawals and wishes in the ledger. Run it after a backup was restored."""
    with refusals():
        click.echo(f"{restore.replay()} entries were undone by the backup, and are applied again.")


@retention.command("trust-clock")
def trust_clock() -> None:
    """Declare that this machine's clock is right, after you checked it."""
    services.trust_clock()
    click.echo(f"It is {clock.now():%Y-%m-%d %H:%M} UTC: trusted from now on.")


@click.command("handed-over")
@click.argument("slug")
@click.option("--undo", is_flag=True, help="It was recorded by mistake.")
@with_appcontext
def handed_over(slug: str, undo: bool) -> None:
    """Record that the signatures of SLUG were delivered: 30 days later every name is erased."""
    with refusals():
        (services.undo_delivery if undo else services.record_delivery)(slug)
    click.echo(f"{slug}: {'not delivered' if undo else 'delivered; names are erased in 30 days'}.")


@click.command("backup")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def backup(path: Path) -> None:
    """Write everything into the new file PATH while the server runs, and check it."""
    with refusals():
        backups.copy_database(path)
    click.echo(f"{path}: copied and verified.")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def restore_backup(file: Path) -> None:
    """Put the backup FILE in place, in an instance folder that holds only secret_key and master_key.

    Refuses if there is a database. Afterwards it repeats what the ledger says that people did since the backup.
    """
    with refusals():
        made_at = recovery.restore(file)
        undone = restore.replay()
    click.echo(f"Restored the backup of {made_at:%Y-%m-%d %H:%M} UTC; {undone} later acts were repeated.")
    click.echo("Now run: flask setup, flask doctor, and start the server.")
