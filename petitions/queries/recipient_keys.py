"""The recipient keys, and which of them were proven to work before a campaign opens."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy import select

from petitions.db.transactions import reading
from petitions.domain import sealing
from petitions.domain.states import CampaignState
from petitions.errors import NotFound
from petitions.models import Campaign, Recipient


class KeyTest(TypedDict):
    """A key test: random words, encrypted to one key; in clear only their hash is stored."""

    sealed: str
    sha256: str
    is_solved: bool


@dataclass(frozen=True)
class Key:
    """A recipient key. `key_test` is an open test message in ASCII armor, or empty."""

    label: str
    public_key: str
    created_at: datetime
    retired_at: datetime | None
    key_test: str = ""


@dataclass(frozen=True)
class KeyCheck:
    """All keys, as one campaign needs them; `checked_at` is None until each active key is proven."""

    campaign: str
    checked_at: datetime | None
    keys: list[Key]

    @property
    def open_key_tests(self) -> list[Key]:
        """The active keys that are not proven yet."""
        return [key for key in self.keys if key.key_test]


def key_tests(canary: bytes | None) -> dict[str, KeyTest]:
    """A campaign's key tests, by public key."""
    return dict(json.loads(canary)) if canary else {}


def of_section() -> list[Key]:
    """Every key that names were ever encrypted to, oldest first."""
    columns = (Recipient.label, Recipient.public_key, Recipient.created_at, Recipient.retired_at)
    with reading() as connection:
        return [Key(*row) for row in connection.execute(select(*columns).order_by(Recipient.id))]


def check_of(campaign_slug: str | None = None) -> KeyCheck:
    """The keys and their tests for this campaign, by default the newest that is not archived; raises NotFound."""
    asked = Campaign.slug == campaign_slug if campaign_slug else Campaign.state != CampaignState.ARCHIVED
    newest = select(Campaign.slug, Campaign.canary, Campaign.keys_checked_at).where(asked)
    with reading() as connection:
        row = connection.execute(newest.order_by(Campaign.id.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFound(campaign=campaign_slug or "")
    unsolved = {key: key_test["sealed"] for key, key_test in key_tests(row.canary).items() if not key_test["is_solved"]}
    keys = [
        Key(*(key.label, key.public_key, key.created_at, key.retired_at), _letters(unsolved.get(key.public_key)))
        for key in of_section()
    ]
    return KeyCheck(row.slug, row.keys_checked_at, keys)


def _letters(sealed: str | None) -> str:
    return sealing.armored(base64.b64decode(sealed)) if sealed else ""
