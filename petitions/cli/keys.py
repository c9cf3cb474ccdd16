"""The section's keys: made, listed, retired, and proven to work."""

from pathlib import Path

import click
from flask.cli import AppGroup

from petitions.cli.helpers import catalogue_cache, identities, refusals
from petitions.domain import sealing
from petitions.domain.decrypt_export import fields_of
from petitions.queries import recipient_keys as queries
from petitions.queries.recipient_keys import KeyCheck
from petitions.services.keys import key_tests, recipient_keys
from petitions.services.keys.keyring import settings
from petitions.services.privacy import exports
from petitions.services.staff.accounts import SHORTEST_PASSWORD

keys = AppGroup("keys", help="The section's keys, to which personal data is sealed.")
_IDENTITY = click.Path(path_type=Path, exists=True, dir_okay=False)


@keys.command("create")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label", default="section", help="Whose key it is.")
@click.option("--no-passphrase", is_flag=True, help="Leave the file open to whoever finds it; for try-outs.")
def create_key(path: Path, label: str, no_passphrase: bool) -> None:
    """Make a key pair: the private key goes to the file PATH, behind a passphrase; the public one into the database.

    Move the file off this machine, to two safe places. Whoever has it and the passphrase can read every name; without
    them nobody can.
    """
    if settings().instance.resolve() in path.resolve().parents and not settings().demo:
        click.echo(f"WARNING: {path} lies in the instance folder: backups of the server will hold this key.", err=True)
    public, text = sealing.new_key_file(label, "" if no_passphrase else _new_passphrase())
    _write_new(path, text)
    with refusals():
        recipient_keys.add_recipient(label, public, catalogue_cache())
    click.echo(f"Private key: {path}\nPublic key:  {public}\nNow move the private key off this machine.")


@keys.command("add")
@click.argument("public_key")
@click.option("--label", default="section", help="Whose key it is.")
def add_key(public_key: str, label: str) -> None:
    """Seal to PUBLIC_KEY (age1…) too, whose private half was made elsewhere."""
    with refusals():
        recipient_keys.add_recipient(label, public_key, catalogue_cache())
    click.echo("Added.\nBefore a campaign opens, its holder has to prove it: flask keys check")


@keys.command("retire")
@click.argument("public_key")
def retire_key(public_key: str) -> None:
    """Seal to PUBLIC_KEY no longer. Keep its private half: it opens what was sealed until now."""
    with refusals():
        recipient_keys.retire_recipient(public_key, catalogue_cache())
    click.echo("Retired.")


@keys.command("list")
def list_keys() -> None:
    """Show every key that names were ever sealed to."""
    for key in queries.of_section():
        until = f", retired {key.retired_at:%Y-%m-%d}" if key.retired_at else ""
        click.echo(f"{key.public_key}  {key.label} (since {key.created_at:%Y-%m-%d}{until})")


@keys.command("check")
@click.option("--campaign", "slug", help="The campaign that is to open; by default the newest.")
@click.option("--identity", type=_IDENTITY, help="A private key file, where it is at hand.")
@click.option("--words", help="What the key's holder read in the riddle, on another machine.")
def check_keys(slug: str | None, identity: Path | None, words: str | None) -> None:
    """Prove that the private keys work, before a campaign opens.

    Without options it prints a riddle for each key. Its holder opens it elsewhere, with `age -d -i KEYFILE` or on the
    page /admin/keys, and tells the words. Ends with status 1 until every key is proven.
    """
    with refusals():
        check = queries.check_of(slug)
        if identity:
            for label in prove_keys(check, identities(identity)):
                click.echo(f"Proven: {label}")
        if words:
            click.echo(f"Proven: {key_tests.prove_key(check.campaign, words)}")
        check = queries.check_of(check.campaign)
    for key in check.open_key_tests:
        click.echo(f"Not proven yet: {key.label}, {key.public_key}\n{key.key_test}")
    if check.checked_at is None:
        raise click.ClickException(f"{check.campaign} cannot open yet: every key has to be proven.")
    click.echo(f"{check.campaign}: every key was proven to work, at {check.checked_at:%Y-%m-%d %H:%M} UTC.")


@keys.command("drill")
@click.option("--campaign", "slug", help="The campaign; by default the newest.")
@click.option("--identity", type=_IDENTITY, required=True, help="A private key file.")
@click.option("--sample", default=20, show_default=True, help="How many stored signers to try.")
def drill_keys(slug: str | None, identity: Path, sample: int) -> None:
    """Try the key on signers drawn by lot, and say how many it opens. No name is shown."""
    with refusals():
        drawn = exports.sealed_sample(queries.check_of(slug).campaign, sample)
    at_hand = identities(identity)
    number = sum(1 for sealed in drawn if fields_of(sealed, at_hand) is not None)
    click.echo(f"{number} of {len(drawn)} signers opened.")
    if number < len(drawn):
        raise click.ClickException("This key does not open everything. Do not lose the others.")


def prove_keys(check: KeyCheck, private_keys: list[str]) -> list[str]:
    """Solve the riddles that these keys open, and say whose they were."""
    opened = (fields_of(key.key_test.encode(), private_keys) for key in check.open_key_tests)
    return [key_tests.prove_key(check.campaign, fields[key_tests.WORDS]) for fields in opened if fields is not None]


def _new_passphrase() -> str:
    words = click.prompt("Passphrase (five random words are good)", hide_input=True, confirmation_prompt=True, err=True)
    if len(words) < SHORTEST_PASSWORD:
        raise click.ClickException(f"The passphrase needs at least {SHORTEST_PASSWORD} characters.")
    return str(words)


def _write_new(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError as exc:
        raise click.ClickException(f"{path} exists already; a key is never overwritten") from exc
    except OSError as exc:
        raise click.ClickException(f"{path}: {exc.strerror}") from exc
    path.write_text(text)
