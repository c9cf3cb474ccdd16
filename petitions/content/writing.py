"""Writes a campaign as a folder, from which `reading.read` reads the same campaign again."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from petitions.content import letters
from petitions.content.fields import CAMPAIGN_BODY, CASE_BODY, STORY_BODY, CampaignContent, Text
from petitions.domain.states import TextState

_PLAIN = (
    *("slug", "state", "languages", "timezone", "demo", "goal", "asks_birth_date", "minimum_age", "counts"),
    *("neutral_subject", "signers_per_mailbox", "embed_sites", "kit_cases", "opens_at", "closes_at"),
)
_CASE = ("slug", "country", "topic", "state", "goal", "hands_over_names")
_STORY = ("slug", "year", "country")


def write(campaign: CampaignContent, folder: Path) -> None:
    """Write every file of `campaign` below `folder`, which is created if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campaign.toml").write_text(structure(campaign), encoding="utf-8")
    _write_texts(folder / "texts", campaign.texts, CAMPAIGN_BODY)
    for case in campaign.cases:
        place = folder / "cases" / case.slug
        _write_texts(place, case.texts, CASE_BODY)
        place.mkdir(parents=True, exist_ok=True)
        (place / "emblem.svg").write_text(case.emblem, encoding="utf-8")
        for language, letter in case.letter_facts.get("letters", {}).items():
            (place / f"letter.{language}.txt").write_text(letter + "\n", encoding="utf-8")
    for story in campaign.stories:
        _write_texts(folder / "stories" / story.slug, story.texts, STORY_BODY)


def structure(campaign: CampaignContent) -> str:
    """The text of campaign.toml, from which tomllib and `reading.structure` read the same campaign again."""
    plain = {key: getattr(campaign, key) for key in _PLAIN}
    parts = [_table("", plain if campaign.cases else {**plain, "cases": []})]
    parts.append(_table("[controller]", campaign.controller))
    parts += [] if campaign.topics else ["[topics]\n"]
    parts += [_table(f"[topics.{_key(key)}]", names) for key, names in campaign.topics.items()]
    for event in campaign.events:
        when = {key: datetime.fromisoformat(event[key]) for key in ("begins", "ends") if event[key]}
        parts.append(_table("[[events]]", {"slug": event["slug"], "place": event["place"], **when}))
        parts += [_table(f"[events.{key}]", event[key]) for key in ("title", "text") if event[key]]
    for case in campaign.cases:
        facts = {key: case.letter_facts.get(key) for key in letters.PLAIN}
        languages = list(case.letter_facts.get("letters", {})) or None
        plain = {key: getattr(case, key) for key in _CASE}
        parts.append(_table("[[cases]]", {**plain, **facts, "letter_languages": languages}))
    for story in campaign.stories:
        parts.append(_table("[[stories]]", {key: getattr(story, key) for key in _STORY}))
    return "\n".join(parts)


def _write_texts(place: Path, texts: Mapping[str, Text], body: str) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for language, text in texts.items():
        front = {key: value for key, value in text.words.items() if key != body}
        if text.state != TextState.READY:
            front["state"] = str(text.state)
        if text.source_hash:
            front["source_hash"] = text.source_hash
        written = f"+++\n{_table('', front)}+++\n\n{text.words[body]}\n"
        (place / f"{language}.md").write_text(written, encoding="utf-8")


def _table(head: str, values: Mapping[str, Any]) -> str:
    lines = [head] if head else []
    lines += [f"{_key(key)} = {_value(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _line(key, '"')


def _value(value: Any) -> str:
    """A value in TOML. JSON strings are valid TOML basic strings; longer texts stay on several lines."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    lines = str(value).split("\n")
    if len(lines) == 1:
        return _line(lines[0], '"')
    return '"""\n' + "\n".join(_line(line, "") for line in lines) + '"""'


def _line(text: str, quote: str) -> str:
    """One line in TOML, inside quotes. A line of +++ is escaped, as it would end the front matter."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
    return quote + ("\\u002b++" if escaped == "+++" else escaped) + quote
