"""Changes to what a campaign consists of, under the rules of its folder: settings, cases, their order; and copies."""

import hashlib
import tomllib
from dataclasses import replace
from typing import Any

from petitions.content import reading, writing
from petitions.content.checks import emblem_fault
from petitions.content.fields import CAMPAIGN_BODY, CASE_BODY, CampaignContent, CaseContent, Text
from petitions.domain.states import CampaignState, CaseState, TextState
from petitions.errors import ContentFaulty

# A letter: what a case shows until it has a drawing of its own
EMBLEM = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 90">'
    '<path fill="currentColor" d="M0 0h120v9H0zM0 81h120v9H0z"/>'
    '<g fill="none" stroke="currentColor" stroke-width="4" stroke-linejoin="round"><path d="M26 24h68v46H26z"/>'
    '<path class="s" d="M26 26l34 26 34-26"/></g></svg>\n'
)


def values(campaign: CampaignContent) -> dict[str, Any]:
    """What campaign.toml says, as tomllib reads it: to be changed and given to `changed`."""
    return tomllib.loads(writing.structure(campaign))


def revision(campaign: CampaignContent) -> str:
    """A hash of all that `values` gives, to notice that somebody else changed it."""
    return hashlib.sha256(writing.structure(campaign).encode()).hexdigest()


def changed(campaign: CampaignContent, raw: dict[str, Any]) -> CampaignContent:
    """The campaign with other values and the texts that it had; a new case gets a draft of its first text.

    Raises ContentFaulty with every fault.
    """
    new = reading.structure(raw)
    source = new.languages[0]
    if source not in campaign.texts:
        raise ContentFaulty([f"campaign.toml, key languages: {source} comes first, so it needs all texts"])
    new.texts = _in_languages(campaign.texts, new.languages)
    kept = {case.slug: case for case in campaign.cases}
    for case in new.cases:
        old = kept.get(case.slug)
        case.emblem = old.emblem if old else EMBLEM
        case.texts = _in_languages(old.texts, new.languages) if old else {source: _draft(case.slug, CASE_BODY)}
        if source not in case.texts:
            raise ContentFaulty([f"cases/{case.slug}/{source}.md is missing"])
        letters = old.letter_facts.get("letters", {}) if old else {}
        if letters:
            case.letter_facts["letters"] = letters
    stories = {story.slug: story.texts for story in campaign.stories}
    for story in new.stories:
        story.texts = _in_languages(stories[story.slug], new.languages)
    return new


def with_emblem(case: CaseContent, svg: str) -> None:
    """Give the case another drawing; raises ContentFaulty."""
    if fault := emblem_fault(svg):
        raise ContentFaulty([f"cases/{case.slug}/emblem.svg: {fault}"])
    case.emblem = svg


def copied(campaign: CampaignContent, slug: str) -> CampaignContent:
    """The campaign as the draft of a new one: the same settings and texts, no dates, and every case a draft."""
    raw = values(campaign) | {"slug": slug, "state": str(CampaignState.DRAFT), "demo": False}
    for key in ("opens_at", "closes_at", "events"):
        raw.pop(key, None)
    copy = changed(campaign, raw)
    copy.cases = [replace(case, state=str(CaseState.DRAFT)) for case in copy.cases]
    return copy


def blank(raw: dict[str, Any], title: str) -> CampaignContent:
    """A new campaign in draft, without cases, with these values of campaign.toml and its title only.

    Raises ContentFaulty.
    """
    new = reading.structure({**raw, "state": str(CampaignState.DRAFT), "cases": []})
    new.texts = {new.languages[0]: _draft(title, CAMPAIGN_BODY)}
    return new


def unfinished(campaign: CampaignContent) -> list[tuple[str, str]]:
    """What is still a draft in the source language and keeps the campaign from opening: place and language."""
    source = campaign.languages[0]
    open_cases = [case for case in campaign.cases if case.state != CaseState.DRAFT]
    places = [("texts", campaign.texts), *((f"cases/{case.slug}", case.texts) for case in open_cases)]
    return [(place, source) for place, texts in places if texts[source].state == TextState.DRAFT]


def _draft(title: str, body: str) -> Text:
    return Text({"title": title, body: ""}, str(TextState.DRAFT))


def _in_languages(texts: dict[str, Text], languages: list[str]) -> dict[str, Text]:
    return {code: text for code, text in texts.items() if code in languages}
