"""What other sites and search engines are told, and the links that share a page."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from flask import Flask
from PIL import Image

from petitions.kit import builder
from petitions.kit.builder import Building
from petitions.models import Signature
from petitions.web.public import cards
from petitions.web.public.sharing import share_links
from petitions.web.sources import CHANNELS
from tests.support.factories import BASE_URL, make_campaign, rows
from tests.web.browsing import DEMO, LANGUAGES, browser, public_paths, typed, visit

LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


def picture_of(app: Flask, path: str) -> str:
    """The path of the picture that a page names."""
    page = visit(browser(app), path)
    [url] = [meta["content"] for meta in page.all("meta") if meta.get("property") == "og:image"]
    assert url.startswith(f"{BASE_URL}/"), "an absolute address"
    return urlsplit(url).path


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_public_page_names_a_picture(demo: Flask, language: str) -> None:
    for path in public_paths(language):
        if not path.startswith("/embed"):
            assert picture_of(demo, path).startswith(f"/{language}/"), path


@pytest.mark.parametrize("path", ["", "cases/oqba-hashad/", "stories/mahadine/"])
def test_a_picture_is_of_the_right_size_and_changes_its_address_with_its_words(
    demo: Flask, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 30)
    client = browser(demo)
    address = picture_of(demo, f"/fr/{DEMO}/{path}")
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert len(answer.data) < 300_000
    (tmp_path / "card.jpg").write_bytes(answer.data)
    with Image.open(tmp_path / "card.jpg") as opened:
        assert opened.size == (1200, 630)
    assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    old = re.sub(r"[0-9a-f]{32}", "0" * 32, address)
    assert client.get(old).headers["Location"].endswith(address), "a link shared years ago still has a picture"
    monkeypatch.setattr(cards.Builder, "document", lambda *_: Building(0))
    usual = client.get(address)
    assert (usual.status_code, usual.content_type, usual.headers["Cache-Control"]) == (200, "image/jpeg", "no-store")
    assert usual.data.startswith(b"\xff\xd8")


def test_the_picture_of_a_hidden_case_is_gone(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    address = picture_of(app, "/en/water-2026/cases/river/")
    make_campaign(app, tmp_path / "campaign", states={"river": "hidden"})
    assert browser(app).get(address).status_code == 404
    assert "river" not in browser(app).get("/sitemap.xml").text


def test_the_site_map_has_every_public_page_in_every_language(demo: Flask) -> None:
    answer = browser(demo).get("/sitemap.xml")
    tree = ElementTree.fromstring(answer.data)  # noqa: S314 - our own
    found = [str(each.text) for each in tree.iter(LOC)]
    assert len(found) == len(set(found))
    for language in LANGUAGES:
        here = f"{BASE_URL}/{language}/{DEMO}"
        assert {
            f"{here}/",
            f"{here}/cases/joel-paredes/",
            f"{here}/stories/",
            f"{here}/kit/",
            f"{here}/privacy",
        } <= set(found)
    client = browser(demo)
    for url in found[:40]:
        assert client.get(urlsplit(url).path).status_code == 200, url
    robots = client.get("/robots.txt").text
    assert f"Sitemap: {BASE_URL}/sitemap.xml" in robots
    assert "Disallow: /*/confirm/" in robots


def test_search_engines_read_who_publishes_what_about_whom(demo: Flask) -> None:
    page = browser(demo).get(f"/fr/{DEMO}/cases/oqba-hashad/").text
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    facts = json.loads(data)
    assert facts["@type"] == "WebPage"
    assert facts["about"]["name"] == "Oqba Hashad"
    assert facts["publisher"]["@type"] == "NGO"
    assert '<meta property="og:locale" content="fr_FR">' in page
    assert '<meta property="og:locale:alternate" content="lb_LU">' in page
    manifest = browser(demo).get("/manifest.webmanifest").json
    assert manifest is not None
    for icon in manifest["icons"]:
        assert browser(demo).get(icon["src"]).status_code == 200


def test_shared_links_keep_every_sign_of_the_text() -> None:
    address, text = "https://x.example/fr/a/", 'Şebnem: “l’eau” & "R&D" 100 % + 1 ✊🏽?\nßé#'
    for link in share_links(address, text):
        parts = urlsplit(link.url)
        assert parts.scheme in ("https", "sms", "mailto")
        asked = parse_qs(parts.query, keep_blank_values=True, strict_parsing=not link.url.startswith("sms:?&"))
        said = " ".join(value for values in asked.values() for value in values)
        assert f"{address}?via={link.channel}" in said
        if link.channel != "facebook":  # it reads the page itself
            assert text in said
    assert {link.channel for link in share_links(address, text)} == set(CHANNELS)


def test_mastodon_is_a_link_to_the_server_that_the_visitor_names(demo: Flask) -> None:
    page = visit(browser(demo), f"/fr/{DEMO}/share/mastodon?server=https://Mastodon.Social/&case=joel-paredes")
    [link] = [a["href"] for a in page.all("a") if a.get("href", "").startswith("https://mastodon.social/share?")]
    assert f"{BASE_URL}/fr/{DEMO}/cases/joel-paredes/?via=mastodon" in unquote(link)
    for wrong in ("", "localhost", "a b.example", "x.example/path", "x.example:80", "-a.example", "a..b", "é.example"):
        assert browser(demo).get(f"/fr/{DEMO}/share/mastodon", query_string={"server": wrong}).status_code == 422


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("/fr/water-2026/?via=whatsapp", "whatsapp"),
        ("/fr/water-2026/", "direct"),
        ("/?via=<x>", "direct"),
        ("", "direct"),
    ],
)
def test_a_signature_keeps_a_coarse_label_of_the_channel(app: Flask, tmp_path: Path, page: str, kept: str) -> None:
    make_campaign(app, tmp_path / "campaign")
    client = browser(app)
    client.post(
        "/fr/water-2026/sign", data=typed(cases=["river"]), headers={"Referer": f"{BASE_URL}{page}"} if page else {}
    )
    with app.app_context():
        assert [row.source for row in rows(Signature)] == [kept]
