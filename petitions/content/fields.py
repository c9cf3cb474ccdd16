"""The text fields of a campaign, a case and a story, and their maximum lengths."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Words = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One text field. `kind`: `line` (no line breaks), `text`, `url`, `list` or `pairs` (title and sentence)."""

    longest: int
    required: bool = True
    kind: str = "line"


CAMPAIGN_FIELDS: Mapping[str, Field] = {
    "title": Field(80),
    "tagline": Field(80),
    "description": Field(200),
    "notice": Field(200, required=False),
    "quote": Field(400, required=False),
    "quote_by": Field(120, required=False),
    "donation_title": Field(80, required=False),
    "donation_text": Field(600, required=False, kind="text"),
    "donation_label": Field(60, required=False),
    "donation_url": Field(300, required=False, kind="url"),
    "donation_thanks": Field(600, required=False, kind="text"),
    "donation_amounts": Field(6, required=False, kind="list"),
    "closed_text": Field(600, kind="text"),
    "share": Field(200, required=False),
    "stories_figure": Field(160, required=False),
    "steps": Field(6, required=False, kind="pairs"),
    "letters_to": Field(600, required=False, kind="text"),
    "postage": Field(8, required=False, kind="pairs"),
    "postage_as_of": Field(40, required=False),
}
CASE_FIELDS: Mapping[str, Field] = {
    "title": Field(120),
    "summary": Field(120),
    "demand": Field(600, kind="text"),
    "addressee": Field(160),
    "image_alt": Field(200),
    "letter": Field(4000, kind="text"),
    "since": Field(1000, required=False, kind="text"),
    "points": Field(3, required=False, kind="list"),
    "avoid": Field(12, required=False, kind="list"),
    "card_rules": Field(6, required=False, kind="list"),
    "share": Field(200, required=False),
}
STORY_FIELDS: Mapping[str, Field] = {
    "title": Field(120),
    "summary": Field(200),
    "figure": Field(80, required=False),
}
# The names of the texts below the front matter.
CAMPAIGN_BODY, CASE_BODY, STORY_BODY = "intro", "story", "story"
LONGEST_BODY = 20_000


@dataclass
class Text:
    """Words in one language. `source_hash`: the state of the source it was translated from, if the file has one."""

    words: Words
    state: str = "ready"
    source_hash: str | None = None


@dataclass
class CaseContent:
    """One case as in its files."""

    slug: str
    country: str
    topic: str
    state: str
    goal: int
    hands_over_names: bool
    emblem: str
    letter_facts: Words = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)


@dataclass
class StoryContent:
    """One success story as in its files."""

    slug: str
    year: int
    country: str | None
    texts: dict[str, Text] = field(default_factory=dict)


@dataclass
class CampaignContent:
    """A whole campaign as in its folder."""

    slug: str
    state: str
    languages: list[str]
    timezone: str
    demo: bool
    goal: int
    asks_birth_date: bool
    minimum_age: int
    counts: str
    neutral_subject: bool
    signers_per_mailbox: int
    embed_sites: list[str]
    kit_cases: list[str]
    events: list[Words]
    opens_at: datetime | None
    closes_at: datetime | None
    controller: dict[str, str]
    topics: dict[str, dict[str, str]]
    texts: dict[str, Text] = field(default_factory=dict)
    cases: list[CaseContent] = field(default_factory=list)
    stories: list[StoryContent] = field(default_factory=list)
