"""The kit's page, its documents over HTTP, and orders that make no sense."""

import io
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from petitions.kit import builder, labels
from petitions.kit.builder import Building
from petitions.web.public import kit
from tests.support.factories import make_campaign
from tests.web.browsing import DEMO, LANGUAGES, browser, visit

HERE = f"/fr/{DEMO}"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes longer."""
    monkeypatch.setattr(builder, "PATIENCE", 30)


def test_the_page_has_ready_kits_first_and_then_the_order(demo: Flask) -> None:
    page = visit(browser(demo), f"{HERE}/kit/")
    ready = [a["href"] for a in page.all("a") if a.get("href", "").endswith("/kit.pdf")]
    assert ready == [f"/{language}/{DEMO}/kit.pdf" for language in LANGUAGES]
    [form] = [form for form in page.all("form") if form["action"] == f"{HERE}/kit.pdf"]
    assert form["method"] == "get"
    boxes = [box for box in form.all("input") if box.get("type") == "checkbox"]
    assert {box["value"] for box in boxes if box["name"] == "pieces"} == set(labels.KINDS)
    assert len([box for box in boxes if box["name"] == "cases" and "checked" in box.attrs]) == 6, (
        "the campaign's choice"
    )


def test_the_ready_kit_is_a_whole_document_of_the_campaigns_choice(demo: Flask) -> None:
    client = browser(demo)
    answer = client.get(f"{HERE}/kit.pdf")
    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert len(answer.data) < 3_000_000
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert client.get(f"{HERE}/kit.pdf", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    letter = client.get(f"{HERE}/cases/oqba-hashad/letter.pdf")
    assert (letter.status_code, letter.content_type) == (200, "application/pdf")
    assert client.get(f"{HERE}/cases/oqba-hashad/letter.pdf?paper=us-letter").data != letter.data


def test_a_zip_has_a_document_for_each_piece(demo: Flask) -> None:
    query = "pieces=tally&pieces=cover&cases=neth-nahara&language=de"
    answer = browser(demo).get(f"{HERE}/kit.zip?{query}")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as pack:
        assert pack.namelist() == ["01-cover-de.pdf", "02-tally-de.pdf"]
        assert pack.testzip() is None


@pytest.mark.parametrize(
    "query",
    ["pieces=x", "cases=x", "cases=oqba-hashad&cases=../x", "language=xx", "sheets=0", "sheets=21", "sheets=%C2%B2",
     "sheets=1e9", "paper=a3", "window=top"],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused_in_words(demo: Flask, query: str) -> None:
    page = visit(browser(demo), f"{HERE}/kit.pdf?{query}", status=422)
    assert "n’existe pas" in page.text


def test_a_case_that_is_hidden_leaves_every_document_at_once(app: Flask, tmp_path: Path) -> None:
    client = browser(app)
    make_campaign(app, tmp_path / "campaign")
    before = client.get("/fr/water-2026/kit.pdf").data
    assert client.get("/fr/water-2026/cases/river/letter.pdf").status_code == 200
    make_campaign(app, tmp_path / "campaign", states={"river": "hidden"})
    assert client.get("/fr/water-2026/kit.pdf").data != before
    assert client.get("/fr/water-2026/cases/river/letter.pdf").status_code == 404
    assert client.get("/fr/water-2026/kit.pdf?cases=river").status_code == 422
    make_campaign(app, tmp_path / "campaign", state='"closed"')
    for old, new in (("kit/", ""), ("kit.pdf", ""), ("kit.zip", ""), ("cases/forest/letter.pdf", "cases/forest/")):
        assert client.get(f"/fr/water-2026/{old}").headers["Location"] == f"/fr/water-2026/{new}"


def test_who_has_to_wait_gets_a_page_that_goes_on_by_itself(demo: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(demo)
    for building, wait in ((Building(3), "2"), (Building(8, is_refused=True), "30")):
        monkeypatch.setattr(kit.Builder, "document", lambda *_, found=building: found)
        for path in ("kit.pdf", "kit.zip", "cases/oqba-hashad/letter.pdf"):
            answer = client.get(f"{HERE}/{path}")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, wait)
            assert f'http-equiv="refresh" content="{wait}"' in answer.text
            assert answer.headers["Cache-Control"] == "no-store"
