"""Reads a campaign folder into dataclasses, and finds all its faults at once."""

import hashlib
import json
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from babel import Locale

from petitions.content import checks, letters
from petitions.content.checks import Faults, Table
from petitions.content.events import take_events
from petitions.content.fields import (
    CAMPAIGN_BODY,
    CAMPAIGN_FIELDS,
    CASE_BODY,
    CASE_FIELDS,
    STORY_BODY,
    STORY_FIELDS,
    CampaignContent,
    CaseContent,
    Field,
    StoryContent,
    Text,
    Words,
)
from petitions.domain.states import CampaignState, CaseState, CountsMode, TextState
from petitions.locales import is_language

FENCE = "+++\n"
LARGEST_FILE = 200_000  # bytes
MOST_EMBED_SITES = 20
LONGEST_TOPIC = 40  # characters in a topic's key
SHA256 = re.compile(r"[0-9a-f]{64}")


def read(folder: Path) -> CampaignContent:
    """The campaign in `folder`; raises ContentFaulty with every fault, each with its file, key and language."""
    faults = Faults()
    raw = _toml(_file(folder, "campaign.toml", faults), "campaign.toml", faults)
    faults.refuse()
    campaign = _campaign(raw, faults)
    files = _Files(folder, campaign.languages, faults)
    campaign.texts = files.texts("texts", CAMPAIGN_FIELDS, CAMPAIGN_BODY)
    for case in campaign.cases:
        case.texts = files.texts(f"cases/{case.slug}", CASE_FIELDS, CASE_BODY)
        case.emblem = files.emblem(f"cases/{case.slug}/emblem.svg")
        for language in case.letter_facts.get("letters", {}):
            case.letter_facts["letters"][language] = files.letter(f"cases/{case.slug}/letter.{language}.txt", language)
    for story in campaign.stories:
        story.texts = files.texts(f"stories/{story.slug}", STORY_FIELDS, STORY_BODY)
    faults.refuse()
    return campaign


def structure(raw: dict[str, Any]) -> CampaignContent:
    """The campaign without its texts, from the values of campaign.toml; raises ContentFaulty with every fault."""
    faults = Faults()
    campaign = _campaign(raw, faults)
    faults.refuse()
    return campaign


