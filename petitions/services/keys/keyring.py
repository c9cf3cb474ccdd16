"""The present keys: the server's own secrets, the campaigns' unlocked keys, and the recipient keys.

Each campaign's key is in a file of its own (instance/campaign-keys/<slug>, encrypted with the master key), never in the
database: once the file is destroyed, nobody can link signers to a name or address, even with a copy of the database.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from petitions.domain import sealing
from petitions.errors import KeyMissing, NoRecipientKey
from petitions.parts import Part
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.settings import SETTINGS, Settings


@dataclass
class Keyring:
    """One application's keys. Unlocked campaign keys stay in memory only."""

    secret_key: str
    master_key: str
    instance: Path
    master_public: str = ""

    @property
    def old_master_path(self) -> Path:
        """The file that holds the former master key while a rotation is under way."""
        return self.instance / "master_key.old"

    @property
    def master_keys(self) -> list[str]:
        """What decrypts: the master key, and while it is rotated the former one."""
        old = self.old_master_path
        return [self.master_key, *([old.read_text().strip()] if old.exists() else [])]

    def __post_init__(self) -> None:
        self._unlocked: dict[str, bytes] = {}
        if self.master_key:
            self.set_master_key(self.master_key)

    def set_master_key(self, identity: str) -> None:
        """Set the age identity that encrypts campaign keys and queued e-mails; raises ValueError for another text."""
        self.master_public = sealing.public_of(identity)
        self.master_key = identity

    def campaign_key(self, slug: str) -> bytes:
        """The campaign's blind-index key; raises KeyMissing if its file is missing or needs another master key."""
        if slug not in self._unlocked:
            try:
                self._unlocked[slug] = sealing.unwrap(self._path(slug).read_bytes(), *self.master_keys)
            except (OSError, sealing.CannotOpen) as exc:
                raise KeyMissing(key=f"campaign-keys/{slug}") from exc
        return self._unlocked[slug]

    def make_campaign_key(self, slug: str) -> None:
        """Generate the key of a new campaign; an existing one is kept."""
        path = self._path(slug)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_bytes(sealing.wrap(sealing.new_key(), self.master_key))

    def wrap_campaign_keys(self, master_keys: Sequence[str]) -> int:
        """Encrypt the campaigns' keys to all `master_keys`; returns how many there are."""
        paths = sorted((self.instance / "campaign-keys").glob("*"))
        for path in paths:
            wrapped = sealing.wrap(sealing.unwrap(path.read_bytes(), *self.master_keys), *master_keys)
            replace_file(path, wrapped)
        return len(paths)

    def destroy_campaign_key(self, slug: str) -> None:
        """Overwrite and delete the key's file; from then on the campaign's signers cannot be compared."""
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


def replace_file(path: Path, data: bytes) -> None:
    """Write the file in one step: after a crash it holds the old bytes or the new ones."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


KEYRING: Part[Keyring] = Part()


def keyring() -> Keyring:
    """This application's keys."""
    return KEYRING.of()


def settings() -> Settings:
    """This application's settings."""
    return SETTINGS.of()


def blind_key(campaign: PublicCampaign) -> bytes:
    """The campaign's blind-index key; raises NoRecipientKey once it is destroyed."""
    if campaign.erased_at is not None:
        raise NoRecipientKey(campaign=campaign.slug)
    return keyring().campaign_key(campaign.slug)


def public_keys() -> tuple[str, ...]:
    """The recipient keys; raises NoRecipientKey if there are none, because then no form may accept data."""
    keys = catalogue().public_keys
    if not keys:
        raise NoRecipientKey()
    return keys
