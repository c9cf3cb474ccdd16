"""What several commands need: our catalogue's shelf, refusals in words, and key files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app

from petitions.domain import sealing
from petitions.errors import ContentFaulty, DomainError
from petitions.queries.catalogue import CatalogueCache


@contextmanager
def refusals() -> Iterator[None]:
    """Print what a service refused, and end with status 1."""
    try:
        yield
    except ContentFaulty as exc:
        for fault in exc.faults:
            click.echo(fault, err=True)
        click.echo(f"{len(exc.faults)} fault(s); nothing was changed.", err=True)
        sys.exit(1)
    except DomainError as exc:
        click.echo(f"Refused: {exc}", err=True)
        sys.exit(1)


@contextmanager
def private_files() -> Iterator[None]:
    """Let what the block creates be readable for this account only: it names people."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def catalogue_cache() -> CatalogueCache:
    """The present application's shelf."""
    found: CatalogueCache = current_app.extensions["petitions_catalogue_cache"]
    return found


def identities(path: Path) -> list[str]:
    """The private keys in the file, after asking for its passphrase if it has one."""
    try:
        return sealing.identities_in(path.read_bytes(), lambda: _passphrase(path))
    except sealing.CannotOpen as exc:
        raise click.ClickException(f"{path} holds no private key, or its passphrase is another one.") from exc


def _passphrase(path: Path) -> str:
    return str(click.prompt(f"Passphrase of {path.name}", hide_input=True, err=True))
