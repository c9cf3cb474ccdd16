"""Holds: if confirmations are far above the usual rate, they are held back, uncounted, until staff decide."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, insert, select, update

from petitions import clock
from petitions.clock import hour_of, minute_of
from petitions.db.transactions import write_queue
from petitions.domain.states import SignatureState
from petitions.errors import NotFound
from petitions.models import Campaign, Case, Collector, Count, Hold, Limit, Signature, Signer
from petitions.services import journal
from petitions.services.limits import rate_limits
from petitions.services.signatures import batch_updates, mailbox_places, signatures
from petitions.services.signatures.mailbox_places import Claimed

CONFIRMING = rate_limits.Rule(
    "confirming", 2_000, timedelta(minutes=10)
)  # signers per campaign; more may be an anomaly
TIMES_USUAL = 20
USUAL_HOURS = 6


def confirm(connection: Connection, signer_ids: Sequence[int], now: datetime) -> Claimed:
    """Confirm the pending signatures of these signers, or hold them if the campaign is on hold; returns the places.

    The campaign's row is the lock: on Postgres no confirmation runs at the same time as the begin or end of a hold.
    """
    signers = connection.execute(_SIGNERS, {"ids": signer_ids}).all()
    claimed = mailbox_places.claim(connection, signers, now)
    on_hold = set(connection.scalars(_ON_HOLD, {"ids": {signer.campaign_id for signer in signers}}))
    moved: signatures.Moved = {}
    for after in (SignatureState.CONFIRMED, SignatureState.HELD):
        ids = [
            each.id
            for each in signers
            if each.id in claimed.placed and (each.campaign_id in on_hold) == (after == SignatureState.HELD)
        ]
        moved |= signatures.move(connection, ids, SignatureState.PENDING, after, now) if ids else {}
    if claimed.uncounted:
        ids = sorted(claimed.uncounted)
        signatures.move(connection, ids, SignatureState.PENDING, SignatureState.INVALIDATED, now)
        for model, theirs in ((Signer, Signer.id), (Signature, Signature.signer_id)):  # as for a counted one
            connection.execute(update(model).where(theirs.in_(ids)).values(confirmed_at=minute_of(now)))
    # Signers of a collector that staff made are expected, so they are no anomaly; anybody may make another one
    counted = [each.campaign_id for each in signers if each.id in moved and not each.is_trusted]
    _watch(connection, [campaign_id for campaign_id in counted if campaign_id not in on_hold], now)
    return claimed


_WAITS = exists().where(Signature.signer_id == Signer.id, Signature.state == SignatureState.PENDING)
_SIGNERS = (
    select(Signer.id, Signer.campaign_id, Signer.address_key, Signer.email_key, Signer.slot)
    .add_columns(Campaign.signers_per_mailbox, Collector.is_trusted, _WAITS.label("waits"))
    .join(Campaign, Campaign.id == Signer.campaign_id)
    .outerjoin(Collector, Collector.id == Signer.collector_id)
    .where(Signer.id.in_(bindparam("ids", expanding=True)))
    .order_by(Campaign.id, Signer.id)
    .with_for_update(of=Campaign, key_share=True)
)
_ON_HOLD = select(Hold.campaign_id).where(
    Hold.campaign_id.in_(bindparam("ids", expanding=True)), Hold.ended_at.is_(None)
)


def count_held(slug: str, by: str = journal.COMMAND) -> int:
    """End the campaign's hold and count its held signatures; returns how many.

    The end of the hold is one transaction, each batch of signatures another one; after an interruption, call it again.
    """
    campaign_id = write_queue().submit(_end_batch, (slug, by))
    counted = sum(write_queue().submit(_count_batch, (campaign_id, span)) for span in batch_updates.spans(campaign_id))
    journal.note(by, "held signatures counted", slug, counted)
    return counted


def _watch(connection: Connection, campaign_ids: Sequence[int], now: datetime) -> None:
    """Count confirmations, and begin a hold if there are too many."""
    keys = [CONFIRMING.key(str(campaign_id)) for campaign_id in campaign_ids]
    reached = dict(zip(campaign_ids, rate_limits.use(connection, CONFIRMING, keys, now), strict=True))
    for campaign_id, number in reached.items():
        if number > CONFIRMING.most and number > TIMES_USUAL * usual(connection, campaign_id, number, now, _CONFIRMED):
            connection.execute(insert(Hold).values(campaign_id=campaign_id, reason="many_confirmed", began_at=now))


_CONFIRMED = Count.confirmed + Count.held


def usual(connection: Connection, campaign_id: int, present: int, now: datetime, counted: ColumnElement[int]) -> float:
    """The usual number of `counted` changes in ten minutes for the busiest case, without the `present` ones."""
    by_case = (
        select(func.sum(counted))
        .join(Case, Case.id == Count.case_id)
        .where(Case.campaign_id == campaign_id, Count.hour_at >= hour_of(now) - timedelta(hours=USUAL_HOURS))
        .group_by(Count.case_id)
    )
    busiest = max((int(number) for number in connection.scalars(by_case)), default=0)
    return max(busiest - present, 0) / (timedelta(hours=USUAL_HOURS) / CONFIRMING.window)


def _end_batch(connection: Connection, ends: Sequence[tuple[str, str]]) -> list[int]:
    ids = []
    for slug, by in ends:
        lock = select(Campaign.id).where(Campaign.slug == slug).with_for_update(key_share=True)
        campaign_id = connection.scalar(lock)
        if campaign_id is None:
            raise NotFound(campaign=slug)
        is_open = (Hold.campaign_id == campaign_id) & Hold.ended_at.is_(None)
        connection.execute(update(Hold).where(is_open).values(ended_at=clock.now()))
        # Staff have checked those; counting starts again from zero
        connection.execute(update(Limit).where(Limit.key == CONFIRMING.key(str(campaign_id))).values(used=0))
        journal.record(connection, by, "hold ended", slug)
        ids.append(campaign_id)
    return ids


def _count_batch(connection: Connection, batches: Sequence[tuple[int, batch_updates.Span]]) -> list[int]:
    now = clock.now()
    step = batch_updates.Step(SignatureState.HELD, SignatureState.CONFIRMED, {"confirmed_at": minute_of(now)})
    return [batch_updates.change(connection, campaign_id, span, step, now) for campaign_id, span in batches]
