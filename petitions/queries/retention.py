"""Retention periods, when a campaign is erased, what the next run would do, and whether the clock is trusted.

The clock rules. A run erases only if all of this holds; otherwise it waits, and staff pages and `flask doctor` show it:

1. the time is not earlier than at the last run (mark "retention");
2. since the last check on this machine the clock advanced as much as the machine's uptime: it was not set;
3. after a start of the machine (or on a new one), at most 48 hours passed since the last run; if more, or if there was
   no run yet, the clock must first run steadily for an hour (mark "doubt").

`flask retention trust-clock` ends the wait.
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

PENDING_LIFETIME = timedelta(days=14)  # as long as the link in the e-mail is valid
AFTER_DELIVERY = timedelta(days=30)
AFTER_END = timedelta(days=365)
MAIL_LIFETIME = timedelta(hours=72)

TOLERANCE = timedelta(minutes=10)  # how far the clock may be corrected and still be trusted
LONGEST_PAUSE = timedelta(hours=48)
DOUBT_PERIOD = timedelta(hours=1)
SEEN, DOUBT, SCRUBBED = "retention", "doubt", "scrubbed"


class Clock(StrEnum):
    """Whether retention trusts the clock."""

    TRUSTED = "trusted"
    WAITING = "waiting"
    JUMPED = "jumped"
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
    """What retention has to do in one campaign. Numbers only."""

    stored: int  # signers who are not erased
    expiring: int  # signatures pending for longer than 14 days
    forgetting: int  # signers without a signature that counts
    due: int  # signers whose campaign's retention period is over
    mails: int  # e-mails that still contain their address after 72 hours
    never_exported: int  # newsletter subscribers confirmed since the last export


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


def closed_mark(campaign_id: int) -> str:
    """The name of the mark for when the campaign was first seen closed."""
    return f"closed {campaign_id}"


def exported_mark(campaign_id: int) -> str:
    """The name of the mark for when the newsletter addresses were last exported."""
    return f"newsletter {campaign_id}"


def marks(connection: Connection) -> dict[str, datetime]:
    """All marks, by name."""
    return {row.name: row.at for row in connection.execute(select(Mark.name, Mark.at))}


def judged(seen: dict[str, datetime], now: datetime, boot: Boot) -> Clock:
    """The state of the clock according to these marks, by the rules above."""
    began_at, doubted_at, last = seen.get(f"boot {boot.id}"), seen.get(DOUBT), seen.get(SEEN)
    if last is not None and now < last - TOLERANCE:
        return Clock.EARLIER
    if began_at is None:
        return Clock.TRUSTED if last is not None and now - last <= LONGEST_PAUSE else Clock.WAITING
    if abs(boot.began_at - began_at) > TOLERANCE:
        return Clock.JUMPED if doubted_at is None else Clock.WAITING
    return Clock.WAITING if doubted_at is not None and now - doubted_at < DOUBT_PERIOD else Clock.TRUSTED


def clock_state() -> Clock:
    """The present state of the clock."""
    with reading() as connection:
        return judged(marks(connection), clock.now(), clock.boot())


def expiring(now: datetime) -> Any:
    """Condition on signers: they have pending signatures, and their last confirmation link has expired."""
    waits = select(1).where(Signature.signer_id == Signer.id, Signature.state == SignatureState.PENDING)
    return and_(Signer.asked_at < now - PENDING_LIFETIME, waits.exists())


def forgettable(now: datetime) -> Any:
    """Condition on signers: not erased, although nothing of theirs counts or can count again.

    They never confirmed, and nothing is held; or they withdrew everything 14 days ago, and want no newsletter.
    """
    of_signer = select(1).where(Signature.signer_id == Signer.id)
    counts = of_signer.where(Signature.state.in_([SignatureState.HELD, SignatureState.CONFIRMED]))
    invalidated = of_signer.where(Signature.state == SignatureState.INVALIDATED)  # staff may restore it
    lately = of_signer.where(Signature.withdrawn_at >= now - PENDING_LIFETIME)
    took_back = and_(Signer.newsletter.is_(False), ~invalidated.exists(), ~lately.exists())
    is_old = and_(Signer.erased_at.is_(None), Signer.asked_at < now - PENDING_LIFETIME)
    return and_(is_old, ~counts.exists(), or_(Signer.confirmed_at.is_(None), took_back))


def due(plan: Plan, now: datetime) -> Any:
    """Condition on signers: the retention period is over. Those who signed after the supposed end are kept."""
    latest = now - AFTER_END
    if plan.handed_over_at and plan.ended_at and plan.ended_at <= plan.handed_over_at <= now - AFTER_DELIVERY:
        latest = plan.handed_over_at
    return and_(Signer.campaign_id == plan.id, Signer.erased_at.is_(None), Signer.signed_at <= latest)


def stale_mails(now: datetime) -> Any:
    """Condition on messages: they still contain an address, 72 hours after they were queued."""
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
    """The numbers of one campaign. Reads every signer: for staff and commands, not for each request."""
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
