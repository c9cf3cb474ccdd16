"""Check values that show whether keys and ledger still belong to this database.

A lost key is never replaced silently: a new one would invalidate every link, or make every known signer look new. The
table `checks` holds a check value of each key; setup, server and doctor compare it and name the key that is missing.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from petitions.db.transactions import damage, reading, transaction
from petitions.domain import sealing
from petitions.errors import KeyMissing
from petitions.models import Campaign, Check, Recipient
from petitions.queries.catalogue import CatalogueCache
from petitions.services import ledger
from petitions.services.keys.keyring import keyring, settings

_COPY = "Restore the copy that you keep apart from this server"
LOSS = {
    "secret_key": "without it no link in an e-mail and no group code works",
    "master_key": "without it nobody can sign, and no queued e-mail can be sent",
}


def faults(catalogue_cache: CatalogueCache, *, is_thorough: bool = False) -> list[str]:
    """What is lost or damaged, as sentences that say what to do. `is_thorough` reads the whole SQLite file."""
    damaged = damage(is_thorough)
    if damaged:
        return [damaged]
    with reading() as connection:
        noted = {row.name: row.value for row in connection.execute(select(Check.name, Check.value))}
        slugs = list(
            connection.scalars(select(Campaign.slug).where(Campaign.erased_at.is_(None)).order_by(Campaign.id))
        )
        living = list(connection.scalars(select(Recipient.public_key).where(Recipient.retired_at.is_(None))))
    found = [lost(name) for name in LOSS if noted.get(name, _value(name)) != _value(name)]
    for slug in slugs:
        value = _campaign_value(slug)
        if not value and ledger.is_destroyed(slug):
            continue  # the backup was restored, and its replay has not run yet
        if not value or noted.get(f"campaign {slug}", value) != value:
            found.append(lost(f"campaign-keys/{slug}", "without it nobody can sign"))
    found += [
        f"The database names a public key that no command here added: {key}. Nothing is encrypted to it. Find out who "
        "added it, then run: flask keys retire"
        for key in living
        if key not in catalogue_cache.pins.all()
    ]
    noted_length, length = ledger.lengths()
    if length < noted_length:
        loss = "without it a restored backup would bring back withdrawn signatures"
        found.append(f"{lost(ledger.path().name, loss)} Without a copy, run: flask retention replay")
    return found


def lost(name: str, loss: str = "") -> str:
    """The sentence about a file of the instance folder that is missing or was replaced."""
    path = settings().instance / name
    return f"{path} is missing, or is not the one this database was made with: {loss or LOSS[name]}. {_COPY}."


def was_made_with(name: str) -> bool:
    """Whether this database was created with a secret of that name, so that no new one may be generated."""
    with reading() as connection:
        is_noted = connection.scalar(select(Check.name).where(Check.name == name)) is not None
        return is_noted or connection.scalar(select(Campaign.id).limit(1)) is not None


def note_keys() -> None:
    """Store the check values of the present keys, where there are none yet, and whether a replay is due."""
    ledger.notice_restore()
    with transaction() as store:
        for name in LOSS:
            _note(store, name, _value(name))
        for slug in store.scalars(select(Campaign.slug).where(Campaign.erased_at.is_(None))).all():
            note_campaign_key(store, slug)


def note_campaign_key(store: Session, slug: str) -> None:
    """Store the check value of a campaign's key, in the caller's transaction, if there is none yet."""
    _note(store, f"campaign {slug}", _campaign_value(slug))


def replace_check(store: Session, name: str) -> None:
    """Store the check value of a secret that was replaced on purpose, in the caller's transaction."""
    store.merge(Check(name=name, value=_value(name)))


def _note(store: Session, name: str, value: str) -> None:
    if value and store.get(Check, name) is None:
        store.add(Check(name=name, value=value))


def _value(name: str) -> str:
    """The check value of a present secret; empty if it is missing."""
    secret: str = getattr(keyring(), name)
    return sealing.check_value(secret) if secret else ""


def _campaign_value(slug: str) -> str:
    try:
        return sealing.check_value(keyring().campaign_key(slug).hex())
    except KeyMissing:
        return ""
