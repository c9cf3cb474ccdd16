"""The section's public keys: whom every name and address is sealed to."""

from sqlalchemy import select

from petitions import clock, sealing
from petitions.db.transactions import reading, transaction
from petitions.errors import DomainError
from petitions.models import Recipient
from petitions.queries.catalogue import Shelf


class KeyFaulty(DomainError):
    """This is no age public key."""

    code = "key_faulty"


def add_recipient(label: str, public_key: str, shelf: Shelf) -> None:
    """From now on, seal to this key too. Adding a known key changes nothing."""
    if not sealing.is_public_key(public_key):
        raise KeyFaulty()
    with transaction() as store:
        if store.scalar(select(Recipient.id).where(Recipient.public_key == public_key)) is None:
            store.add(Recipient(label=label, public_key=public_key, created_at=clock.now()))
    shelf.forget()


def has_recipients() -> bool:
    """Whether anything can be sealed at all."""
    with reading() as connection:
        living = select(Recipient.id).where(Recipient.retired_at.is_(None)).limit(1)
        return connection.scalar(living) is not None
