"""Collectors: which code is whose, and what came in through each."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

from sqlalchemy import ColumnElement, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.states import CollectorKind, TallyKind
from petitions.models import Campaign, Collector, Tally


@dataclass(frozen=True)
class CollectorFacts:
    """A collector with its figures: verified paper, and signers online in steps of five as of the last night."""

    id: int
    campaign_id: int
    kind: str  # a CollectorKind
    code: str
    title: str
    pupils: int | None
    is_listed: bool
    most: int
    used: int
    online: int
    opens_at: datetime
    closes_at: datetime
    link_id: bytes | None
    confirmed_at: datetime | None
    paper: int
    letters: int

    @cached_property
    def is_active(self) -> bool:
        """Whether its code works now."""
        return self.confirmed_at is not None and self.opens_at <= clock.now() < self.closes_at

    @property
    def letters_per_pupil(self) -> float | None:
        """Letters divided by pupils; None without a number of pupils."""
        return self.letters / self.pupils if self.pupils else None


def of_campaign(slug: str) -> list[CollectorFacts]:
    """All whose link was used, newest first."""
    campaign_id = select(Campaign.id).where(Campaign.slug == slug).scalar_subquery()
    return _found((Collector.campaign_id == campaign_id) & Collector.confirmed_at.is_not(None))


def with_code(campaign_id: int, code: str) -> CollectorFacts | None:
    """The campaign's collector with this code, whether or not it still works."""
    is_theirs = (Collector.campaign_id == campaign_id) & (Collector.code == code)
    return next(iter(_found(is_theirs & Collector.confirmed_at.is_not(None))), None) if code else None


def is_taken(campaign_id: int, code: str) -> bool:
    """Whether a collector of the campaign has this code, even one that is over."""
    return bool(_found((Collector.campaign_id == campaign_id) & (Collector.code == code)))


def behind(link_id: bytes) -> CollectorFacts | None:
    """The collector of a link."""
    return next(iter(_found(Collector.link_id == link_id)), None)


def ranking(slug: str) -> dict[str, list[CollectorFacts]]:
    """Those who agreed to be listed, by kind: most letters first, then most signatures on paper."""
    listed = [each for each in of_campaign(slug) if each.is_listed and each.letters + each.paper > 0]
    listed.sort(key=lambda each: (-each.letters, -each.paper, each.title))
    return {kind: found for kind in CollectorKind if (found := [each for each in listed if each.kind == kind])}


def _found(condition: ColumnElement[bool]) -> list[CollectorFacts]:
    is_theirs = (Tally.collector_id == Collector.id) & Tally.verified_at.is_not(None)
    sums = [
        select(func.coalesce(func.sum(Tally.number), 0)).where(is_theirs, Tally.kind == kind).scalar_subquery()
        for kind in (TallyKind.PAPER, TallyKind.LETTERS)
    ]
    names = [field.name for field in fields(CollectorFacts)]
    columns = [getattr(Collector, name) for name in names[:-2]]
    with reading() as connection:
        rows = connection.execute(select(*columns, *sums).where(condition).order_by(Collector.id.desc())).all()
    return [CollectorFacts(**dict(zip(names, row, strict=True))) for row in rows]
