"""The keys at hand: the server's own secrets, each campaign's unlocked key, and the section's public keys.

A campaign's key lies in a file of its own (instance/campaign-keys/<slug>, locked with the master key), never in the
database: once the file is destroyed, no copy of the database can compare anybody.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from petitions.domain import sealing
from petitions.errors import KeyMissing, NoRecipientKey
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.settings import Settings


@dataclass
class Keyring:
    """One application's keys. Campaign keys stay unlocked in memory only."""

    secret_key: str
    master_key: str
    instance: Path
    master_public: str = ""

    def __post_init__(self) -> None:
        self._unlocked: dict[str, bytes] = {}
        if self.master_key:
            self.set_master_key(self.master_key)

    def set_master_key(self, identity: str) -> None:
        """Take the private age key that locks campaign keys and queued mails; raises ValueError if it is none."""
        self.master_public = sealing.public_of(identity)
        self.master_key = identity

    def campaign_key(self, slug: str) -> bytes:
        """The campaign's blind-index key; raises KeyMissing if its file is gone, or needs another master key."""
        if slug not in self._unlocked:
            try:
                self._unlocked[slug] = sealing.unwrap(self._path(slug).read_bytes(), self.master_key)
            except (OSError, sealing.CannotOpen) as exc:
                raise KeyMissing(key=f"campaign-keys/{slug}") from exc
        return self._unlocked[slug]

    def make_campaign_key(self, slug: str) -> None:
        """Draw a key for a new campaign. One that is there already stays."""
        path = self._path(slug)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_bytes(sealing.wrap(sealing.new_key(), self.master_key))

    def destroy_campaign_key(self, slug: str) -> None:
        """Overwrite the key's file and remove it; from now on nobody can compare the campaign's signers."""
        self._unlocked.pop(slug, None)
        path = self._path(slug)
        if path.exists():
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()

    def _path(self, slug: str) -> Path:
        return self.instance / "campaign-keys" / slug


def keyring() -> Keyring:
    """This application's keys."""
    ring: Keyring = current_app.extensions["petitions_keyring"]
    return ring


def settings() -> Settings:
    """This application's settings."""
    found: Settings = current_app.extensions["petitions_settings"]
    return found


def blind_key(campaign: PublicCampaign) -> bytes:
    """The key that makes two of the campaign's signers comparable; raises NoRecipientKey once it is destroyed."""
    if campaign.erased_at is not None:
        raise NoRecipientKey(campaign=campaign.slug)
    return keyring().campaign_key(campaign.slug)


def public_keys() -> tuple[str, ...]:
    """Whom personal data is sealed to; raises NoRecipientKey if nobody: then no form may take anything."""
    keys = catalogue().public_keys
    if not keys:
        raise NoRecipientKey()
    return keys
