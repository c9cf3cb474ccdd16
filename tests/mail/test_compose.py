"""Composed e-mails: in the reader's language, with one clear link, and no personal data."""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from petitions.clock import stopped_at
from petitions.mail.compose import compose

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

LINK = "https://sign.example.org/fr/confirm/TOKEN"
OWN_PAGE = "https://sign.example.org/fr/mine/AAAA"
CASES = ["Şebnem Korur Fincancı", "Wet’suwet’en & friends"]


def mail(kind: str = "confirm", locale: str = "fr", email: str = "Ann@Example.org", **over: Any) -> EmailMessage:
    """A mail to Ann, with all its facts."""
    facts = {
        "sender": "Section <petitions@example.org>",
        "message_id": "ab" * 16,
        "campaign": {"title": "Water & rights"},
        "controller": {"name": "A section", "address": "1, Main Street", "email": "privacy@example.org"},
        "cases": CASES,
        "link": LINK,
        "home": "https://sign.example.org/fr/water/",
        "code": "012345",
        "code_page": "https://sign.example.org/fr/water/code",
        "own_page": OWN_PAGE,
        "stop": "https://sign.example.org/fr/stop/never",
        "days": 14,
    }
    return compose(kind, locale, email, **{**facts, **over})


def part(message: EmailMessage, kind: str) -> str:
    """The text or the HTML of a mail."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


KINDS = {"confirm": LINK, "reminder": LINK, "repeat": OWN_PAGE, "receipt": OWN_PAGE, "mine": OWN_PAGE}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", ["fr", "en", "lb", "de"])
def test_every_mail_exists_in_every_language_and_its_first_link_is_what_it_is_about(kind: str, locale: str) -> None:
    message = mail(kind, locale)
    text = part(message, "plain")
    assert re.findall(r"https?://\S+", text)[0] == KINDS[kind]
    assert all(f"- {case}" in text for case in CASES)
    assert "Water & rights" in text
    assert "A section, 1, Main Street" in text
    assert message["Content-Language"] == locale
    assert "%(" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_the_languages_differ(kind: str) -> None:
    assert len({mail(kind, locale)["Subject"] for locale in ("fr", "en", "lb", "de")}) == 4
    assert len({part(mail(kind, locale), "plain") for locale in ("fr", "en", "lb", "de")}) == 4


def test_one_signature_is_spoken_of_in_the_singular() -> None:
    one, two = mail(locale="en", cases=CASES[:1]), mail(locale="en")
    assert one["Subject"] == "Please confirm your signature"
    assert two["Subject"] == "Please confirm your 2 signatures"


def test_the_code_stands_there_in_two_groups_with_the_page_where_it_is_typed() -> None:
    text = part(mail(), "plain")
    assert "012 345" in text
    assert "https://sign.example.org/fr/water/code" in text
    assert "012" not in part(mail("repeat"), "plain")


def test_the_html_is_a_page_of_its_own_in_its_direction() -> None:
    assert '<html lang="fr" dir="ltr">' in part(mail(), "html")
    assert '<html lang="ar" dir="rtl">' in part(mail(locale="ar"), "html")
    body = part(mail(cases=["<script>alert(1)</script>"]), "html")
    assert "<script>" not in body
    assert "Water &amp; rights" in body
    assert "<img" not in body, "nothing that tells who reads"


def test_the_headers_say_only_what_they_must() -> None:
    with stopped_at(datetime(2026, 12, 10, 9, 30, tzinfo=UTC)):
        message = mail()
    assert message["From"] == "Section <petitions@example.org>"
    assert message["To"] == "Ann@Example.org"
    assert message["Date"] == "Thu, 10 Dec 2026 09:30:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "O’Connor" not in str(message["To"])
    assert message["List-Unsubscribe"] is None


def test_the_message_id_is_the_same_at_each_try_and_differs_between_mails() -> None:
    assert mail()["Message-ID"] == mail()["Message-ID"]
    assert mail()["Message-ID"] != mail(message_id="cd" * 16)["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", mail()["Message-ID"])


@pytest.mark.parametrize("email", ["o'connor+x@example.org", "a.b-c_d@sub.example.org", "jürgen@bücher.example.org"])
def test_the_address_is_the_one_that_was_typed(email: str) -> None:
    assert str(mail(email=email)["To"]) == email


@pytest.mark.parametrize("kind", ["confirm", "reminder", "receipt", "repeat", "mine"])
def test_answers_reach_the_section_and_one_press_stops_all_but_the_confirmation(kind: str) -> None:
    message = mail(kind)
    assert message["Reply-To"] == "privacy@example.org"
    if kind == "confirm":
        assert message["List-Unsubscribe"] is None
    else:
        assert message["List-Unsubscribe"] == "<https://sign.example.org/fr/stop/never>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
