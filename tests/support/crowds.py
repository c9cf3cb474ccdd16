"""Many signers at once, for the reliability tests."""

from collections.abc import Sequence

from flask import Flask
from sqlalchemy import Connection

from petitions.db.transactions import write_queue
from petitions.queries.catalogue import PublicCampaign
from petitions.services.signing import signing
from petitions.settings import SETTINGS
from tests.support.factories import Person, make_entry

AT_ONCE = 200


def crowd(number: int, name: str = "p") -> list[Person]:
    """So many people, each with a mailbox of their own."""
    return [Person("Ann", f"{name}{place}", f"{name}{place}@example.org") for place in range(number)]


def sign_all(campaign: PublicCampaign, people: Sequence[Person], *cases: str) -> None:
    """Let them all sign, some hundred in one transaction: the same rows as one by one, in a fraction of the time."""
    entries = [signing._seal(make_entry(campaign, person, *cases)) for person in people]  # noqa: SLF001 - as the queue does it, without its threads

    def write(connection: Connection, parts: Sequence[Sequence[signing._Sealed]]) -> list[None]:
        for part in parts:
            assert not any(signing._sign_batch(connection, part))  # noqa: SLF001 - as the queue does it, without its threads
        return [None] * len(parts)

    for start in range(0, len(entries), AT_ONCE):
        write_queue().submit(write, entries[start : start + AT_ONCE])


def database_of(app: Flask) -> str:
    """`sqlite` or `postgres`, as the table of figures calls it."""
    url = str(SETTINGS.of(app).database_url)
    return "sqlite" if url.startswith("sqlite") else "postgres"
