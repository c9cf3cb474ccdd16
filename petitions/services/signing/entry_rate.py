"""A brake on entries: when far more come for a campaign than is usual, each must bring a proof, wherever it is from."""

import time
from collections.abc import Sequence
from datetime import timedelta

from flask import current_app
from sqlalchemy import Connection, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.models import Count, Limit
from petitions.services.limits import rate_limits
from petitions.services.moderation import holds
from petitions.services.signatures import counting

# Of a campaign. Ten minutes of mails are 6,000 (PETITIONS_MAIL_PER_MINUTE): what proves nothing takes a third at most
ENTRIES = rate_limits.Rule("entries", 2_000, timedelta(minutes=10))
TIMES_USUAL = 5
FRESH_SECONDS = 1.0
_CREATED = Count.pending + Count.held + Count.confirmed + Count.withdrawn + Count.invalidated + Count.expired


def keys(connection: Connection, campaign_ids: Sequence[int]) -> list[str]:
    """The rows of `limits` that count an entry for each of these campaigns; each process has rows of its own."""
    shard = counting.shard(connection)
    return [f"{ENTRIES.kind}:{campaign_id}:{shard}" for campaign_id in campaign_ids]


def load(campaign_id: int) -> float:
    """How many times as many entries came lately as may come without a proof; at most a second old."""
    kept: dict[int, tuple[float, float]] = current_app.extensions.setdefault("petitions_entry_loads", {})
    looked_at, found = kept.get(campaign_id, (0.0, 0.0))
    now = time.monotonic()
    if now - looked_at >= FRESH_SECONDS:
        kept[campaign_id] = (now, found)  # the others need not look, too
        found = _load(campaign_id)
        kept[campaign_id] = (now, found)
    return found


def _load(campaign_id: int) -> float:
    now = clock.now()
    rows = [f"{ENTRIES.kind}:{campaign_id}:{shard}" for shard in range(counting.SHARDS)]
    is_running = (Limit.ends_at > now.timestamp()) & (
        Limit.ends_at <= (now + ENTRIES.window).timestamp() + rate_limits.CLOCK_TOLERANCE
    )
    with reading() as connection:
        present = connection.scalar(select(func.sum(Limit.used)).where(Limit.key.in_(rows), is_running)) or 0
        if present <= ENTRIES.most:
            return present / ENTRIES.most
        usual = holds.usual(connection, campaign_id, present, now, _CREATED)
    return present / max(ENTRIES.most, TIMES_USUAL * usual)
