"""Retention periods, when a campaign is erased, what the next run would do, and whether the clock is trusted.

The clock rules. A run erases only if all of this holds; otherwise it waits, and staff pages and `flask doctor` show it:

1. the time is not earlier than at the last run (mark "retention");
2. since the last check on this machine the clock advanced as much as the machine's uptime: it was not set;
3. after a start of the machine (or on a new one), at most 48 hours passed since the last run; if more, or if there was
   no run yet, the clock must first run steadily for an hour (mark "doubt").

`flask retention trust-clock` ends the wait.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.retention import (
    AFTER_DELIVERY,
    AFTER_END,
    MAIL_LIFETIME,
    PENDING_LIFETIME,
    Clock,
    MarkKey,
    Marks,
    closed_mark,
    ends_at,
    erased_by,
    exported_mark,
    judged,
)
from petitions.domain.states import CampaignState, SignatureState
from petitions.models import Campaign, Mark, Message, Signature, Signer


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


def marks(connection: Connection) -> dict[MarkKey, datetime]:
    """All marks."""
    rows = connection.execute(select(Mark.kind, Mark.subject, Mark.at))
    return {MarkKey(row.kind, row.subject): row.at for row in rows}


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


def _plan(row: Any, noted: Marks, now: datetime) -> Plan:
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
