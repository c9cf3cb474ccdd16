"""Key tests: proof that the private keys work, before a campaign accepts a real name.

For each active recipient key, random words are encrypted in the way names are. The key's holder decrypts them elsewhere
and reports the words. The campaign keeps the tests; `keys_checked_at` is set once all are passed.
"""

import base64
import hashlib
import json
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.errors import ContentFaulty, NotFound, WordsWrong
from petitions.models import Campaign, Recipient
from petitions.queries.recipient_keys import KeyTest, key_tests
from petitions.services import journal

WORDS = "words"  # the field of the encrypted test message
_UNPROVEN = (
    'campaign.toml: state = "open", but it is not proven yet that the private keys decrypt what is encrypted '
    'here. Import it with state = "draft", run `flask keys check`, then import it as "open"'
)


def create_key_tests(store: Session, campaign: Campaign) -> None:
    """Update the campaign's key tests to the active keys, in the caller's transaction. Passed tests stay passed."""
    kept = key_tests(campaign.canary)
    living = store.scalars(select(Recipient.public_key).where(Recipient.retired_at.is_(None)).order_by(Recipient.id))
    _keep(campaign, {key: kept.get(key) or _new_key_test(key) for key in living})


def create_key_tests_everywhere(store: Session) -> None:
    """The same for every campaign, after a key was added or retired."""
    for campaign in store.scalars(select(Campaign)):
        create_key_tests(store, campaign)


def prove_key(campaign_slug: str, typed: str, by: str = journal.COMMAND) -> str:
    """Record that a key test was passed, and return the key's label; raises WordsWrong."""
    sha256 = _sha256("".join(typed.split()).replace("-", "").lower())
    with transaction() as store:
        campaign = store.scalar(select(Campaign).where(Campaign.slug == campaign_slug))
        if campaign is None:
            raise NotFound(campaign=campaign_slug)
        kept = key_tests(campaign.canary)
        solved = [key for key, key_test in kept.items() if key_test["sha256"] == sha256]
        if not solved:
            raise WordsWrong()
        kept[solved[0]]["is_solved"] = True
        _keep(campaign, kept)
        journal.record(store, by, "key proven", solved[0])
        return str(store.scalar(select(Recipient.label).where(Recipient.public_key == solved[0])))


def demand_proof(campaign: Campaign) -> None:
    """Refuse to open a campaign while a key test is open; raises ContentFaulty."""
    if campaign.keys_checked_at is None:
        raise ContentFaulty([_UNPROVEN])


def _keep(campaign: Campaign, kept: dict[str, KeyTest]) -> None:
    campaign.canary = json.dumps(kept).encode()
    if not kept or not all(key_test["is_solved"] for key_test in kept.values()):
        campaign.keys_checked_at = None
    elif campaign.keys_checked_at is None:
        campaign.keys_checked_at = clock.now()


def _new_key_test(public_key: str) -> KeyTest:
    words = "-".join(secrets.token_hex(2) for _ in range(5))
    sealed = sealing.seal({WORDS: words}, [public_key])
    return {
        "sealed": base64.b64encode(sealed).decode(),
        "sha256": _sha256(words.replace("-", "")),
        "is_solved": False,
    }


def _sha256(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()
