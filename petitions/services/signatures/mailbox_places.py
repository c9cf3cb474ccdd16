"""Places in a mailbox: how many people may sign with one mailbox; a place is taken by confirming."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from petitions.clock import minute_of
from petitions.db.base import UtcDateTime
from petitions.models import Signer


@dataclass
class Claimed:
    """Who got a place (`placed`); who is told that none is left (`full`); who is not told (`uncounted`).

    The last group used another spelling of the mailbox. Where a +tag is no alias it is another person's mailbox, whose
    owner must not learn who signed: they see their signatures as confirmed, but those do not count.
    """

    placed: set[int] = field(default_factory=set)
    full: set[int] = field(default_factory=set)
    uncounted: set[int] = field(default_factory=set)


def claim(connection: Connection, signers: Sequence[Row[Any]], now: datetime) -> Claimed:
    """Give each signer with pending signatures (rows of `holds.confirm`) a place, in their order.

    The caller holds the lock on the campaign's row, so that nobody else gives places at the same time.
    """
    new = [signer for signer in signers if signer.slot is None and signer.waits]
    claimed = Claimed({signer.id for signer in signers} - {signer.id for signer in new})
    if not new:
        return claimed
    mailboxes = {"b_campaigns": {each.campaign_id for each in new}, "b_mailboxes": {each.email_key for each in new}}
    taken: dict[tuple[int, bytes], dict[int, bytes]] = {}
    for row in connection.execute(_TAKEN, mailboxes):
        taken.setdefault((row.campaign_id, row.email_key), {})[row.slot] = row.address_key
    slots: dict[int, int] = {}
    for each in new:
        there = taken.setdefault((each.campaign_id, each.email_key), {})
        slot = next((slot for slot in range(1, each.signers_per_mailbox + 1) if slot not in there), None)
        if slot is not None:
            slots[each.id] = slot
            there[slot] = each.address_key
            claimed.placed.add(each.id)
        elif each.address_key in there.values():
            claimed.full.add(each.id)
        else:
            claimed.uncounted.add(each.id)
    for slot in sorted(set(slots.values())):
        ids = [signer_id for signer_id, given in slots.items() if given == slot]
        connection.execute(_PLACE, {"b_ids": sorted(ids), "b_slot": slot, "b_now": minute_of(now)})
    return claimed


_TAKEN = select(Signer.campaign_id, Signer.email_key, Signer.slot, Signer.address_key).where(
    Signer.campaign_id.in_(bindparam("b_campaigns", expanding=True)),
    Signer.email_key.in_(bindparam("b_mailboxes", expanding=True)),
    Signer.slot.is_not(None),
)
_PLACE = (
    update(Signer)
    .where(Signer.id.in_(bindparam("b_ids", expanding=True)))
    .values(slot=bindparam("b_slot"), confirmed_at=bindparam("b_now", type_=UtcDateTime()))
)
