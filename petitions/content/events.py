"""The events of a campaign: letter nights, stalls, marches. Nobody signs up for them here."""

import unicodedata
from typing import Any

from petitions.content.checks import Faults, Table, text_fault
from petitions.content.fields import Field

Event = dict[str, Any]
LONGEST = {"title": Field(120), "text": Field(1_000, kind="text"), "place": Field(200)}


def take_events(raw: list[Any], languages: list[str], faults: Faults) -> list[Event]:
    """The events of campaign.toml, in the order of their beginning; times as ISO 8601, words by language."""
    events = []
    for number, values in enumerate(raw):
        table = Table(values, "campaign.toml", f"events[{number}].", faults)
        begins, ends = table.moment("begins"), table.moment("ends")
        event: Event = {"slug": table.slug(), "place": _line(table, "place", "place")}
        if begins is None:
            table.fault("begins", "is missing")
        elif ends is not None and ends < begins:
            table.fault("ends", "must not be before it begins")
        event |= {"begins": begins.isoformat() if begins else "", "ends": ends.isoformat() if ends else ""}
        for key in ("title", "text"):
            given = table.take(key, dict, {}, required=key == "title")
            event[key] = _words(Table(given, "campaign.toml", f"events[{number}].{key}.", faults), key, languages)
        table.finish()
        events.append(event)
    slugs = [event["slug"] for event in events if event["slug"]]
    for slug in sorted({slug for slug in slugs if slugs.count(slug) > 1}):
        faults.add("campaign.toml", "events", "", f"{slug!r} is listed twice")
    return sorted(events, key=lambda event: str(event["begins"]))


def _words(table: Table, key: str, languages: list[str]) -> dict[str, str]:
    """The text by language; a title is needed in the source language."""
    found = {code: _line(table, code, key, required=key == "title" and code == languages[0]) for code in languages}
    table.finish()
    return {code: text for code, text in found.items() if text}


def _line(table: Table, key: str, kind: str, *, required: bool = True) -> str:
    value = unicodedata.normalize("NFC", str(table.take(key, str, "", required=required))).strip()
    if value and (fault := text_fault(value, LONGEST[kind])):
        table.fault(key, fault)
    return value
