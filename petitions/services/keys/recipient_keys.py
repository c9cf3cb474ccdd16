"""The recipient keys: the organisation's public keys, to which names and addresses are encrypted."""

from sqlalchemy import func, select

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.domain import sealing
from petitions.errors import KeyFaulty, LastKey, NotFound
from petitions.models import Recipient
from petitions.queries.catalogue import CatalogueCache
from petitions.services import journal
from petitions.services.keys import key_tests


def add_recipient(label: str, public_key: str, catalogue_cache: CatalogueCache) -> None:
    """Encrypt to this key too from now on; it needs a key test. Adding an active key again changes nothing."""
    if not sealing.is_public_key(public_key):
        raise KeyFaulty()
    with transaction() as store:
        known = store.scalar(select(Recipient).where(Recipient.public_key == public_key))
        if known is None:
            store.add(Recipient(label=label, public_key=public_key, created_at=clock.now()))
        elif known.retired_at is not None:
            known.retired_at = None
        store.flush()
        key_tests.create_key_tests_everywhere(store)
        journal.record(store, journal.COMMAND, "key added", public_key)
    catalogue_cache.pins.add(public_key)
    catalogue_cache.forget()


def retire_recipient(public_key: str, catalogue_cache: CatalogueCache) -> None:
    """Stop encrypting to this key; it still decrypts older data. Raises NotFound or LastKey."""
    with transaction() as store:
        recipient = store.scalar(select(Recipient).where(Recipient.public_key == public_key))
        if recipient is None:
            raise NotFound(key=public_key)
        if recipient.retired_at is None:
            if (store.scalar(select(func.count(Recipient.id)).where(Recipient.retired_at.is_(None))) or 0) < 2:
                raise LastKey()
            recipient.retired_at = clock.now()
            store.flush()
            key_tests.create_key_tests_everywhere(store)
            journal.record(store, journal.COMMAND, "key retired", public_key)
    catalogue_cache.forget()


def has_recipients() -> bool:
    """Whether there is a recipient key at all."""
    with reading() as connection:
        living = select(Recipient.id).where(Recipient.retired_at.is_(None)).limit(1)
        return connection.scalar(living) is not None
