"""Commands for the recipient keys: create, add, list, retire, and prove that they work."""

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
from petitions.services.operations import nightly, rotation
from petitions.services.privacy import exports
from petitions.services.staff.accounts import SHORTEST_PASSWORD

keys = AppGroup("keys", help="The organisation's keys, to which personal data is encrypted.")
_IDENTITY = click.Path(path_type=Path, exists=True, dir_okay=False)


@keys.command("create")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label", default="section", help="Whose key it is.")
@click.option("--no-passphrase", is_flag=True, help="Do not protect the file; for try-outs only.")
def create_key(path: Path, label: str, no_passphrase: bool) -> None:
    """Create a key pair: the private key goes to the file PATH, behind a passphrase; the public one into the database.

    Move the file off this machine, to two safe places. Anyone who has it and the passphrase can read every name;
    without them nobody can.
    """
    if settings().instance.resolve() in path.resolve().parents and not settings().demo:
        click.echo(f"WARNING: {path} is in the instance folder: backups of the server will contain this key.", err=True)
    public, text = sealing.new_key_file(label, "" if no_passphrase else _new_passphrase())
    _write_new(path, text)
    with refusals():
        recipient_keys.add_recipient(label, public, catalogue_cache())
    click.echo(f"Private key: {path}\nPublic key:  {public}\nNow move the private key off this machine.")


@keys.command("add")
@click.argument("public_key")
@click.option("--label", default="section", help="Whose key it is.")
def add_key(public_key: str, label: str) -> None:
    """Encrypt to PUBLIC_KEY (age1…) too, whose private half was created elsewhere."""
    with refusals():
        recipient_keys.add_recipient(label, public_key, catalogue_cache())
    click.echo("Added.\nBefore a campaign opens, its holder has to prove that it works: flask keys check")


@keys.command("retire")
@click.argument("public_key")
def retire_key(public_key: str) -> None:
    """Stop encrypting to PUBLIC_KEY. Keep its private half: it decrypts older data."""
    with refusals():
        recipient_keys.retire_recipient(public_key, catalogue_cache())
    click.echo("Retired.")


@keys.command("list")
def list_keys() -> None:
    """List every key that names were ever encrypted to."""
    for key in queries.of_section():
        until = f", retired {key.retired_at:%Y-%m-%d}" if key.retired_at else ""
        click.echo(f"{key.public_key}  {key.label} (since {key.created_at:%Y-%m-%d}{until})")


@keys.command("check")
@click.option("--campaign", "slug", help="The campaign to open; by default the newest.")
@click.option("--identity", type=_IDENTITY, help="A private key file, if it is on this machine.")
@click.option("--words", help="The words in the test message, as the key's holder read them elsewhere.")
def check_keys(slug: str | None, identity: Path | None, words: str | None) -> None:
    """Prove that the private keys work, before a campaign opens.

    Without options it prints a test message for each key. Its holder decrypts it elsewhere, with `age -d -i KEYFILE` or
    on the page /admin/keys, and reports the words. Exits with status 1 until every key is proven.
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
    """Try the key on a random sample of signers, and print how many it decrypts. No name is shown."""
    with refusals():
        drawn = exports.sealed_sample(queries.check_of(slug).campaign, sample)
    at_hand = identities(identity)
    number = sum(1 for sealed in drawn if fields_of(sealed, at_hand) is not None)
    click.echo(f"{number} of {len(drawn)} signers decrypted.")
    if number < len(drawn):
        raise click.ClickException("This key does not decrypt everything. Keep the other keys safe.")


@keys.command("rotate-master")
@click.option("--finish", is_flag=True, help="The second step, once every server was restarted.")
def rotate_master(finish: bool) -> None:
    """Replace the server's master key, in two steps; the server keeps running.

    The first step makes a new key, with which servers that start from now on encrypt; both keys decrypt. Then restart
    the server (and `flask worker`), and run this with --finish.
    """
    with refusals():
        if finish:
            path = rotation.finish()
            click.echo(
                f"The former master key decrypts nothing here any more. Backups made until now need it: move {path} "
                f"to where you keep the copies of secrets, and destroy it in {nightly.KEPT.days} days."
            )
        else:
            number = rotation.begin()
            click.echo(
                f"New master key: {settings().instance / 'master_key'}. Campaign keys encrypted to both: {number}.\n"
                "Now copy it to a safe place, restart every server, and run: flask keys rotate-master --finish"
            )


def prove_keys(check: KeyCheck, private_keys: list[str]) -> list[str]:
    """Pass the key tests that these keys decrypt; returns the labels of the keys."""
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
