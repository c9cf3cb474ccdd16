"""Retention: erases what is no longer needed. Counts and their history stay.

`run` consists of many small transactions, so that signers hardly wait for it, and may stop after any of them: the next
run continues, because every step asks the database what is left to do.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import reading, transaction, truncate_log
from petitions.domain import retention as policy
from petitions.domain.retention import Clock
from petitions.domain.states import CampaignState, SignatureState
from petitions.errors import CampaignRunning, NotFound
from petitions.models import Campaign, Mark, Message, Signer
from petitions.queries import retention as rules
from petitions.services import journal, ledger
from petitions.services.keys.keyring import keyring
from petitions.services.privacy.erasure import erase_signers
from petitions.services.signatures import signatures

log = logging.getLogger(__name__)

BATCH = 500  # rows per transaction
PAUSE_SECONDS = 0.05  # between two transactions, so that signing goes on


@dataclass
class RunSummary:
    """What a run did. Numbers only."""

    clock: Clock
    expired: int = 0  # signatures
    erased: int = 0  # signers
    mails: int = 0
    keys: int = 0


def run(ended: threading.Event | None = None) -> RunSummary:
    """Erase what is due, unless the clock is in doubt; stops between two batches once `ended` is set."""
    summary = RunSummary(look_at_clock())
    if summary.clock != Clock.TRUSTED:
        log.warning("retention waits clock=%s", summary.clock)
        return summary
    now = clock.now()
    _record_ends(now)
    for ids in _batches(Signer.id, rules.expiring(now) | rules.forgettable(now), ended):
        _erase(ids, rules.forgettable(now), now, summary)
    for plan in rules.plans(now):
        if plan.is_due:
            for ids in _batches(Signer.id, rules.due(plan, now), ended):
                _erase(ids, rules.due(plan, now), now, summary)
            summary.keys += destroy_key(plan.slug, now)
    for ids in _batches(Message.id, rules.stale_mails(now), ended):
        _wipe_mails(ids, now, summary)
    if summary.erased or summary.mails or summary.keys:
        truncate_log()
    log.info(
        "retention expired=%s erased=%s mails=%s keys=%s", summary.expired, summary.erased, summary.mails, summary.keys
    )
    return summary


def look_at_clock() -> Clock:
    """Judge the clock by the rules of queries/retention.py, and record what was seen for the next call."""
    now, boot = clock.now(), clock.boot()
    with transaction() as store:
        noted = rules.marks(store.connection())
        verdict = policy.judged(noted, now, boot)
        began_at = noted.get(policy.boot_mark(boot))
        if verdict == Clock.TRUSTED:
            _trust_clock(store)
        elif verdict == Clock.WAITING and (began_at is None or abs(boot.began_at - began_at) > policy.TOLERANCE):
            _set_mark(store, policy.boot_mark(boot), boot.began_at)
            _set_mark(store, policy.DOUBT, now)
    return verdict


def trust_clock() -> None:
    """Trust the clock as it is: the operator checked it."""
    with transaction() as store:
        _trust_clock(store)
        journal.record(store, journal.COMMAND, "clock trusted")


def record_delivery(slug: str, by: str = journal.COMMAND) -> None:
    """Record that the signatures were delivered: 30 days later they are erased. Repeating changes nothing.

    Raises NotFound or CampaignRunning.
    """
    now = clock.now()
    with transaction() as store:
        campaign = _campaign(store, slug)
        if campaign.state == CampaignState.OPEN and (campaign.closes_at is None or campaign.closes_at > now):
            raise CampaignRunning(campaign=slug)
        end = policy.ends_at(campaign.closes_at, _record_end(store, campaign, now)) or now
        if (
            campaign.handed_over_at is None or campaign.handed_over_at < end
        ):  # that was before the campaign was opened again
            campaign.handed_over_at = campaign.changed_at = now
            journal.record(store, by, "delivery recorded", slug)


def undo_delivery(slug: str, by: str = journal.COMMAND) -> None:
    """Undo a delivery that was recorded by mistake. What was erased meanwhile stays erased."""
    with transaction() as store:
        campaign = _campaign(store, slug)
        campaign.handed_over_at, campaign.changed_at = None, clock.now()
        journal.record(store, by, "delivery undone", slug)


def note_export(slug: str, begun_at: datetime) -> None:
    """Record that the organisation has the addresses of newsletter subscribers confirmed before `begun_at`."""
    with transaction() as store:
        _set_mark(store, policy.exported_mark(_campaign(store, slug).id), begun_at)


def _batches(column: Any, condition: Any, ended: threading.Event | None) -> Iterator[list[int]]:
    """The ids that meet the condition, in order, in batches; no transaction stays open between two batches."""
    last = 0
    while ended is None or not ended.wait(PAUSE_SECONDS):
        with reading() as connection:
            ids = list(connection.scalars(select(column).where(condition, column > last).order_by(column).limit(BATCH)))
        if not ids:
            return
        yield ids
        last = ids[-1]


def _lock_matching(connection: Connection, ids: list[int], condition: Any) -> list[int]:
    """The ids that still meet the condition, locked; rows that are locked by others are skipped."""
    statement = select(Signer.id).where(Signer.id.in_(ids), condition).order_by(Signer.id)
    return list(connection.scalars(statement.with_for_update(of=Signer, skip_locked=True)))


def _erase(ids: list[int], condition: Any, now: datetime, summary: RunSummary) -> None:
    """Expire old pending signatures of these signers, then erase the signers that still meet the condition."""
    with transaction() as store:
        connection = store.connection()
        waiting = _lock_matching(connection, ids, rules.expiring(now))
        moved = signatures.move(connection, waiting, SignatureState.PENDING, SignatureState.EXPIRED, now)
        over = _lock_matching(connection, ids, and_(condition, ~rules.expiring(now)))
        erased = erase_signers(connection, over, now, ledger.EXPIRED)
    summary.expired += sum(map(len, moved.values()))
    summary.erased += erased


def destroy_key(slug: str, now: datetime) -> int:
    """Destroy the campaign's key once all its signers are erased, so that no copy can be compared either.

    Returns how many keys were destroyed: 0 for an unknown campaign or one whose key is gone already.
    """
    with transaction() as store:
        campaign = store.scalar(select(Campaign).where(Campaign.slug == slug, Campaign.erased_at.is_(None)))
        if campaign is None:
            return 0
        of_campaign = exists().where(Signer.campaign_id == campaign.id)
        if not store.scalar(select(of_campaign)) or store.scalar(select(of_campaign.where(Signer.erased_at.is_(None)))):
            return 0
        ledger.append(store.connection(), [{"what": ledger.KEY_DESTROYED, "campaign": slug}], now)
        campaign.erased_at = campaign.changed_at = now
    keyring().destroy_campaign_key(slug)
    log.info("campaign erased campaign=%s", slug)
    return 1


def _wipe_mails(ids: list[int], now: datetime, summary: RunSummary) -> None:
    stale = and_(Message.id.in_(ids), rules.stale_mails(now))
    with transaction() as store:
        gone = store.execute(delete(Message).where(stale).returning(Message.id)).all()
    summary.mails += len(gone)


def _record_ends(now: datetime) -> None:
    """Record for each campaign when it was first seen closed, for those without a closing date."""
    with transaction() as store:
        for campaign in store.scalars(select(Campaign)):
            _record_end(store, campaign, now)


def _record_end(store: Session, campaign: Campaign, now: datetime) -> datetime | None:
    noted = store.get(Mark, tuple(policy.closed_mark(campaign.id)))
    if campaign.state == CampaignState.OPEN:
        if noted is not None:
            store.delete(noted)
        return None
    if noted is None:
        _set_mark(store, policy.closed_mark(campaign.id), now)
        campaign.changed_at = now
    return noted.at if noted else now


def _campaign(store: Session, slug: str) -> Campaign:
    campaign = store.scalar(select(Campaign).where(Campaign.slug == slug))
    if campaign is None:
        raise NotFound(campaign=slug)
    return campaign


def _trust_clock(store: Session) -> None:
    boot = clock.boot()
    _set_mark(store, policy.boot_mark(boot), boot.began_at)
    _set_mark(store, policy.SEEN, clock.now())
    store.execute(delete(Mark).where(Mark.kind == policy.DOUBT.kind))


def _set_mark(store: Session, key: policy.MarkKey, at: datetime) -> None:
    store.merge(Mark(**key._asdict(), at=at))
