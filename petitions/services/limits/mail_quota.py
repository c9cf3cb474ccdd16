"""The mail quota against mail bombing: each mailbox has three slots; a used slot is free again after a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, update

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import transaction
from petitions.domain import identity, sealing
from petitions.models import MailSlot
from petitions.services.keys.keyring import keyring

PER_DAY = 3
FREE_AFTER = timedelta(hours=24)
_DAY = int(FREE_AFTER.total_seconds())


def mailbox_key(email: str) -> str:
    """A keyed hash that is equal for all spellings of a mailbox, in all campaigns."""
    return sealing.blind_index(keyring().secret_key.encode(), "mailbox", identity.mailbox_loosely(email)).hex()[:40]


def wanted(email: str) -> tuple[str, int]:
    """What an e-mail to this address needs: the mailbox's key, and the first slot that it may use.

    Slot 1 is reserved for the address without a +tag: with other hosts than Google an address with a tag may be another
    person's, who would then use up the owner's quota.
    """
    return mailbox_key(email), 2 if identity.same_address(email) != identity.mailbox(email) else 1


def take(connection: Connection, mails: Sequence[tuple[str, int]], now: datetime) -> list[bool]:
    """Whether each of these e-mails (see `wanted`) may go to its mailbox, in order; a yes uses a slot.

    One statement if no slot is in use, at most one per slot. Two servers cannot take the same slot.
    """
    allowed = [False] * len(mails)
    for slot in range(1, PER_DAY + 1):
        first: dict[str, int] = {}
        for place, (key, first_allowed) in enumerate(mails):
            if not allowed[place] and first_allowed <= slot:
                first.setdefault(key, place)
        taken = bulk.insert(
            connection,
            MailSlot,
            ("mailbox_key",),
            [(key,) for key in sorted(first)],
            same={"slot": slot, "ends_at": int(now.timestamp()) + _DAY},
            on_conflict=_take,
            returning=("mailbox_key",),
        )
        for (key,) in taken:
            allowed[first[key]] = True
        if all(allowed):
            break
    return allowed


def _take(statement: bulk.Insert) -> bulk.Insert:
    is_free = MailSlot.ends_at <= statement.excluded.ends_at - _DAY
    ends_at = {"ends_at": statement.excluded.ends_at}
    return statement.on_conflict_do_update(index_elements=["mailbox_key", "slot"], set_=ends_at, where=is_free)


def purge() -> None:
    """Delete free slots; a slot taken while the clock was ahead is free after at most a day."""
    now = int(clock.now().timestamp())
    latest = now + int(FREE_AFTER.total_seconds())
    with transaction() as store:
        store.execute(delete(MailSlot).where(MailSlot.ends_at <= now))
        store.execute(update(MailSlot).where(MailSlot.ends_at > latest).values(ends_at=latest))
