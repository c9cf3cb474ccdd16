"""The exact limit against mail bombing: a mailbox has three slots, and each is free again a day after it was taken."""

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
_TAKE = "(mailbox_key, slot) DO UPDATE SET ends_at = excluded.ends_at WHERE mail_slots.ends_at <= excluded.ends_at - {}"


def mailbox_key(email: str) -> str:
    """A keyed hash that is equal for all spellings of a mailbox, over all campaigns."""
    return sealing.blind_index(keyring().secret_key.encode(), "mailbox", identity.mailbox_loosely(email)).hex()[:40]


def wanted(email: str) -> tuple[str, int]:
    """What a mail to this address asks of the limit: its mailbox's key, and the first slot that it may take.

    The first slot is kept for the address without a +tag: elsewhere than at Google the tag may lead to somebody else,
    who would use up a person's mails.
    """
    return mailbox_key(email), 2 if identity.same_address(email) != identity.mailbox(email) else 1


def take(connection: Connection, mails: Sequence[tuple[str, int]], now: datetime) -> list[bool]:
    """Whether each of these mails (see `wanted`) may go to its mailbox, in order; a yes takes a slot.

    One statement where nobody was written to lately, at most one per slot. Two servers cannot take the same slot.
    """
    day = int(FREE_AFTER.total_seconds())
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
            same={"slot": slot, "ends_at": int(now.timestamp()) + day},
            on_conflict=_TAKE.format(day),
            returning=("mailbox_key",),
        )
        for (key,) in taken:
            allowed[first[key]] = True
        if all(allowed):
            break
    return allowed


def purge() -> None:
    """Forget the slots that are free again; one taken while the clock ran ahead is free a day from now."""
    now = int(clock.now().timestamp())
    latest = now + int(FREE_AFTER.total_seconds())
    with transaction() as store:
        store.execute(delete(MailSlot).where(MailSlot.ends_at <= now))
        store.execute(update(MailSlot).where(MailSlot.ends_at > latest).values(ends_at=latest))
