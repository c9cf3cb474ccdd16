"""Events of a campaign: a page, a calendar (iCalendar, RFC 5545) and a feed (Atom, RFC 4287)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import NotFound
from petitions.queries.catalogue import PublicCampaign
from petitions.services.keys.keyring import settings
from petitions.web import page_cache
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render

bp = Blueprint("events", __name__)
LONGEST_LINE = 73  # bytes of a calendar's line, without its break and the blank that continues it


@bp.get("/<lang:lang>/<campaign>/events/")
def page(campaign: str) -> ResponseReturnValue:
    """All events, in the order of their beginning."""

    def build() -> str:
        found = find_campaign(campaign)
        if not found.events:
            raise NotFound(campaign=campaign)
        return render("events.html", found)

    return page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/events.ics")
def calendar(campaign: str) -> ResponseReturnValue:
    """The same for calendar programs."""
    return page_cache.page(lambda: _calendar(find_campaign(campaign)), content_type="text/calendar; charset=utf-8")


@bp.get("/<lang:lang>/<campaign>/news.atom")
def feed(campaign: str) -> ResponseReturnValue:
    """News for feed readers: events, and cases that have ended well."""

    def build() -> str:
        found = find_campaign(campaign)
        here = settings().base_url
        return render_template(
            "public/news.atom", campaign=found, words=found.text(locale()), base_url=here, at=found.created_at
        )

    return page_cache.page(build, content_type="application/atom+xml; charset=utf-8")


@bp.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"event_words": event_words, "moment": datetime.fromisoformat, "event_facts": event_facts}


def event_words(event: dict[str, Any], key: str) -> str:
    """A text of the event for this reader: theirs, else the first that there is."""
    words: dict[str, str] = event.get(key) or {}
    return words.get(locale()) or next(iter(words.values()), "")


def event_facts(campaign: PublicCampaign, event: dict[str, Any]) -> dict[str, Any]:
    """The event in schema.org's words, for search engines."""
    return {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event_words(event, "title"),
        "startDate": event["begins"],
        **({"endDate": event["ends"]} if event["ends"] else {}),
        "location": {"@type": "Place", "name": event["place"], "address": event["place"]},
        "organizer": {"@type": "NGO", "name": campaign.controller["name"]},
    }


def _calendar(campaign: PublicCampaign) -> str:
    host = settings().base_url.partition("://")[2]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Petitions//Events//EN", "CALSCALE:GREGORIAN"]
    for event in campaign.events:
        entry = dict(event)
        lines += ["BEGIN:VEVENT", f"UID:{campaign.slug}-{entry['slug']}@{host}", f"DTSTAMP:{_utc(entry['begins'])}"]
        lines += [f"DTSTART:{_utc(entry['begins'])}"]
        lines += [f"DTEND:{_utc(entry['ends'])}"] if entry["ends"] else []
        texts = {
            "SUMMARY": event_words(entry, "title"),
            "LOCATION": entry["place"],
            "DESCRIPTION": event_words(entry, "text"),
        }
        lines += [f"{key};LANGUAGE={locale()}:{_escaped(text)}" for key, text in texts.items() if text]
        lines += [f"URL:{settings().base_url}{url_for('events.page', campaign=campaign.slug)}", "END:VEVENT"]
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _utc(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 bytes; no character is cut (RFC 5545, 3.1)."""
    piece, blank = "", ""
    for sign in line:
        if len((piece + sign).encode()) > LONGEST_LINE:
            yield blank + piece
            piece, blank = "", " "
        piece += sign
    yield blank + piece
