"""Events: on the campaign's page, on a page of their own, as calendar and as feed."""

from pathlib import Path
from xml.etree import ElementTree

from flask import Flask

from petitions.content.reading import read
from petitions.errors import ContentFaulty
from tests.support.factories import load_campaign, write_campaign
from tests.web.browsing import DEMO, LANGUAGES, browser, visit

ATOM = "{http://www.w3.org/2005/Atom}"
EVENT = """
[[events]]
slug = "march"
begins = 2026-12-10T18:00:00+01:00
place = "Place d’Armes; 1, rue"
[events.title]
en = "A very long title, with a comma, a semicolon; and more than seventy-five bytes: Lëtzebuerg"
"""


def folder(tmp_path: Path, events: str) -> Path:
    """A campaign with these events."""
    path = write_campaign(tmp_path / "campaign", languages=("en", "fr"))
    file = path / "campaign.toml"
    file.write_text(file.read_text() + events)
    return path


def test_an_event_is_shown_in_each_language_where_people_look(demo: Flask) -> None:
    client = browser(demo)
    for language in LANGUAGES:
        home = visit(client, f"/{language}/")
        assert f"/{language}/{DEMO}/events/#letter-night" in [a.get("href") for a in home.all("a")]
        page = visit(client, f"/{language}/{DEMO}/events/")
        assert page.one("time")["datetime"] == "2024-12-10T18:00:00+01:00"
        assert "18:00" in page.one("time").text
    assert '"@type": "Event"' in client.get(f"/fr/{DEMO}/events/").text


def test_a_calendar_program_reads_the_events(app: Flask, tmp_path: Path) -> None:
    load_campaign(app, folder(tmp_path, EVENT))
    answer = browser(app).get("/fr/water-2026/events.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    lines = answer.data.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    unfolded = answer.data.decode().replace("\r\n ", "").split("\r\n")
    assert unfolded[0] == "BEGIN:VCALENDAR"
    assert "DTSTART:20261210T170000Z" in unfolded
    assert "LOCATION;LANGUAGE=fr:Place d’Armes\\; 1\\, rue" in unfolded
    [title] = [line for line in unfolded if line.startswith("SUMMARY")]
    assert title.endswith("Lëtzebuerg"), "the title in another language rather than none"


def test_a_feed_reader_reads_the_news(app: Flask, tmp_path: Path) -> None:
    load_campaign(app, folder(tmp_path, EVENT))
    tree = ElementTree.fromstring(browser(app).get("/en/water-2026/news.atom").data)  # noqa: S314 - our own
    assert [entry.findtext(f"{ATOM}title", "")[:11] for entry in tree.iter(f"{ATOM}entry")] == ["A very long"]
    assert tree.findtext(f"{ATOM}id", "").startswith("http")


def test_without_events_there_is_no_page_and_no_link(app: Flask, tmp_path: Path) -> None:
    load_campaign(app, folder(tmp_path, ""))
    client = browser(app)
    assert client.get("/en/water-2026/events/").status_code == 404
    assert "/events/" not in client.get("/en/").text


def test_a_faulty_event_is_refused_with_its_key(tmp_path: Path) -> None:
    wrong = EVENT.replace(
        "begins = 2026-12-10T18:00:00+01:00", "begins = 2026-12-10T18:00:00\nends = 1999-01-01T00:00:00Z"
    )
    try:
        read(folder(tmp_path, wrong + '[events.text]\nxx = "?"\n'))
    except ContentFaulty as exc:
        said = "\n".join(exc.faults)
    assert "events[0].begins" in said
    assert "events[0].text.xx" in said
