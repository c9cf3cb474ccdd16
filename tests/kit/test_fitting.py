"""Texts fill their places in print: long ones are set smaller, and those that do not fit are named."""

import dataclasses
import io
from typing import Any

import pikepdf
import pytest
from flask import Flask
from flask_babel import force_locale

from petitions.content.fields import CAMPAIGN_FIELDS, CASE_FIELDS
from petitions.kit import fitting, pieces
from petitions.kit.typesetting import misfits, pdf
from petitions.queries.catalogue import catalogue

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WORDS = {"de": "Wohnungsmarktverordnung ", "ar": "الحرية والعدالة ", "fr": "WWW MMMMMM "}


def filled(demo: Flask, language: str, **more: int) -> dict[str, Any]:
    """Every one-page piece of the demo campaign, with texts as long as their fields allow, or `more`."""
    longest = {name: field.longest for name, field in {**CAMPAIGN_FIELDS, **CASE_FIELDS}.items()} | more
    long = {name: (WORDS[language] * 500)[:most].strip() for name, most in longest.items()}
    with demo.app_context(), force_locale("de"):
        campaign = catalogue().current
        order = pieces.Order("de", tuple(campaign.cases), fitting.ONE_PAGE)
        facts = pieces.document(campaign, order, "https://sign.example.org")
    facts["meta"] |= {"lang": language, "dir": "rtl" if language == "ar" else "ltr"}
    for piece in facts["pieces"]:
        for part in (piece, *piece.get("cases", [])):
            part |= {name: long[name] for name in ("title", "demand", "tagline", "description") if name in part}
    return facts


@pytest.mark.parametrize("language", WORDS)
def test_the_longest_texts_fit_on_their_page(demo: Flask, language: str) -> None:
    facts = filled(demo, language)
    assert misfits(facts) == []
    with pikepdf.open(io.BytesIO(pdf(facts))) as document:
        assert len(document.pages) == len(facts["pieces"])


def test_what_does_not_fit_at_the_smallest_size_is_found(demo: Flask) -> None:
    found = misfits(filled(demo, "de", demand=9_000, description=3_000))
    assert {each["kind"] for each in found} == {"signatures", "youth", "poster", "flyer"}


def test_the_text_the_language_and_the_piece_are_named(demo: Flask) -> None:
    with demo.test_request_context():
        campaign = catalogue().current
        assert list(fitting.too_long(campaign)) == []
        words = {**campaign.text("fr"), "description": WORDS["de"] * 120}
        small = dataclasses.replace(
            campaign, languages=("fr",), words={**campaign.words, "fr": words}, cases=campaign.cases[:1], stories=()
        )
        found = list(fitting.too_long(small))
    assert found == [
        ("fr", "Écrire pour les droits 2024", "Tracts"),
        ("fr", "Neuf cas. Il manque votre signature.", "picture for links"),
    ]
