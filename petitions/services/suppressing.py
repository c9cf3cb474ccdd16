"""Mailboxes that get no mail from us any more: their owners said so, or mail to them bounced. Kept as keyed hashes."""

import hmac

from sqlalchemy import Connection, delete, select

from petitions import clock, sealing
from petitions.db import bulk
from petitions.db.transactions import reading, transaction
from petitions.errors import LinkUnknown
from petitions.models import Suppression
from petitions.services import ledger
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
    key = mailbox_key(email)
    with transaction() as store:
        store.execute(delete(Suppression).where(Suppression.mailbox_key == key))
        ledger.append(store.connection(), [{"what": ledger.LIFTED, "mailbox": key}], clock.now())


def is_suppressed(email: str) -> bool:
    """Whether this address gets no mail from us."""
    with reading() as connection:
        known = select(Suppression.mailbox_key).where(Suppression.mailbox_key == mailbox_key(email))
        return connection.scalar(known) is not None


def _suppress(key: str, reason: str) -> None:
    with transaction() as store:
        insert_suppression(store.connection(), key, reason)
        line = {"what": ledger.SUPPRESSED, "mailbox": key, "reason": reason}
        ledger.append(store.connection(), [line], clock.now())


def insert_suppression(connection: Connection, key: str, reason: str) -> None:
    """Add the mailbox, within the caller's transaction; one that is there already stays as it is."""
    row = (key, reason, clock.minute_of(clock.now()))
    bulk.insert(connection, Suppression, ("mailbox_key", "reason", "created_at"), [row], on_conflict="DO NOTHING")


def _proof(key: str) -> str:
    return sealing.blind_index(keyring().secret_key.encode(), "stop", key).hex()[:32]
