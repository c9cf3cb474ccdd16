"""Reads the database of a running server, with the keys in its instance folder."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from petitions.db.transactions import reading
from petitions.domain import identity, sealing
from petitions.factory import create_app
from petitions.models import Message, Signature, Signer
from petitions.queries.catalogue import catalogue
from petitions.services.keys.keyring import blind_key
from petitions.settings import Settings
from tests.support.factories import close_app, miscounts


@contextmanager
def inside(instance: Path, database_url: str) -> Iterator[None]:
    """An application context on the database of another process."""
    app = create_app(Settings(instance=instance, database_url=database_url, demo=True).completed())
    try:
        with app.app_context():
            yield
    finally:
        close_app(app)


def unknown(emails: Iterable[str]) -> list[str]:
    """Those of the addresses of which the current campaign stores no signature that is confirmed or has a mail."""
    key = blind_key(catalogue().current)
    has_signed = select(1).where(Signature.signer_id == Signer.id).exists()
    is_asked = select(1).where(Message.signer_id == Signer.id).exists() | Signer.confirmed_at.is_not(None)
    with reading() as connection:
        stored = set(connection.scalars(select(Signer.email_key).where(has_signed, is_asked)))
    return [email for email in emails if sealing.blind_index(key, "email", identity.mailbox(email)) not in stored]


def faults() -> list[str]:
    """What no crash may leave: incomplete or doubled signers, or wrong counts."""
    with reading() as connection:
        signers = connection.scalar(select(func.count(Signer.id))) or 0
        signed = connection.scalar(select(func.count(func.distinct(Signature.signer_id)))) or 0
        keys = Counter(connection.scalars(select(Signer.email_key)))
        asked = Counter(connection.scalars(select(Message.signer_id).where(Message.kind.in_(["confirm", "reminder"]))))
    found = [f"{signers} signers, of whom {signed} signed"] if signers != signed else []
    found += [f"somebody is there {number} times" for number in keys.values() if number > 1]
    found += [f"somebody was asked {number} times" for number in asked.values() if number > 1]
    return found + [f"counted wrongly: {each}" for each in miscounts()]
