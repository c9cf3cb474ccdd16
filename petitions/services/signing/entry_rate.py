"""Measures how fast entries arrive for a campaign; far above the usual rate, every entry needs proof of work."""

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

# Per campaign. In ten minutes 6,000 e-mails can be sent (PETITIONS_MAIL_PER_MINUTE): entries without proof of work
# take a third of them at most.
ENTRIES = rate_limits.Rule("entries", 2_000, timedelta(minutes=10))
TIMES_USUAL = 5
FRESH_SECONDS = 1.0
_CREATED = Count.pending + Count.held + Count.confirmed + Count.withdrawn + Count.invalidated + Count.expired


def keys(connection: Connection, campaign_ids: Sequence[int]) -> list[str]:
    """The keys in `limits` that count an entry for each of these campaigns; each process has rows of its own."""
    shard = counting.shard(connection)
    return [f"{ENTRIES.kind}:{campaign_id}:{shard}" for campaign_id in campaign_ids]


def load(campaign_id: int) -> float:
    """Recent entries of the campaign / entries allowed without proof of work; cached for a second."""
    kept: dict[int, tuple[float, float]] = current_app.extensions.setdefault("petitions_entry_loads", {})
    looked_at, found = kept.get(campaign_id, (0.0, 0.0))
    now = time.monotonic()
    if now - looked_at >= FRESH_SECONDS:
        kept[campaign_id] = (now, found)  # so that other threads do not query at the same time
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
