"""The page for writing a letter: its words, and that it is gone once a case has ended."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from petitions.web.public.letters import LONGEST_MAILTO, mail_link
from tests.support.factories import make_campaign
from tests.web.browsing import DEMO, LANGUAGES, browser, visit


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_writes_sees_where_the_letter_goes_what_to_leave_out_and_one_text_to_change(
    demo: Flask, language: str
) -> None:
    page = visit(browser(demo), f"/{language}/{DEMO}/cases/neth-nahara/letter/")
    [text] = page.all("textarea")
    assert "Neth Nahara" in text.text
    assert not [form for form in page.all("form") if "/sign" not in form["action"]], "nothing typed here is sent"
    assert "L-0000 Luxembourg" in page.text
    assert "ANGOLA" in page.text
    assert len(page.all("tr")) == 2, "postage by zone"
    assert len(page.one(id="letter-avoid").all("li")) == 4
    assert [part["lang"] for part in page.all("p") if part.get("lang") == "pt"] == ["pt"]


def test_the_case_and_its_thanks_lead_to_the_letter(demo: Flask) -> None:
    here = f"/fr/{DEMO}/cases/neth-nahara"
    for path in (f"{here}/", f"{here}/thanks"):
        assert f"{here}/letter/" in [a.get("href") for a in visit(browser(demo), path).all("a")]


def test_paper_shows_the_letter_with_lines_for_name_and_town(demo: Flask) -> None:
    page = visit(browser(demo), f"/fr/{DEMO}/cases/oqba-hashad/letter/")
    [sheet] = [part for part in page.all("div") if part.get("class") == "sheet"]
    assert "Oqba Hashad" in sheet.text
    assert "EGYPT" in sheet.text
    assert len([part for part in sheet.all("span") if part.get("class") == "blank"]) == 3


def test_the_letter_of_a_case_that_ended_leads_to_the_case(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign", states={"lake": "won", "river": "hidden"})
    client = browser(app)
    ended = client.get("/fr/water-2026/cases/lake/letter/")
    assert (ended.status_code, ended.headers["Location"]) == (302, "/fr/water-2026/cases/lake/")
    assert client.get("/fr/water-2026/cases/forest/letter/").status_code == 200
    for gone in ("river", "nothing"):
        assert client.get(f"/fr/water-2026/cases/{gone}/letter/").status_code == 404


def test_a_mail_program_gets_a_subject_lines_and_never_too_much() -> None:
    link = mail_link("minister@example.org", "Şebnem & “co”", ["Dear\n\nminister"])
    asked = parse_qs(urlsplit(link).query)
    assert asked == {"subject": ["Şebnem & “co”"], "body": ["Dear\r\n\r\nminister"]}
    short = mail_link("minister@example.org", "Subject", ["é" * 1000, "demand"])
    assert short.endswith("body=demand")
    assert len(short) <= LONGEST_MAILTO
    shortest = mail_link("minister@example.org", "Şubat " * 100, ["é" * 1000])
    assert "?subject=%C5%9Eubat" in shortest, "never without a subject"
    assert len(shortest) <= LONGEST_MAILTO


def test_where_a_case_allows_it_a_card_goes_to_the_person_with_rules_of_its_own(demo: Flask) -> None:
    page = visit(browser(demo), f"/en/{DEMO}/cases/joel-paredes/letter/")
    assert "A card to the person" in page.text
    assert "Do not put your address on the card." in page.text
    [card] = [a["href"] for a in page.all("a") if "pieces=card" in a.get("href", "")]
    assert browser(demo).get(card).status_code in (200, 503)
    assert "A card to the person" not in visit(browser(demo), f"/en/{DEMO}/cases/neth-nahara/letter/").text
