"""How long things are kept, when a campaign is erased, what the next run would do, and whether its clock is believed.

The clock rules. A run erases only if all of this holds; else it waits, and says so to staff and in `flask doctor`:
1. it is not earlier than at the last run (mark "retention");
2. since the last look on this machine the clock ran as the machine's uptime did: nobody and nothing moved it;
3. after a start of the machine (or on a new one), at most 48 hours passed since the last run; if more, or if there
   never was a run, the clock must first run true for an hour (mark "doubt").
Whoever knows better says `flask retention trust-clock`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from petitions import clock
from petitions.clock import Boot
from petitions.db.transactions import reading
from petitions.domain.states import CampaignState, SignatureState
from petitions.models import Campaign, Mark, Message, Signature, Signer

PENDING_LIFETIME = timedelta(days=14)  # as long as the link in the mail
AFTER_DELIVERY = timedelta(days=30)
AFTER_END = timedelta(days=365)
MAIL_LIFETIME = timedelta(hours=72)

TOLERANCE = timedelta(minutes=10)  # how far a clock may be set right without being doubted
LONGEST_PAUSE = timedelta(hours=48)
DOUBT_PERIOD = timedelta(hours=1)
SEEN, DOUBT, SCRUBBED = "retention", "doubt", "scrubbed"


class Clock(StrEnum):
    """What retention thinks of the clock."""

    TRUE = "true"
    WAITING = "waiting"
    LEAPT = "leapt"
    EARLIER = "earlier"


@dataclass(frozen=True)
class Plan:
    """When a campaign's signers are erased, and why then."""

    id: int
    slug: str
    state: str
    ended_at: datetime | None
    handed_over_at: datetime | None
    erased_by: datetime | None
    erased_at: datetime | None
    is_due: bool


@dataclass(frozen=True)
class Work:
    """What retention has before it in one campaign. Numbers only."""

    stored: int  # signers who are still known
    expiring: int  # signatures that wait for longer than 14 days
    forgetting: int  # signers of whom nothing counts any more
    due: int  # signers whose campaign's time is over
    mails: int  # mails that still say whom they are for after 72 hours
    never_exported: int  # signers who want news, confirmed since the last export


def ends_at(closes_at: datetime | None, closed_at: datetime | None) -> datetime | None:
    """When a campaign ended or will end: its closing date, or when its state was first seen closed."""
    return min((each for each in (closes_at, closed_at) if each is not None), default=None)


def erased_by(end: datetime | None, handed_over_at: datetime | None) -> datetime | None:
    """When the last name is gone: 30 days after the hand-over, 12 months after the end; None while no end is known."""
    if end is None:
        return None
    if handed_over_at is not None and handed_over_at >= end:
        return min(end + AFTER_END, handed_over_at + AFTER_DELIVERY)
    return end + AFTER_END


def closed_mark(campaign_id: int) -> str:
    """The name of the mark that says when the campaign was first seen closed."""
    return f"closed {campaign_id}"


def exported_mark(campaign_id: int) -> str:
    """The name of the mark that says when the addresses for the newsletter were last exported."""
    return f"newsletter {campaign_id}"


def marks(connection: Connection) -> dict[str, datetime]:
    """All marks, by name."""
    return {row.name: row.at for row in connection.execute(select(Mark.name, Mark.at))}


def judged(seen: dict[str, datetime], now: datetime, boot: Boot) -> Clock:
    """What these marks say about this clock, by the rules above."""
    began_at, doubted_at, last = seen.get(f"boot {boot.id}"), seen.get(DOUBT), seen.get(SEEN)
    if last is not None and now < last - TOLERANCE:
        return Clock.EARLIER
    if began_at is None:
        return Clock.TRUE if last is not None and now - last <= LONGEST_PAUSE else Clock.WAITING
    if abs(boot.began_at - began_at) > TOLERANCE:
        return Clock.LEAPT if doubted_at is None else Clock.WAITING
    return Clock.WAITING if doubted_at is not None and now - doubted_at < DOUBT_PERIOD else Clock.TRUE


