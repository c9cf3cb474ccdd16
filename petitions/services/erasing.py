"""Erasing people: what is personal goes, that somebody signed stays."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, update

from petitions.models import Signer

_PERSONAL = ("email_key", "name_key", "sealed", "sealed_name", "link_salt")


def erase_signers(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Forget these signers: sealed payloads, blind keys and links."""
    connection.execute(update(Signer).where(Signer.id.in_(ids)).values(**dict.fromkeys(_PERSONAL), erased_at=now))
