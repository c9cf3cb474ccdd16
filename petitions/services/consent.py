"""What signers agreed to: the exact words of the form, kept once per language and wording."""

import hashlib

from flask import current_app
from sqlalchemy import select

from petitions import clock
from petitions.db.transactions import transaction
from petitions.models import ConsentVersion


def consent_version(campaign_id: int, locale: str, words: str) -> int:
    """The number under which these words are kept; they are written down when they are new."""
    sha256 = hashlib.sha256(words.encode()).hexdigest()
    known: dict[tuple[int, str, str], int] = current_app.extensions.setdefault("petitions_consents", {})
    key = (campaign_id, locale, sha256)
    if key not in known:
        known[key] = _written(campaign_id, locale, sha256, words)
    return known[key]


def _written(campaign_id: int, locale: str, sha256: str, words: str) -> int:
    same = (ConsentVersion.campaign_id == campaign_id, ConsentVersion.locale == locale, ConsentVersion.sha256 == sha256)
    with transaction() as store:
        version = store.scalar(select(ConsentVersion).where(*same))
        if version is None:
            version = ConsentVersion(campaign_id=campaign_id, locale=locale, sha256=sha256, words=words)
            version.created_at = clock.now()
            store.add(version)
            store.flush()
        return version.id
