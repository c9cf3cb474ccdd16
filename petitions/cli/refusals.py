"""How a command says no."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from petitions.errors import ContentFaulty, DomainError


@contextmanager
def refusals() -> Iterator[None]:
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
