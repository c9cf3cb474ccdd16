"""The keys at hand: the server's own secrets, each campaign's unlocked key, and the section's public keys."""

from dataclasses import dataclass

from flask import current_app

from petitions import sealing
from petitions.errors import NoRecipientKey
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.settings import Settings


@dataclass
class Keyring:
    """One application's keys. Campaign keys stay unlocked in memory only."""

    secret_key: str
    master_key: str
    master_public: str = ""

    def __post_init__(self) -> None:
        self._unlocked: dict[bytes, bytes] = {}
        if self.master_key:
            self.set_master_key(self.master_key)

    def set_master_key(self, identity: str) -> None:
        """Take the private age key that locks campaign keys and queued mails; raises ValueError if it is none."""
        self.master_public = sealing.public_of(identity)
        self.master_key = identity

    def campaign_key(self, wrapped: bytes) -> bytes:
        """The blind-index key that `wrapped` holds."""
        if wrapped not in self._unlocked:
            self._unlocked[wrapped] = sealing.unwrap(wrapped, self.master_key)
        return self._unlocked[wrapped]

    def forget(self, wrapped: bytes) -> None:
        """Let go of an unlocked key whose locked form was destroyed."""
        self._unlocked.pop(wrapped, None)


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
    if campaign.wrapped_key is None:
        raise NoRecipientKey(campaign=campaign.slug)
    return keyring().campaign_key(campaign.wrapped_key)


def public_keys() -> tuple[str, ...]:
    """Whom personal data is sealed to; raises NoRecipientKey if nobody: then no form may take anything."""
    keys = catalogue().public_keys
    if not keys:
        raise NoRecipientKey()
    return keys
