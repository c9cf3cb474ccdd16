"""Mailboxes that get no mail from us any more: their owners said so, or mail to them bounced. Kept as keyed hashes."""

import hmac

from sqlalchemy import delete, select

from petitions import clock, sealing
from petitions.db.transactions import reading, transaction
from petitions.errors import LinkUnknown
from petitions.models import Suppression
from petitions.services.keyring import keyring
from petitions.services.mailslots import mailbox_key


def stop_token(email: str) -> str:
    """The secret part of the link at the foot of a mail to this address: "never write to me again"."""
    key = mailbox_key(email)
    return f"{key}{_proof(key)}"


def check_token(token: str) -> str:
    """The mailbox's key, if we made this token; raises LinkUnknown."""
    key, proof = token[:40], token[40:]
    if not hmac.compare_digest(_proof(key).encode(), proof.encode("utf-8", "replace")):
        raise LinkUnknown()
    return key


def stop_by_token(token: str) -> None:
    """Never write to this mailbox again."""
    _suppress(check_token(token), "wanted")


def suppress(email: str, reason: str) -> None:
    """Write no more to this address, because `reason` (such as `bounced`)."""
    _suppress(mailbox_key(email), reason)


def lift(email: str) -> None:
    """Write to this address again."""
    with transaction() as store:
        store.execute(delete(Suppression).where(Suppression.mailbox_key == mailbox_key(email)))


def is_suppressed(email: str) -> bool:
    """Whether this address gets no mail from us."""
    with reading() as connection:
        known = select(Suppression.mailbox_key).where(Suppression.mailbox_key == mailbox_key(email))
        return connection.scalar(known) is not None


def _suppress(key: str, reason: str) -> None:
    with transaction() as store:
        if store.get(Suppression, key) is None:
            store.add(Suppression(mailbox_key=key, reason=reason, created_at=clock.now()))


def _proof(key: str) -> str:
    return sealing.blind_index(keyring().secret_key.encode(), "stop", key).hex()[:32]
