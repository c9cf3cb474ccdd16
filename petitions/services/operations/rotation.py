"""Rotation of the master key, in two steps, while servers run.

Servers that know only the former key still open the campaigns' keys, which are encrypted to both in the meantime; a
restarted server knows both keys and encrypts with the new one.
"""

from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.errors import RotationFaulty
from petitions.models import Account, KitOrder, Message
from petitions.services import installation, journal
from petitions.services.keys.keyring import keyring, replace_file, settings


def begin() -> int:
    """Make a new master key, and encrypt the campaigns' keys to both; returns how many. Repeat it after a crash.

    Raises RotationFaulty if the key is kept outside the instance folder, where no command may write.
    """
    ring, path = keyring(), settings().instance / "master_key"
    if not path.is_file() or path.read_text().strip() != ring.master_key:
        raise RotationFaulty(reason=f"the master key is not in {path}: docs/security.md says how to rotate it there")
    old_path = ring.old_master_path
    is_begun = old_path.exists() and old_path.read_text().strip() != ring.master_key
    if not is_begun:
        private, _ = sealing.new_identity()
        replace_file(old_path, f"{ring.master_key}\n".encode())
        ring.wrap_campaign_keys([private, ring.master_key])
        replace_file(path, f"{private}\n".encode())
        ring.set_master_key(private)
    number = ring.wrap_campaign_keys(ring.master_keys)
    with transaction() as store:
        installation.replace_check(store, "master_key")
        journal.record(store, journal.COMMAND, "master key replaced")
    return number


def finish() -> Path:
    """Encrypt everything with the new key alone; returns the file with the former key, which no server reads any more.

    Raises RotationFaulty if no rotation is under way.
    """
    ring = keyring()
    old_path = ring.old_master_path
    if not old_path.exists():
        raise RotationFaulty(reason="no rotation is under way: run it without --finish first")
    ring.wrap_campaign_keys([ring.master_key])
    for column in (Message.payload, Account.factor, KitOrder.payload):
        _seal_anew(column, ring.master_keys, ring.master_public)
    kept = old_path.with_name(f"master_key.until-{clock.now():%Y-%m-%d}")
    old_path.replace(kept)
    return kept


def _seal_anew(column: InstrumentedAttribute[bytes | None], master_keys: list[str], master_public: str) -> None:
    """Encrypt the values of this column anew; what no key opens is left as it is."""
    key = column.class_.id
    with transaction() as store:
        for row in store.execute(select(key, column).where(column.is_not(None), column != b"")).all():
            try:
                fields = sealing.unseal(row[1], master_keys)
            except sealing.CannotOpen:
                continue
            sealed = sealing.seal(fields, [master_public])
            store.execute(update(column.class_).where(key == row[0]).values({column.key: sealed}))
