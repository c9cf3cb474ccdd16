"""Codes of collectors at signing: credit the collector, and lift the network's rate limit for some of its signers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from petitions.models import Collector
from petitions.services.limits import rate_limits

PERSON = rate_limits.Rule("pass-person", 1, timedelta(hours=24))


@dataclass(frozen=True)
class Wanted:
    """A request to use a code; `person` is a keyed hash, by which a signer who comes again is recognised."""

    campaign_id: int
    code: str
    person: str


@dataclass(frozen=True)
class Claim:
    """The collector of an entry, and whether its code lifts the limit."""

    collector_id: int | None = None
    lifts_limit: bool = False


def wanted(campaign_id: int, code: str, person: str) -> Wanted | None:
    """The request of an entry with this code, cleaned; None without a code."""
    return Wanted(campaign_id, code, PERSON.key(f"{campaign_id} {code} {person}")) if code else None


def claim(connection: Connection, requests: Sequence[Wanted | None], now: datetime) -> list[Claim]:
    """For each request its collector; none if the code is unknown or over. A full code credits, but lifts nothing.

    A signer who comes again is not counted twice. A full code lifts nothing for anybody, or it would show who used it.
    """
    codes = sorted({each.code for each in requests if each})
    if not codes:
        return [Claim()] * len(requests)
    is_active = Collector.code.in_(codes) & Collector.confirmed_at.is_not(None)
    is_active &= (Collector.opens_at <= now) & (Collector.closes_at > now)
    columns = (Collector.id, Collector.campaign_id, Collector.code, Collector.most, Collector.used)
    rows = connection.execute(select(*columns).where(is_active).order_by(Collector.id).with_for_update()).all()
    active = {(row.campaign_id, row.code): row for row in rows}
    visits = iter(rate_limits.use(connection, PERSON, [each.person for each in requests if each], now))
    taken: Counter[int] = Counter()
    claims: list[Claim] = []
    for each in requests:
        is_first = each is not None and next(visits) == 1
        found = active.get((each.campaign_id, each.code)) if each else None
        lifts_limit = found is not None and found.used + taken[found.id] < found.most
        if found is not None and lifts_limit:
            taken[found.id] += is_first
        claims.append(Claim(found.id if found else None, lifts_limit))
    for collector_id, number in sorted(taken.items()):
        connection.execute(update(Collector).where(Collector.id == collector_id).values(used=Collector.used + number))
    return claims
