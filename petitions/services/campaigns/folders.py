"""Import of campaign folders into the database, and export."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from petitions import clock
from petitions.content.fields import CampaignContent, CaseContent, StoryContent, Text
from petitions.content.reading import source_hash
from petitions.db.transactions import transaction
from petitions.domain.states import CampaignState
from petitions.errors import ContentFaulty, NotFound
from petitions.models import (
    Campaign,
    CampaignText,
    Case,
    CaseText,
    LetterVersion,
    Signature,
    Story,
    StoryText,
    Tally,
)
from petitions.queries.catalogue import CatalogueCache
from petitions.services import installation, journal
from petitions.services.keys import key_tests
from petitions.services.keys.keyring import keyring, settings

_PLAIN = (
    *("state", "languages", "timezone", "demo", "goal", "asks_birth_date", "minimum_age", "counts"),
    *(
        "neutral_subject",
        "signers_per_mailbox",
        "embed_sites",
        "kit_cases",
        "events",
        "opens_at",
        "closes_at",
        "controller",
        "topics",
    ),
)
_CASE = ("country", "topic", "goal", "hands_over_names", "emblem", "letter_facts")

TextRow = TypeVar("TextRow", CampaignText, CaseText, StoryText)


def import_campaign(content: CampaignContent, catalogue_cache: CatalogueCache) -> None:
    """Make the database match the folder. Idempotent.

    Raises ContentFaulty if it would delete a case with signatures, or open a campaign before its recipient keys are
    proven (demo mode does not require it); then nothing is changed.
    """
    with transaction() as store:
        store_content(store, content)
        journal.record(store, journal.COMMAND, "campaign imported", content.slug, len(content.cases))
    catalogue_cache.forget()


def store_content(store: Session, content: CampaignContent) -> None:
    """Make the database match `content`, in the caller's transaction; raises like import_campaign."""
    campaign = store.scalar(select(Campaign).where(Campaign.slug == content.slug))
    if campaign is None:
        keyring().make_campaign_key(content.slug)
        installation.note_campaign_key(store, content.slug)
        campaign = Campaign(slug=content.slug, created_at=clock.now())
    key_tests.create_key_tests(store, campaign)
    is_opening = content.state == CampaignState.OPEN and campaign.state != CampaignState.OPEN
    if is_opening and not settings().demo:
        key_tests.demand_proof(campaign)
    campaign.changed_at = clock.now()
    for name in _PLAIN:
        setattr(campaign, name, getattr(content, name))
    store.add(campaign)
    store.flush()
    kept = {text.locale: text for text in campaign.texts}
    campaign.texts = [
        _filled(kept.get(locale) or CampaignText(locale=locale), text, content.texts, content.languages[0])
        for locale, text in content.texts.items()
    ]
    _import_cases(store, campaign, content)
    _import_stories(campaign, content)


def export_campaign(slug: str) -> CampaignContent:
    """The campaign as its folder would contain it; raises NotFound."""
    with transaction() as store:
        return load_content(store, slug)


def load_content(store: Session, slug: str) -> CampaignContent:
    """The campaign as its folder would contain it, locked until the caller's transaction ends; raises NotFound."""
    campaign = store.scalar(select(Campaign).where(Campaign.slug == slug).with_for_update(key_share=True))
    if campaign is None:
        raise NotFound(campaign=slug)
    source = campaign.languages[0]
    content = CampaignContent(slug=campaign.slug, **{name: getattr(campaign, name) for name in _PLAIN})
    content.texts = _texts(campaign.texts, source)
    for case in campaign.cases:
        plain = {name: getattr(case, name) for name in ("slug", "state", *_CASE)}
        content.cases.append(CaseContent(**plain, texts=_texts(case.texts, source)))
    for story in campaign.stories:
        texts = _texts(story.texts, source)
        content.stories.append(StoryContent(story.slug, story.year, story.country, texts))
    return content


def _import_cases(store: Session, campaign: Campaign, content: CampaignContent) -> None:
    known = {case.slug: case for case in campaign.cases}
    _drop_cases(store, [known[slug] for slug in known.keys() - {case.slug for case in content.cases}])
    for position, said in enumerate(content.cases):
        case = known.get(said.slug) or Case(slug=said.slug, campaign_id=campaign.id, state="")
        if case.state != said.state:
            case.state, case.state_changed_at = said.state, clock.now()
        case.position = position
        for name in _CASE:
            setattr(case, name, getattr(said, name))
        store.add(case)
        store.flush()
        kept = {text.locale: text for text in case.texts}
        texts = []
        for locale, text in said.texts.items():
            row = kept.get(locale) or CaseText(locale=locale)
            _filled(row, text, said.texts, content.languages[0])
            row.letter_version_id = _letter_version(store, case.id, locale, text.words.get("demand", ""))
            texts.append(row)
        case.texts = texts


def _drop_cases(store: Session, cases: list[Case]) -> None:
    """Delete cases that the folder no longer has, if nobody signed them."""
    for case in cases:
        is_used = exists().where(Signature.case_id == case.id) | exists().where(Tally.case_id == case.id)
        if store.scalar(select(is_used)):
            raise ContentFaulty([f'cases/{case.slug}: has signatures; keep it, with state = "hidden" or "closed"'])
        case.texts = []
        store.flush()
        store.execute(delete(LetterVersion).where(LetterVersion.case_id == case.id))
        store.delete(case)


def _import_stories(campaign: Campaign, content: CampaignContent) -> None:
    known = {story.slug: story for story in campaign.stories}
    stories = []
    for position, said in enumerate(content.stories):
        story = known.get(said.slug) or Story(slug=said.slug)
        story.position, story.year, story.country = position, said.year, said.country
        kept = {text.locale: text for text in story.texts}
        story.texts = [
            _filled(kept.get(locale) or StoryText(locale=locale), text, said.texts, content.languages[0])
            for locale, text in said.texts.items()
        ]
        stories.append(story)
    campaign.stories = stories


def _filled(row: TextRow, text: Text, texts: dict[str, Text], source: str) -> TextRow:
    """The row with the folder's words. An unchanged translation keeps the hash of the source it was made from."""
    if text.source_hash:
        row.source_hash = text.source_hash
    elif row.words != text.words:
        row.source_hash = source_hash(texts[source].words)
    row.words, row.state = text.words, text.state
    return row


def _letter_version(store: Session, case_id: int, locale: str, demand: str) -> int:
    """The id of these immutable words; they are stored if they are new."""
    sha256 = hashlib.sha256(demand.encode()).hexdigest()
    same = (LetterVersion.case_id == case_id, LetterVersion.locale == locale, LetterVersion.sha256 == sha256)
    version = store.scalar(select(LetterVersion).where(*same))
    if version is None:
        made: datetime = clock.now()
        version = LetterVersion(case_id=case_id, locale=locale, sha256=sha256, demand=demand, created_at=made)
        store.add(version)
        store.flush()
    return version.id


def _texts(rows: Sequence[CampaignText | CaseText | StoryText], source: str) -> dict[str, Text]:
    """The words by language, the source first; a translation has a source hash only if it is stale."""
    now = {row.locale: source_hash(row.words) for row in rows}
    ordered = sorted(rows, key=lambda row: (row.locale != source, row.locale))
    return {
        row.locale: Text(row.words, row.state, None if row.source_hash == now.get(source) else row.source_hash)
        for row in ordered
    }
