"""The rules of retention: when names are erased, and whether the clock may be trusted with it. Pure: no database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from petitions.clock import Boot

PENDING_LIFETIME = timedelta(days=14)  # as long as the link in the e-mail is valid
KIT_ORDERS_AFTER_SENDING = timedelta(days=30)
AFTER_DELIVERY = timedelta(days=30)
AFTER_END = timedelta(days=365)
MAIL_LIFETIME = timedelta(hours=72)

TOLERANCE = timedelta(minutes=10)  # how far the clock may be corrected and still be trusted
LONGEST_PAUSE = timedelta(hours=48)
DOUBT_PERIOD = timedelta(hours=1)


class MarkKey(NamedTuple):
    """What a mark is about: its kind, and which campaign or start of the machine, if any."""

    kind: str
    subject: str = ""


SEEN, DOUBT, SCRUBBED = MarkKey("retention"), MarkKey("doubt"), MarkKey("scrubbed")
CLOSED, EXPORTED, BOOT = "closed", "newsletter", "boot"
Marks = Mapping[MarkKey, datetime]


class Clock(StrEnum):
    """Whether retention trusts the clock."""

    TRUSTED = "trusted"
    WAITING = "waiting"
    JUMPED = "jumped"
    EARLIER = "earlier"


def closed_mark(campaign_id: int) -> MarkKey:
    """When the campaign was first seen closed."""
    return MarkKey(CLOSED, str(campaign_id))


def exported_mark(campaign_id: int) -> MarkKey:
    """When the newsletter addresses were last exported."""
    return MarkKey(EXPORTED, str(campaign_id))


def boot_mark(boot: Boot) -> MarkKey:
    """When this start of the machine began, as it was first seen."""
    return MarkKey(BOOT, boot.id)


def ends_at(closes_at: datetime | None, closed_at: datetime | None) -> datetime | None:
    """When a campaign ended or will end: its closing date, or when it was first seen closed."""
    return min((each for each in (closes_at, closed_at) if each is not None), default=None)


def erased_by(end: datetime | None, handed_over_at: datetime | None) -> datetime | None:
    """When the last name is erased: 30 days after delivery, 12 months after the end; None without an end."""
    if end is None:
        return None
    if handed_over_at is not None and handed_over_at >= end:
        return min(end + AFTER_END, handed_over_at + AFTER_DELIVERY)
    return end + AFTER_END


def judged(seen: Marks, now: datetime, boot: Boot) -> Clock:
    """The state of the clock according to these marks, by the rules above."""
    began_at, doubted_at, last = seen.get(boot_mark(boot)), seen.get(DOUBT), seen.get(SEEN)
    if last is not None and now < last - TOLERANCE:
        return Clock.EARLIER
    if began_at is None:
        return Clock.TRUSTED if last is not None and now - last <= LONGEST_PAUSE else Clock.WAITING
    if abs(boot.began_at - began_at) > TOLERANCE:
        return Clock.JUMPED if doubted_at is None else Clock.WAITING
    return Clock.WAITING if doubted_at is not None and now - doubted_at < DOUBT_PERIOD else Clock.TRUSTED
