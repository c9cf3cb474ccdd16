"""Retention: what is no longer needed is erased by itself. Counts and their history stay as they are.

`run` is many small transactions, so that signers hardly wait for it, and it may end after any of them: the next run
goes on where this one stopped, because every step asks the database what is left to do.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, select, update
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.transactions import reading, transaction, truncate_log
from petitions.errors import DomainError, NotFound
from petitions.models import Campaign, Mark, Message, Signer
from petitions.models.states import CampaignState, SignatureState
from petitions.queries import retention as rules
from petitions.queries.retention import Clock
from petitions.services import signatures
from petitions.services.erasing import RETENTION, WISH, Erasure, erase_signers, note_erasures, noted_erasures, wiped
from petitions.services.keyring import keyring

log = logging.getLogger(__name__)

BATCH = 500  # rows in one transaction
BREATH = 0.05  # seconds between two, for the signers


class CampaignRunning(DomainError):
    """The campaign still takes signatures: what is handed over now would not be all."""

    code = "campaign_running"


@dataclass
class Done:
    """What a run did. Numbers only."""

    clock: Clock
    expired: int = 0  # signatures
    erased: int = 0  # signers
    mails: int = 0
    keys: int = 0


def run(ended: threading.Event | None = None) -> Done:
    """Erase what is due, unless the clock is doubted; stops between two batches once `ended` is set."""
    done = Done(look_at_clock())
    if done.clock != Clock.TRUE:
        log.warning("retention waits clock=%s", done.clock)
        return done
    now = clock.now()
    _note_ends(now)
    for ids in _batches(Signer.id, rules.expiring(now) | rules.forgettable(now), ended):
        _erase(ids, rules.forgettable(now), now, done)
    for plan in rules.plans(now):
        if plan.is_due:
            for ids in _batches(Signer.id, rules.due(plan, now), ended):
                _erase(ids, rules.due(plan, now), now, done)
            done.keys += _destroy_key(plan.id, now)
    for ids in _batches(Message.id, rules.stale_mails(now), ended):
        _wipe_mails(ids, now, done)
    if done.erased or done.mails or done.keys:
        truncate_log()
    log.info("retention expired=%s erased=%s mails=%s keys=%s", done.expired, done.erased, done.mails, done.keys)
    return done


def look_at_clock() -> Clock:
    """What the rules of queries/retention.py say about the clock; notes what was seen, for the next look."""
    now, boot = clock.now(), clock.boot()
    with transaction() as store:
        noted = rules.marks(store.connection())
        verdict = rules.judged(noted, now, boot)
        began_at = noted.get(f"boot {boot.id}")
        if verdict == Clock.TRUE:
            _believe(store)
        elif verdict == Clock.WAITING and (began_at is None or abs(boot.began_at - began_at) > rules.TOLERANCE):
            _mark(store, f"boot {boot.id}", boot.began_at)
            _mark(store, rules.DOUBT, now)
    return verdict


def trust_clock() -> None:
    """Believe the clock as it is now: a person looked at it."""
    with transaction() as store:
        _believe(store)


def record_hand_over(slug: str) -> None:
    """Note that the signatures were handed over: 30 days later they are erased. A second time changes nothing.

    Raises NotFound, or CampaignRunning.
    """
    now = clock.now()
    with transaction() as store:
        campaign = _campaign(store, slug)
        if campaign.state == CampaignState.OPEN and (campaign.closes_at is None or campaign.closes_at > now):
            raise CampaignRunning(campaign=slug)
        end = rules.ends_at(campaign.closes_at, _note_end(store, campaign, now)) or now
        if campaign.handed_over_at is None or campaign.handed_over_at < end:  # that was for an earlier end
            campaign.handed_over_at = campaign.changed_at = now


def undo_hand_over(slug: str) -> None:
    """Take back a hand-over that was recorded by mistake. What was erased meanwhile stays erased."""
    with transaction() as store:
        campaign = _campaign(store, slug)
        campaign.handed_over_at, campaign.changed_at = None, clock.now()


def note_export(slug: str, begun_at: datetime) -> None:
    """Note that the section has the addresses of all who wanted news and confirmed before `begun_at`."""
    with transaction() as store:
        _mark(store, rules.exported_mark(_campaign(store, slug).id), begun_at)


def replay() -> int:
    """Erase again whom the ledger names: after a backup was restored. Gives how many came back and are gone again.

    A line is believed only if the signer did nothing later: a number may stand for somebody else by now, and a
    transaction that failed may have left a line.
    """
    now, number = clock.now(), 0
    found = sorted(noted_erasures(), key=lambda each: (each.campaign, each.why, each.signer is None))
    for (campaign, why), group in groupby(found, key=lambda each: (each.campaign, each.why)):
        lines = list(group)
        at = {each.signer: each.at for each in lines if each.signer is not None}
        ids = sorted(at)
        for start in range(0, len(ids), BATCH):
            number += _erase_again({each: at[each] for each in ids[start : start + BATCH]}, campaign, why, now)
    for slug in sorted({each.campaign for each in found if each.signer is None}):
        with reading() as connection:
            campaign_id = connection.scalar(select(Campaign.id).where(Campaign.slug == slug))
        if campaign_id is not None:
            _destroy_key(campaign_id, now)
    truncate_log()
    return number


def _erase_again(at: dict[int, datetime], campaign: str, why: str, now: datetime) -> int:
    with transaction() as store:
        rows = store.execute(
            select(Signer.id, Signer.asked_at, Signer.confirmed_at)
            .join(Campaign, Campaign.id == Signer.campaign_id)
            .where(Signer.id.in_(list(at)), Campaign.slug == campaign, Signer.erased_at.is_(None))
        ).all()
        ids = [row.id for row in rows if max(row.asked_at, row.confirmed_at or row.asked_at) <= at[row.id]]
        connection = store.connection()
        if why == WISH:  # they took everything back
            signatures.take_all_back(connection, ids, now)
        else:
            signatures.move(connection, ids, SignatureState.PENDING, SignatureState.EXPIRED, now)
        return erase_signers(connection, ids, now, why)


def _batches(column: Any, condition: Any, ended: threading.Event | None) -> Iterator[list[int]]:
    """The ids that meet the condition, in order, some at a time; nothing is held open between two batches."""
    last = 0
    while ended is None or not ended.wait(BREATH):
        with reading() as connection:
            ids = list(connection.scalars(select(column).where(condition, column > last).order_by(column).limit(BATCH)))
        if not ids:
            return
        yield ids
        last = ids[-1]


def _still(connection: Connection, ids: list[int], condition: Any) -> list[int]:
    """Those who meet the condition now too, locked; left out are those whom somebody else is writing at."""
    statement = select(Signer.id).where(Signer.id.in_(ids), condition).order_by(Signer.id)
    return list(connection.scalars(statement.with_for_update(of=Signer, skip_locked=True)))


def _erase(ids: list[int], condition: Any, now: datetime, done: Done) -> None:
    """Expire what waits for too long, and forget those who meet the condition then."""
    with transaction() as store:
        connection = store.connection()
        waiting = _still(connection, ids, rules.expiring(now))
        moved = signatures.move(connection, waiting, SignatureState.PENDING, SignatureState.EXPIRED, now)
        over = _still(connection, ids, and_(condition, ~rules.expiring(now)))
        erased = erase_signers(connection, over, now, RETENTION)
    done.expired += sum(map(len, moved.values()))
    done.erased += erased


def _destroy_key(campaign_id: int, now: datetime) -> int:
    """Destroy the campaign's key once nobody is known any more: blind index and links are dead, in backups too."""
    with transaction() as store:
        campaign = store.get_one(Campaign, campaign_id)
        mine = exists().where(Signer.campaign_id == campaign_id)
        if campaign.wrapped_key is None or not store.scalar(select(mine)):
            return 0
        if store.scalar(select(mine.where(Signer.erased_at.is_(None)))):
            return 0
        note_erasures([Erasure(campaign.slug, None, now, RETENTION)])
        wrapped = campaign.wrapped_key
        campaign.wrapped_key, campaign.erased_at, campaign.changed_at = None, now, now
    keyring().forget(wrapped)
    log.info("campaign erased campaign=%s", campaign_id)
    return 1


