"""The contest of collectors: until which postmark paper counts, the ranking that stays, and the draw among equals."""

import hashlib
import secrets
from datetime import date

from sqlalchemy import update

from petitions import clock
from petitions.db.transactions import transaction
from petitions.errors import NotFound
from petitions.models import Campaign, Collector
from petitions.queries import collectors as queries
from petitions.services import journal


def set_end(slug: str, ends_on: date | None, by: str) -> None:
    """Count only paper with a postmark of this day or before; raises NotFound once the ranking is frozen."""
    _change(slug, by, "contest changed", contest_ends_on=ends_on)


def freeze(slug: str, by: str) -> None:
    """Let the ranking stay as it is now; raises NotFound before the contest has ended, and a second time."""
    end = queries.contest(slug).ends_on
    if end is None or end >= clock.now().date():
        raise NotFound()
    _change(slug, by, "contest frozen", contest_frozen_at=clock.now())


def draw(slug: str, kind: str, by: str) -> None:
    """Draw among those who share the first place of this kind; raises NotFound if nobody does, or nothing is frozen.

    The journal keeps a random seed: the code whose SHA-256 together with the seed is the lowest was drawn.
    """
    tied = equals(slug, kind)
    if not tied:
        raise NotFound()
    seed = secrets.token_hex(8)
    drawn = min(tied, key=lambda each: hashlib.sha256(f"{seed} {each.code}".encode()).hexdigest())
    with transaction() as store:
        store.execute(update(Collector).where(Collector.id == drawn.id).values(drawn_at=clock.now()))
        journal.record(store, by, "winner drawn", f"collector {drawn.id} {drawn.code}, seed {seed}", len(tied))


def equals(slug: str, kind: str) -> list[queries.CollectorFacts]:
    """Those who share the first place of this kind in the frozen ranking; none if one of them leads."""
    placed = queries.ranking(slug).get(kind, []) if queries.contest(slug).frozen_at else []
    first = [each.facts for each in placed if each.place == 1]
    return first if len(first) > 1 else []


def _change(slug: str, by: str, act: str, **values: object) -> None:
    changing = update(Campaign).where(Campaign.slug == slug, Campaign.contest_frozen_at.is_(None)).values(**values)
    with transaction() as store:
        if not store.scalar(changing.returning(Campaign.id)):
            raise NotFound(campaign=slug)
        journal.record(store, by, act, slug)
