"""Suppression: mailboxes that get no e-mail, because the owner said so or mail bounced. Kept as keyed hashes.

An owner's wish covers all spellings of the mailbox; a bounce only the address as typed, which may be invented.
"""

import hmac

from sqlalchemy import Connection, delete, select

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import reading, transaction
from petitions.domain import identity, sealing
from petitions.errors import LinkUnknown
from petitions.models import Suppression
from petitions.services import journal, ledger
from petitions.services.keys.keyring import keyring


def stop_token(email: str) -> str:
    """The token of the unsubscribe link at the end of an e-mail to this address."""
    key = _keys(email)[0]
    return f"{key}{_proof(key)}"


def check_token(token: str) -> str:
    """The mailbox's key, if the token is valid; raises LinkUnknown."""
    key, proof = token[:40], token[40:]
    if not hmac.compare_digest(_proof(key).encode(), proof.encode("utf-8", "replace")):
        raise LinkUnknown()
    return key


def stop_by_token(token: str) -> None:
    """Suppress all e-mail to this link's mailbox."""
    _suppress(check_token(token), "wanted")


def suppress(email: str, reason: str, by: str = "") -> None:
    """Suppress e-mail to exactly this address for `reason` (such as `bounced`); acts of staff go to the journal."""
    _suppress(_keys(email)[1], reason, by)


def lift(email: str, by: str = journal.COMMAND) -> None:
    """Allow e-mail to this address again."""
    keys = _keys(email)
    with transaction() as store:
        store.execute(delete(Suppression).where(Suppression.mailbox_key.in_(keys)))
        lines = [{"what": ledger.LIFTED, "mailbox": key} for key in keys]
        ledger.append(store.connection(), lines, clock.now())
        journal.record(store, by, "address unblocked")


def is_suppressed(email: str) -> bool:
    """Whether this address gets no e-mail."""
    with reading() as connection:
        known = select(Suppression.mailbox_key).where(Suppression.mailbox_key.in_(_keys(email)))
        return connection.scalar(known) is not None


def _suppress(key: str, reason: str, by: str = "") -> None:
    with transaction() as store:
        insert_suppression(store.connection(), key, reason)
        line = {"what": ledger.SUPPRESSED, "mailbox": key, "reason": reason}
        ledger.append(store.connection(), [line], clock.now())
        if by:
            journal.record(store, by, "address blocked")


def insert_suppression(connection: Connection, key: str, reason: str) -> None:
    """Add the mailbox, in the caller's transaction; an existing row is kept."""
    row = (key, reason, clock.minute_of(clock.now()))
    bulk.insert(connection, Suppression, ("mailbox_key", "reason", "created_at"), [row], on_conflict=bulk.skip)


def _keys(email: str) -> tuple[str, str, str]:
    """The keys that suppress an address: owner's wish, bounce, and the key that older versions used for both."""
    mailbox = identity.mailbox_loosely(email)
    local, _, host = mailbox.rpartition("@")
    said = (
        ("silenced", mailbox),
        ("bounced", identity.same_address(email)),
        ("mailbox", f"{local.replace('.', '')}@{host}"),
    )
    secret = keyring().secret_key.encode()
    first, second, third = (sealing.blind_index(secret, purpose, text).hex()[:40] for purpose, text in said)
    return first, second, third


def _proof(key: str) -> str:
    return sealing.blind_index(keyring().secret_key.encode(), "stop", key).hex()[:32]
