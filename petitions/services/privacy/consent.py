"""Consent texts: the exact words of the form that signers agreed to, stored once per language and wording."""

import hashlib

from flask import current_app
from sqlalchemy import select

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import reading, transaction
from petitions.models import ConsentVersion


def consent_version(campaign_id: int, locale: str, words: str) -> int:
    """The id of these words; they are stored if they are new."""
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    known: dict[tuple[int, str, str], int] = current_app.extensions.setdefault("petitions_consents", {})
    key = (campaign_id, locale, sha256)
    if key not in known:
        known[key] = _written(campaign_id, locale, sha256, words)
    return known[key]


def _written(campaign_id: int, locale: str, sha256: str, words: str) -> int:
    same = (ConsentVersion.campaign_id == campaign_id, ConsentVersion.locale == locale, ConsentVersion.sha256 == sha256)
    known = select(ConsentVersion.id).where(*same)
    with reading() as connection:
        number = connection.scalar(known)
    if number is not None:
        return number
    with transaction() as store:
        bulk.insert(
            store.connection(),
            ConsentVersion,
            ("campaign_id", "locale", "sha256", "words", "created_at"),
            [(campaign_id, locale, sha256, words, clock.now())],
            on_conflict=bulk.skip,  # another server may insert the same words at the same time
        )
        return store.scalars(known).one()
