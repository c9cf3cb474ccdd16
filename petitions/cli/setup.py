"""`flask setup`: secrets, database, and in demo mode the demo key and campaign."""

import secrets
from pathlib import Path

import click

from petitions import file_modes
from petitions.cli.keys import prove_keys
from petitions.content import reading
from petitions.domain import sealing
from petitions.migrations.upgrade import upgrade
from petitions.queries.catalogue import CatalogueCache, catalogue
from petitions.queries.recipient_keys import check_of
from petitions.services import installation, journal
from petitions.services.campaigns import folders
from petitions.services.keys import recipient_keys
from petitions.services.keys.keyring import keyring, settings
from petitions.services.paper import kit_orders
from petitions.settings import ROOT

DEMO_CAMPAIGN = ROOT / "petitions" / "demo" / "write-for-rights-2024"


def prepare_installation(catalogue_cache: CatalogueCache) -> None:
    """Create what the server needs to start. Changes nothing that exists.

    Exits with a sentence for each lost key: a new one would silently make links or signers worthless.
    """
    config = settings()
    config.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    upgrade()
    _make_secrets(config.instance)
    file_modes.close_to_others(config)
    installation.note_keys()
    found = installation.faults(catalogue_cache)
    if found:
        raise click.ClickException("\n".join(found))
    if not config.demo:
        return
    path = config.instance / "demo-key.txt"
    if not recipient_keys.has_recipients():
        private, public = sealing.new_identity()
        _write_secret(path, private)
        recipient_keys.add_recipient("demo", public, catalogue_cache)
        click.echo(f"Created a demo key, to which names are encrypted: {path}")
    if not catalogue().version:
        folders.import_campaign(reading.read(DEMO_CAMPAIGN), catalogue_cache)
        kit_orders.set_open(DEMO_CAMPAIGN.name, True, journal.COMMAND)
        click.echo("Imported the demo campaign.")
        if path.is_file():
            prove_keys(check_of(), sealing.identities_in(path.read_bytes(), ask=str))
    click.echo(f"Demo mode: open {config.base_url}/ - all e-mails are shown at {config.base_url}/demo/mailbox/")


def _make_secrets(instance: Path) -> None:
    """Generate the two secrets of this server, unless the environment provides them."""
    ring = keyring()
    missing = [name for name in installation.LOSS if not getattr(ring, name)]
    lost = [installation.lost(name) for name in missing if installation.was_made_with(name)]
    if lost:
        raise click.ClickException("\n".join(lost))
    if not ring.secret_key:
        ring.secret_key = secrets.token_urlsafe(48)
        _write_secret(instance / "secret_key", ring.secret_key)
    if not ring.master_key:
        private, _ = sealing.new_identity()
        _write_secret(instance / "master_key", private)
        ring.set_master_key(private)


def _write_secret(path: Path, secret: str) -> None:
    path.touch(mode=0o600)
    path.write_text(f"{secret}\n")
