"""Helpers that several commands share: refusals in words, file modes, key files."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from petitions.domain import sealing
from petitions.errors import ContentFaulty, DomainError
from petitions.queries.catalogue import CATALOGUE_CACHE, CatalogueCache


@contextmanager
def refusals() -> Iterator[None]:
    """Print what a service refused, and exit with status 1."""
    try:
        yield
    except ContentFaulty as exc:
        for fault in exc.faults:
            click.echo(fault, err=True)
        click.echo(f"Faults: {len(exc.faults)}. Nothing was changed.", err=True)
        sys.exit(1)
    except DomainError as exc:
        click.echo(f"Refused: {exc}", err=True)
        sys.exit(1)


@contextmanager
def private_files() -> Iterator[None]:
    """Make the files that the block creates readable for this account only, because they contain names."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def catalogue_cache() -> CatalogueCache:
    """This application's catalogue cache."""
    return CATALOGUE_CACHE.of()


def identities(path: Path) -> list[str]:
    """The private keys in the file; asks for its passphrase if it has one."""
    try:
        return sealing.identities_in(path.read_bytes(), lambda: _passphrase(path))
    except sealing.CannotOpen as exc:
        raise click.ClickException(f"{path} holds no private key, or the passphrase is wrong.") from exc


def _passphrase(path: Path) -> str:
    return str(click.prompt(f"Passphrase of {path.name}", hide_input=True, err=True))