def source_hash(words: Words) -> str:
    """A hash of the source words, to detect stale translations."""
    canonical = json.dumps(words, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def missing_texts(campaign: CampaignContent) -> list[str]:
    """The missing translations, as file names; visitors get the source language there."""
    places = [("texts", campaign.texts)]
    places += [(f"cases/{case.slug}", case.texts) for case in campaign.cases]
    places += [(f"stories/{story.slug}", story.texts) for story in campaign.stories]
    return [f"{place}/{lang}.md" for place, texts in places for lang in campaign.languages if lang not in texts]


class _Files:
    """The text files of one folder."""

    def __init__(self, folder: Path, languages: list[str], faults: Faults) -> None:
        self._folder = folder
        self._languages = languages
        self._faults = faults

    def texts(self, place: str, fields: Mapping[str, Field], body: str) -> dict[str, Text]:
        """The words in each language that has a file; the source language must have one."""
        found: dict[str, Text] = {}
        for language in self._languages:
            file = f"{place}/{language}.md"
            if not (self._folder / file).is_file():
                if language == self._languages[0]:
                    self._faults.add(file, "", language, "is missing")
                continue
            front, text = _split(_file(self._folder, file, self._faults), file, language, self._faults)
            state = str(front.pop("state", TextState.READY))
            if state not in (TextState.DRAFT, TextState.READY):
                self._faults.add(file, "state", language, f"must be draft or ready, not {state!r}")
            made_from = front.pop("source_hash", None)
            if made_from is not None and not (isinstance(made_from, str) and SHA256.fullmatch(made_from)):
                self._faults.add(
                    file, "source_hash", language, "must be 64 hexadecimal digits, as an export writes them"
                )
                made_from = None
            if body in front:
                self._faults.add(file, body, language, "belongs below the front matter")
            is_draft = state == TextState.DRAFT
            words = checks.check_words({**front, body: text}, fields, body, file, language, self._faults, is_draft)
            found[language] = Text(words, state, made_from)
        return found

    def letter(self, file: str, language: str) -> str:
        """The sample letter in a language that the campaign itself need not have."""
        text = unicodedata.normalize("NFC", _file(self._folder, file, self._faults)).strip()
        if fault := checks.text_fault(text, CASE_FIELDS["letter"]):
            self._faults.add(file, "", language, fault)
        return text

    def emblem(self, file: str) -> str:
        """The case's drawing, byte for byte."""
        known = len(self._faults.found)
        svg = _file(self._folder, file, self._faults)
        if len(self._faults.found) == known and (fault := checks.emblem_fault(svg)):
            self._faults.add(file, "", "", fault)
        return svg


def _campaign(raw: dict[str, Any], faults: Faults) -> CampaignContent:
    table = Table(raw, "campaign.toml", "", faults)
    languages = _languages(table)
    controller = table.take("controller", dict, {})
    topics = _topics(table.take("topics", dict, {}), languages, faults)
    timezone = table.take("timezone", str, "UTC", required=False)
    if timezone not in available_timezones():
        table.fault("timezone", f"is not a known time zone: {timezone!r}")
    content = CampaignContent(
        slug=table.slug(),
        state=table.one_of("state", tuple(CampaignState), CampaignState.DRAFT),
        languages=languages,
        timezone=timezone,
        demo=table.take("demo", bool, False, required=False),
        goal=table.number("goal", 0, 100_000_000, 0, required=False),
        asks_birth_date=table.take("asks_birth_date", bool, False, required=False),
        minimum_age=table.number("minimum_age", 0, 21, 0, required=False),
        counts=table.one_of("counts", tuple(CountsMode), CountsMode.BATCHED, required=False),
        neutral_subject=table.take("neutral_subject", bool, False, required=False),
        signers_per_mailbox=table.number("signers_per_mailbox", 1, 9, 2, required=False),
        embed_sites=_embed_sites(table),
        kit_cases=table.take("kit_cases", list, [], required=False),
        events=take_events(table.take("events", list, [], required=False), languages, faults),
        opens_at=table.moment("opens_at"),
        closes_at=table.moment("closes_at"),
        controller=_controller(controller, faults),
        topics=topics,
        cases=_cases(table.take("cases", list, []), topics, faults),
        stories=_stories(table.take("stories", list, [], required=False), faults),
    )
    table.finish()
    if content.opens_at and content.closes_at and content.opens_at >= content.closes_at:
        table.fault("closes_at", "must be after opens_at")
    if unknown := [slug for slug in content.kit_cases if slug not in {case.slug for case in content.cases}]:
        table.fault("kit_cases", f"names no case of this file: {unknown[0]!r}")
    return content


def _languages(table: Table) -> list[str]:
    languages = table.take("languages", list, [])
    for code in languages:
        if not isinstance(code, str) or not is_language(code):
            table.fault("languages", f"{code!r} is not a language code like fr or ar")
    known = [code for code in languages if isinstance(code, str) and is_language(code)]
    if not languages or len(set(known)) != len(known):
        table.fault("languages", "must list each language once, the source language first")
    return known or ["en"]


def _embed_sites(table: Table) -> list[str]:
    sites: list[str] = table.take("embed_sites", list, [], required=False)
    for site in sites:
        if not isinstance(site, str) or not checks.is_origin(site):
            table.fault("embed_sites", f"{site!r} is not a site like https://www.example.org, without a path")
    if len(sites) > MOST_EMBED_SITES:
        table.fault("embed_sites", f"must name at most {MOST_EMBED_SITES} sites")
    return sites


def _controller(raw: dict[str, Any], faults: Faults) -> dict[str, str]:
    table = Table(raw, "campaign.toml", "controller.", faults)
    found = {key: str(table.take(key, str, "")) for key in ("name", "email", "address")}
    optional = {key: str(table.take(key, str, "", required=False)).strip() for key in ("authority", "iban")}
    if optional["iban"] and not checks.is_iban(optional["iban"]):
        table.fault("iban", "is not a valid IBAN")
    table.finish()
    return {**found, **{key: value for key, value in optional.items() if value}}


def _topics(raw: dict[str, Any], languages: list[str], faults: Faults) -> dict[str, dict[str, str]]:
    topics: dict[str, dict[str, str]] = {}
    for key, names in raw.items():
        table = Table(names, "campaign.toml", f"topics.{key}.", faults)
        named = {code: table.take(code, str, "", required=code == languages[0]) for code in languages}
        table.finish()
        if not key or len(key) > LONGEST_TOPIC:
            faults.add("campaign.toml", f"topics.{key}", "", f"must have a key of 1 to {LONGEST_TOPIC} characters")
        topics[key] = {code: name for code, name in named.items() if name}
    return topics


def _cases(raw: list[Any], topics: dict[str, Any], faults: Faults) -> list[CaseContent]:
    cases = []
    for number, values in enumerate(raw):
        table = Table(values, "campaign.toml", f"cases[{number}].", faults)
        topic = table.one_of("topic", tuple(topics), "")
        case = CaseContent(
            slug=table.slug(),
            country=_country(table, required=True) or "",
            topic=topic,
            state=table.one_of("state", tuple(CaseState), CaseState.DRAFT),
            goal=table.number("goal", 0, 100_000_000, 0, required=False),
            hands_over_names=table.take("hands_over_names", bool, True, required=False),
            emblem="",
            letter_facts=letters.take_facts(table),
        )
        table.finish()
        cases.append(case)
    _refuse_twins([case.slug for case in cases], "cases", faults)
    return [case for case in cases if case.slug]


def _stories(raw: list[Any], faults: Faults) -> list[StoryContent]:
    stories = []
    for number, values in enumerate(raw):
        table = Table(values, "campaign.toml", f"stories[{number}].", faults)
        story = StoryContent(
            slug=table.slug(),
            year=table.number("year", 1961, 2200, 2000),
            country=_country(table, required=False),
        )
        table.finish()
        stories.append(story)
    _refuse_twins([story.slug for story in stories], "stories", faults)
    return [story for story in stories if story.slug]


def _country(table: Table, *, required: bool) -> str | None:
    code = table.take("country", str, required=required)
    if code is not None and (len(code) != 2 or code not in Locale.parse("en").territories):
        table.fault("country", f"must be an ISO 3166 code like BY, not {code!r}")
    return None if code is None else str(code)


def _refuse_twins(slugs: list[str], key: str, faults: Faults) -> None:
    for slug in sorted({slug for slug in slugs if slug and slugs.count(slug) > 1}):
        faults.add("campaign.toml", key, "", f"{slug!r} is listed twice")


def _file(folder: Path, name: str, faults: Faults) -> str:
    """The file's text; empty, with a fault, if it cannot be read."""
    path = folder / name
    try:
        if path.stat().st_size > LARGEST_FILE:
            faults.add(name, "", "", f"is larger than {LARGEST_FILE} bytes")
            return ""
        return path.read_bytes().decode()  # not read_text(), which would change line endings
    except FileNotFoundError:
        faults.add(name, "", "", "is missing")
    except UnicodeDecodeError:
        faults.add(name, "", "", "is not UTF-8 text")
    except OSError as exc:
        faults.add(name, "", "", f"cannot be read: {exc.strerror}")
    return ""


def _toml(text: str, file: str, faults: Faults, language: str = "") -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        faults.add(file, "", language, f"is not valid TOML: {exc}")
        return {}


def _split(text: str, file: str, language: str, faults: Faults) -> tuple[dict[str, Any], str]:
    """Front matter and body of a text file."""
    head, fence, rest = text.replace("\r\n", "\n").partition(FENCE)
    front, second, body = rest.partition("\n" + FENCE)
    if head.strip() or not fence or not second:
        faults.add(file, "", language, "must begin with keys between two lines of +++")
        return {}, ""
    return _toml(front, file, faults, language), body