def clock_state() -> Clock:
    """What retention thinks of the clock now."""
    with reading() as connection:
        return judged(marks(connection), clock.now(), clock.boot())


def expiring(now: datetime) -> Any:
    """Of signers: something waits, and the last mail that asked is too old to be answered."""
    waits = select(1).where(Signature.signer_id == Signer.id, Signature.state == SignatureState.PENDING)
    return and_(Signer.asked_at < now - PENDING_LIFETIME, waits.exists())


def forgettable(now: datetime) -> Any:
    """Of signers: they are still known, although nothing of theirs counts, nor can count again once it expired.

    They never confirmed, and nothing is held; or they took everything back 14 days ago, and want no news.
    """
    of_signer = select(1).where(Signature.signer_id == Signer.id)
    counts = of_signer.where(Signature.state.in_([SignatureState.HELD, SignatureState.CONFIRMED]))
    struck = of_signer.where(Signature.state == SignatureState.INVALIDATED)  # staff may give it back
    lately = of_signer.where(Signature.withdrawn_at >= now - PENDING_LIFETIME)
    took_back = and_(Signer.newsletter.is_(False), ~struck.exists(), ~lately.exists())
    is_old = and_(Signer.erased_at.is_(None), Signer.asked_at < now - PENDING_LIFETIME)
    return and_(is_old, ~counts.exists(), or_(Signer.confirmed_at.is_(None), took_back))


def due(plan: Plan, now: datetime) -> Any:
    """Of signers: their campaign's time is over. Whoever signed after its supposed end is kept: that date was wrong."""
    latest = now - AFTER_END
    if plan.handed_over_at and plan.ended_at and plan.ended_at <= plan.handed_over_at <= now - AFTER_DELIVERY:
        latest = plan.handed_over_at
    return and_(Signer.campaign_id == plan.id, Signer.erased_at.is_(None), Signer.signed_at <= latest)


def stale_mails(now: datetime) -> Any:
    """Of messages: they still say whom they are for, 72 hours after they were queued."""
    return and_(Message.payload.is_not(None), Message.created_at < now - MAIL_LIFETIME)


def plans(now: datetime) -> list[Plan]:
    """Every campaign, newest first."""
    with reading() as connection:
        noted = marks(connection)
        rows = connection.execute(select(Campaign).order_by(Campaign.id.desc())).all()
    return [_plan(row, noted, now) for row in rows]


def _plan(row: Any, noted: dict[str, datetime], now: datetime) -> Plan:
    closed_at = None if row.state == CampaignState.OPEN else noted.get(closed_mark(row.id))
    end = ends_at(row.closes_at, closed_at)
    by = erased_by(end, row.handed_over_at)
    is_due = by is not None and by <= now and row.erased_at is None
    return Plan(row.id, row.slug, row.state, end, row.handed_over_at, by, row.erased_at, is_due)


def work(plan: Plan, now: datetime) -> Work:
    """The numbers of one campaign. Reads every signer of it: for people who ask, not for each request."""
    stored = select(func.count(Signer.id)).where(Signer.campaign_id == plan.id, Signer.erased_at.is_(None))
    of_signer = Signer.campaign_id == plan.id
    waiting = (
        select(func.count()).select_from(Signature).join(Signer, Signer.id == Signature.signer_id).where(of_signer)
    )
    waiting = waiting.where(Signature.state == SignatureState.PENDING, Signer.asked_at < now - PENDING_LIFETIME)
    mails = (
        select(func.count(Message.id)).join(Signer, Signer.id == Message.signer_id).where(of_signer, stale_mails(now))
    )
    news = stored.where(Signer.newsletter.is_(True), Signer.confirmed_at.is_not(None))
    with reading() as connection:
        exported_at = marks(connection).get(exported_mark(plan.id))
        news = news if exported_at is None else news.where(Signer.confirmed_at > exported_at)
        over = stored.where(due(plan, now)) if plan.is_due else None
        asked: list[Select[Any] | None] = [stored, waiting, stored.where(forgettable(now)), over, mails, news]
        return Work(*(0 if each is None else connection.scalar(each) or 0 for each in asked))
