"""The catalogue: all public content, in memory. Three statements load it, one detects changes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, String, cast, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain import retention
from petitions.domain.states import CampaignState, CaseState, TextState
from petitions.errors import Busy, NotFound
from petitions.models import Campaign, CampaignText, Case, CaseText, Mark, Recipient, Story, StoryText
from petitions.parts import Part
from petitions.queries.pins import Pins

FRESH_SECONDS = 0.6  # after this, the next request checks whether something changed

Words = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Translated:
    """Content in several languages; `source` is the language that is always present."""

    source: str
    words: Mapping[str, Words]

    def locale_for(self, locale: str) -> str:
        """The language in which readers of `locale` get this content: theirs, or the source."""
        return locale if locale in self.words else self.source

    def text(self, locale: str) -> Words:
        """The words for readers of `locale`."""
        return self.words[self.locale_for(locale)]


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicCase(Translated):
    """A case as the public may see it."""

    id: int
    slug: str
    country: str
    topic: str
    state: str
    goal: int
    hands_over_names: bool  # otherwise only the number of signatures is delivered
    emblem: str
    letter_facts: Words  # where letters go, until when, in which other languages
    letter_versions: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicStory(Translated):
    """A success story."""

    slug: str
    year: int
    country: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class PublicCampaign(Translated):
    """A campaign that is not a draft, without draft and hidden cases."""

    id: int
    slug: str
    state: str
    languages: tuple[str, ...]
    timezone: str
    demo: bool
    goal: int
    asks_birth_date: bool
    minimum_age: int  # 0: none
    counts: str
    neutral_subject: bool
    signers_per_mailbox: int
    embed_sites: Sequence[str]  # origins that may show the form in a frame
    kit_cases: Sequence[str]  # slugs for the ready kit; empty: all
    events: Sequence[Words]  # in the order of their beginning
    opens_at: datetime | None
    closes_at: datetime | None
    closed_at: datetime | None  # when retention first saw it closed
    handed_over_at: datetime | None
    erased_at: datetime | None
    created_at: datetime
    controller: Mapping[str, str]
    topics: Mapping[str, Mapping[str, str]]
    cases: tuple[PublicCase, ...] = ()
    stories: tuple[PublicStory, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it accepts signatures now, by its state and the clock."""
        now = clock.now()
        begun = self.opens_at is None or self.opens_at <= now
        return self.state == CampaignState.OPEN and begun and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by its state or the clock."""
        ended = self.closes_at is not None and self.closes_at <= clock.now()
        return self.state in (CampaignState.CLOSED, CampaignState.ARCHIVED) or ended

    @property
    def erased_by(self) -> datetime | None:
        """When the last name is erased; None without an end."""
        return retention.erased_by(retention.ends_at(self.closes_at, self.closed_at), self.handed_over_at)

    @property
    def open_cases(self) -> tuple[PublicCase, ...]:
        """The cases that can be signed now."""
        return tuple(case for case in self.cases if case.state == CaseState.OPEN) if self.is_open else ()

    def case(self, slug: str) -> PublicCase:
        """The case with this slug; raises NotFound, also for hidden ones."""
        return _with_slug("case", self.cases, slug)

    def story(self, slug: str) -> PublicStory:
        """The story with this slug; raises NotFound."""
        return _with_slug("story", self.stories, slug)


@dataclass(frozen=True)
class Catalogue:
    """All public campaigns, newest first, and the recipient keys."""

    campaigns: tuple[PublicCampaign, ...]
    public_keys: tuple[str, ...]
    version: tuple[Any, ...]

    def campaign(self, slug: str) -> PublicCampaign:
        """The campaign with this slug; raises NotFound."""
        return _with_slug("campaign", self.campaigns, slug)

    def campaign_with_id(self, number: int) -> PublicCampaign:
        """The campaign with this row id; raises NotFound."""
        found = next((campaign for campaign in self.campaigns if campaign.id == number), None)
        if found is None:
            raise NotFound(campaign=number)
        return found

    @property
    def current(self) -> PublicCampaign:
        """The newest open campaign, else the newest of all; raises NotFound if there is none."""
        for campaign in self.campaigns:
            if campaign.is_open:
                return campaign
        if self.campaigns:
            return self.campaigns[0]
        raise NotFound()


_Found = TypeVar("_Found", PublicCampaign, PublicCase, PublicStory)


def _with_slug(kind: str, those: Sequence[_Found], slug: str) -> _Found:
    found = next((each for each in those if each.slug == slug), None)
    if found is None:
        raise NotFound(**{kind: slug})
    return found


class CatalogueCache:
    """Keeps the catalogue in memory, and checks every 0.6 seconds whether it changed."""

    def __init__(self, pins: Pins) -> None:
        self.pins = pins
        self._kept: Catalogue | None = None
        self._checked_at = 0.0

    def catalogue(self) -> Catalogue:
        """What visitors may read, at most FRESH_SECONDS old."""
        kept = self._kept
        if kept is not None and time.monotonic() - self._checked_at < FRESH_SECONDS:
            return kept
        try:
            with reading() as connection:
                if kept is None or tuple(connection.execute(select(*_version())).one()) != kept.version:
                    kept = _load(connection, self.pins.all())
        except Busy:  # without the database nothing can have changed, and pages are still served
            if kept is None:
                raise
        self._kept, self._checked_at = kept, time.monotonic()
        return kept

    def forget(self) -> None:
        """Check for changes at the next call."""
        self._kept = None


CATALOGUE_CACHE: Part[CatalogueCache] = Part()


def catalogue() -> Catalogue:
    """What visitors may read now."""
    return CATALOGUE_CACHE.of().catalogue()


def _version() -> tuple[Any, ...]:
    """Columns that change whenever anything in the catalogue does."""
    changed_at = select(func.max(Campaign.changed_at)).scalar_subquery().label("changed_at_last")
    number = select(func.count(Campaign.id)).scalar_subquery().label("number")
    living = select(func.aggregate_strings(Recipient.public_key, ",")).where(Recipient.retired_at.is_(None))
    return changed_at, number, living.scalar_subquery().label("public_keys")


def _load(connection: Connection, pinned: set[str]) -> Catalogue:
    is_closed = Campaign.state != CampaignState.OPEN
    noted = select(Mark.at).where(Mark.kind == retention.CLOSED, Mark.subject == cast(Campaign.id, String), is_closed)
    closed_at = noted.scalar_subquery().label("closed_at")
    rows = connection.execute(
        select(*Campaign.__table__.columns, closed_at, CampaignText.locale, CampaignText.words, *_version())
        .join(CampaignText, CampaignText.campaign_id == Campaign.id)
        .where(CampaignText.state == TextState.READY)
        .order_by(Campaign.opens_at.desc().nulls_last(), Campaign.created_at.desc(), Campaign.id.desc())
    ).all()
    if not rows:  # there may be keys before the first campaign
        return Catalogue((), _keys(connection.execute(select(*_version())).one()[-1], pinned), ())
    cases = _grouped(connection.execute(_CASES))
    stories = _grouped(connection.execute(_STORIES))
    public = [row for row in rows if row.state != CampaignState.DRAFT]
    version = tuple(rows[0])[-3:]
    return Catalogue(
        campaigns=tuple(_campaign(group, cases, stories) for group in _grouped(public)),
        public_keys=_keys(version[-1], pinned),
        version=version,
    )


def _keys(joined: str | None, pinned: set[str]) -> tuple[str, ...]:
    return tuple(key for key in (joined or "").split(",") if key in pinned)


_CASES = (
    select(Case, CaseText.locale, CaseText.words, CaseText.letter_version_id)
    .join(CaseText, CaseText.case_id == Case.id)
    .where(CaseText.state == TextState.READY, Case.state.not_in([CaseState.DRAFT, CaseState.HIDDEN]))
    .order_by(Case.position, Case.id)
)
_STORIES = (
    select(Story, StoryText.locale, StoryText.words)
    .join(StoryText, StoryText.story_id == Story.id)
    .where(StoryText.state == TextState.READY)
    .order_by(Story.position, Story.id)
)


def _grouped(rows: Any) -> list[list[Row[Any]]]:
    """The rows grouped by thing, in the order of the things."""
    groups: dict[int, list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault(row.id, []).append(row)
    return list(groups.values())


def _source(rows: list[Row[Any]], source: str) -> str:
    """The source language; another finished one if the source itself is still a draft."""
    return source if any(row.locale == source for row in rows) else str(rows[0].locale)


def _plain(kind: type[Translated], row: Row[Any], *others: str) -> dict[str, Any]:
    """The columns that are fields of the same name."""
    return {each.name: getattr(row, each.name) for each in fields(kind) if each.name not in others}


def _campaign(rows: list[Row[Any]], cases: list[list[Row[Any]]], stories: list[list[Row[Any]]]) -> PublicCampaign:
    first = rows[0]
    source = _source(rows, first.languages[0])
    return PublicCampaign(
        **_plain(PublicCampaign, first, "source", "languages", "words", "cases", "stories"),
        source=source,
        languages=tuple(first.languages),
        words={row.locale: row.words for row in rows},
        cases=tuple(_case(group, source) for group in cases if group[0].campaign_id == first.id),
        stories=tuple(_story(group, source) for group in stories if group[0].campaign_id == first.id),
    )


def _case(rows: list[Row[Any]], source: str) -> PublicCase:
    return PublicCase(
        **_plain(PublicCase, rows[0], "source", "words", "letter_versions"),
        source=_source(rows, source),
        words={row.locale: row.words for row in rows},
        letter_versions={row.locale: row.letter_version_id for row in rows},
    )


def _story(rows: list[Row[Any]], source: str) -> PublicStory:
    return PublicStory(
        **_plain(PublicStory, rows[0], "source", "words"),
        source=_source(rows, source),
        words={row.locale: row.words for row in rows},
    )
