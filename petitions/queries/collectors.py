"""Collectors: which code is whose, and what came in through each."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import ColumnElement, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.states import CollectorKind, TallyKind
from petitions.errors import NotFound
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
    drawn_at: datetime | None
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


def of_campaign(slug: str, *counted: ColumnElement[bool]) -> list[CollectorFacts]:
    """All whose link was used, newest first; their figures only from the tallies for which `counted` holds."""
    campaign_id = select(Campaign.id).where(Campaign.slug == slug).scalar_subquery()
    return _found((Collector.campaign_id == campaign_id) & Collector.confirmed_at.is_not(None), *counted)


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


@dataclass(frozen=True)
class Contest:
    """The campaign's contest: the last day of a postmark that counts, and since when the ranking is frozen."""

    ends_on: date | None
    frozen_at: datetime | None


@dataclass(frozen=True)
class Placed:
    """A collector's place in the ranking; `letters` are those it is placed by, `corrected` today's number if another.

    Who has the most letters per pupil of its kind has `leads_per_pupil`.
    """

    place: int
    facts: CollectorFacts
    corrected: int | None
    leads_per_pupil: bool


def contest(slug: str) -> Contest:
    """The contest of this campaign; raises NotFound."""
    columns = (Campaign.contest_ends_on, Campaign.contest_frozen_at)
    with reading() as connection:
        row = connection.execute(select(*columns).where(Campaign.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(campaign=slug)
    return Contest(*row)


def winners(slug: str) -> set[int]:
    """The ids of those on the first place of a frozen ranking; none before."""
    ranked = ranking(slug).values() if contest(slug).frozen_at else ()
    return {each.facts.id for group in ranked for each in group if each.place == 1}


def ranking(slug: str) -> dict[str, list[Placed]]:
    """Those who agreed to be listed, by kind: most letters first, then most signatures on paper, then who was drawn.

    Only paper counts that was posted in time, and, once the ranking is frozen, that was verified before.
    """
    end = contest(slug)
    counted = [Tally.happened_on <= end.ends_on] if end.ends_on else []
    counted += [Tally.verified_at <= end.frozen_at] if end.frozen_at else []
    today = {each.id: each.letters for each in of_campaign(slug)} if end.frozen_at else {}
    listed = [each for each in of_campaign(slug, *counted) if each.is_listed and each.letters + each.paper > 0]
    listed.sort(key=lambda each: (_merit(each), each.title))
    found = {kind: [each for each in listed if each.kind == kind] for kind in CollectorKind}
    return {kind: _placed(group, today) for kind, group in found.items() if group}


def _placed(group: list[CollectorFacts], today: dict[int, int]) -> list[Placed]:
    best = max(each.letters_per_pupil or 0 for each in group)
    placed = []
    for each in group:
        ahead = sum(
            (*_merit(other), other.drawn_at is None) < (*_merit(each), each.drawn_at is None) for other in group
        )
        now = today.get(each.id, each.letters)
        leads = bool(best) and each.letters_per_pupil == best
        placed.append(Placed(ahead + 1, each, now if now != each.letters else None, leads))
    return placed


def _merit(each: CollectorFacts) -> tuple[int, int, bool]:
    return -each.letters, -each.paper, each.drawn_at is None


def _found(condition: ColumnElement[bool], *counted: ColumnElement[bool]) -> list[CollectorFacts]:
    is_theirs = (Tally.collector_id == Collector.id) & Tally.verified_at.is_not(None)
    sums = [
        select(func.coalesce(func.sum(Tally.number), 0))
        .where(is_theirs, Tally.kind == kind, *counted)
        .scalar_subquery()
        for kind in (TallyKind.PAPER, TallyKind.LETTERS)
    ]
    names = [field.name for field in fields(CollectorFacts)]
    columns = [getattr(Collector, name) for name in names[:-2]]
    with reading() as connection:
        rows = connection.execute(select(*columns, *sums).where(condition).order_by(Collector.id.desc())).all()
    return [CollectorFacts(**dict(zip(names, row, strict=True))) for row in rows]