def _wipe_mails(ids: list[int], now: datetime, done: Done) -> None:
    stale = and_(Message.id.in_(ids), rules.stale_mails(now))
    with transaction() as store:
        gone = store.execute(update(Message).where(stale).values(wiped("too_old")).returning(Message.id)).all()
    done.mails += len(gone)


def _note_ends(now: datetime) -> None:
    """Note of each campaign when it was first seen closed, for those without a closing date."""
    with transaction() as store:
        for campaign in store.scalars(select(Campaign)):
            _note_end(store, campaign, now)


def _note_end(store: Session, campaign: Campaign, now: datetime) -> datetime | None:
    noted = store.get(Mark, rules.closed_mark(campaign.id))
    if campaign.state == CampaignState.OPEN:
        if noted is not None:
            store.delete(noted)
        return None
    if noted is None:
        store.add(Mark(name=rules.closed_mark(campaign.id), at=now))
        campaign.changed_at = now
    return noted.at if noted else now


def _campaign(store: Session, slug: str) -> Campaign:
    campaign = store.scalar(select(Campaign).where(Campaign.slug == slug))
    if campaign is None:
        raise NotFound(campaign=slug)
    return campaign


def _believe(store: Session) -> None:
    boot = clock.boot()
    _mark(store, f"boot {boot.id}", boot.began_at)
    _mark(store, rules.SEEN, clock.now())
    store.execute(delete(Mark).where(Mark.name == rules.DOUBT))


def _mark(store: Session, name: str, at: datetime) -> None:
    store.merge(Mark(name=name, at=at))
