"""Editing of texts in the browser: the same rules and the same result as a folder that is changed and imported.

A text lies at a place of the campaign's folder: `texts`, `cases/<slug>` or `stories/<slug>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import String, cast, select

from petitions import clock
from petitions.content.checks import Faults, check_words
from petitions.content.fields import (
    CAMPAIGN_BODY,
    CAMPAIGN_FIELDS,
    CASE_BODY,
    CASE_FIELDS,
    LONGEST_BODY,
    STORY_BODY,
    STORY_FIELDS,
    CampaignContent,
    Field,
    Text,
    Words,
)
from petitions.content.reading import source_hash
from petitions.db.transactions import reading, transaction
from petitions.domain.states import TextState
from petitions.errors import NotFound, TextChanged
from petitions.models import Account, Campaign, TextVersion
from petitions.queries.catalogue import CatalogueCache
from petitions.services import journal
from petitions.services.campaigns.folders import export_campaign, load_content, store_content

STALE = "stale"  # a translation whose source changed after it was made
MISSING = TextState.MISSING.value
MOST_VERSIONS = 20  # shown


@dataclass(frozen=True)
class Kind:
    """The fields of the texts at one kind of place, the body last."""

    fields: Mapping[str, Field]
    body: str

    @property
    def all_fields(self) -> dict[str, Field]:
        """Every field, as the form shows them."""
        return {**self.fields, self.body: Field(LONGEST_BODY, kind="text")}


@dataclass(frozen=True)
class Line:
    """One place with its title and its state in each language."""

    place: str
    title: str
    states: dict[str, str]


@dataclass(frozen=True)
class Editable:
    """A text as its form shows it; `revision` identifies what was stored when the form was made."""

    kind: Kind
    state: str
    words: Words
    source: Words
    source_language: str
    revision: str


@dataclass(frozen=True)
class Version:
    """An earlier state of a text, and who replaced it."""

    id: int
    words: Words
    name: str
    replaced_at: datetime


def overview(slug: str) -> tuple[list[str], list[Line]]:
    """The campaign's languages, the source first, and all its texts with their states; raises NotFound."""
    with reading() as connection:
        changed_at = connection.scalar(select(Campaign.changed_at).where(Campaign.slug == slug))
    if changed_at is None:
        raise NotFound(campaign=slug)
    return _overview(slug, changed_at)


@lru_cache(maxsize=8)  # the staff's overview asks on every visit, and reading all texts takes 20 ms
def _overview(slug: str, _changed_at: datetime) -> tuple[list[str], list[Line]]:
    content = export_campaign(slug)
    lines = [
        Line(
            place, texts[content.languages[0]].words["title"], {each: _state(texts, each) for each in content.languages}
        )
        for place, texts in places(content).items()
    ]
    return content.languages, lines


def load(slug: str, place: str, language: str) -> Editable:
    """The text at `place`, empty if it is not translated yet; raises NotFound."""
    return _editable(export_campaign(slug), place, language)


def save(
    slug: str, place: str, language: str, text: Text, revision: str, by: str, catalogue_cache: CatalogueCache
) -> None:
    """Store the text, and keep what was there.

    Raises NotFound, TextChanged if `revision` is no longer what is stored, and ContentFaulty; then nothing changes.
    """
    with transaction() as store:
        content = load_content(store, slug)
        now = _editable(content, place, language)
        if now.revision != revision:
            raise TextChanged()
        texts = places(content)[place]
        texts[language] = Text(_checked(now.kind, text, place, language), text.state)
        texts[language].source_hash = source_hash(texts[content.languages[0]].words)
        store_content(store, content)
        if now.words:
            campaign_id = store.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
            kept = TextVersion(campaign_id=campaign_id, place=place, locale=language, words=now.words)
            kept.replaced_by, kept.replaced_at = by, clock.now()
            store.add(kept)
        journal.record(store, by, "text changed", f"{place} {language}")
    catalogue_cache.forget()


def versions(slug: str, place: str, language: str) -> list[Version]:
    """What the text said earlier, newest first, with the names of those who replaced it."""
    is_theirs = TextVersion.replaced_by == "account " + cast(Account.id, String)
    statement = (
        select(TextVersion.id, TextVersion.words, Account.name, TextVersion.replaced_at)
        .join(Campaign, Campaign.id == TextVersion.campaign_id)
        .outerjoin(Account, is_theirs)
        .where(Campaign.slug == slug, TextVersion.place == place, TextVersion.locale == language)
        .order_by(TextVersion.id.desc())
        .limit(MOST_VERSIONS)
    )
    with reading() as connection:
        return [Version(row[0], row[1], row[2] or "", row[3]) for row in connection.execute(statement)]


def _editable(content: CampaignContent, place: str, language: str) -> Editable:
    texts = places(content).get(place)
    if texts is None or language not in content.languages:
        raise NotFound(place=place, language=language)
    text = texts.get(language) or Text({}, TextState.READY)
    source = content.languages[0]
    revision = source_hash({"words": text.words, "state": str(text.state)})
    return Editable(_kind(place), str(text.state), text.words, texts[source].words, source, revision)


def _checked(kind: Kind, text: Text, place: str, language: str) -> Words:
    faults = Faults()
    is_draft = text.state == TextState.DRAFT
    checked = check_words(text.words, kind.fields, kind.body, place, language, faults, is_draft)
    faults.refuse()
    return checked


def places(content: CampaignContent) -> dict[str, dict[str, Text]]:
    """Every place with its texts, in the order of the folder."""
    cases = {f"cases/{case.slug}": case.texts for case in content.cases}
    return {"texts": content.texts, **cases, **{f"stories/{story.slug}": story.texts for story in content.stories}}


def _kind(place: str) -> Kind:
    if place.startswith("cases/"):
        return Kind(CASE_FIELDS, CASE_BODY)
    return Kind(STORY_FIELDS, STORY_BODY) if place.startswith("stories/") else Kind(CAMPAIGN_FIELDS, CAMPAIGN_BODY)


def _state(texts: Mapping[str, Text], language: str) -> str:
    if language not in texts:
        return MISSING
    text = texts[language]
    return STALE if text.source_hash and text.state == TextState.READY else str(text.state)
