"""The paper grid: entered by keyboard, verified by a second person, nothing typed is lost."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions import clock
from petitions.domain.roles import Role
from petitions.models import Tally
from petitions.queries.catalogue import PublicCampaign
from petitions.services.staff import accounts
from tests.support.factories import rows
from tests.web.browsing import logged_in, page_of, visit

PAPER = "/admin/paper"


@pytest.fixture
def anna(app: Flask, campaign: PublicCampaign) -> FlaskClient:
    return logged_in(app, "anna", Role.COUNTER)


def enter(client: FlaskClient, **typed: str) -> TestResponse:
    """Send the grid."""
    fields = visit(client, PAPER).form(PAPER).fields()
    return client.post(PAPER, data={**fields, **typed})


def test_who_is_alone_enters_and_it_counts(app: Flask, anna: FlaskClient) -> None:
    answer = enter(anna, **{"paper-river": " 1 200 ", "letters-lake": "7", "note": "Esch"})
    page = visit(anna, str(answer.location))
    assert "The numbers count now" in page.one(role="status").text
    with app.app_context():
        assert sorted((row.kind, row.number) for row in rows(Tally)) == [("letters", 7), ("paper", 1200)]
    assert "1,200" in visit(anna, "/admin/").text


def test_two_people_count_and_the_second_does_not_see_the_first_number(app: Flask, anna: FlaskClient) -> None:
    ben = logged_in(app, "ben", Role.COUNTER)
    assert "reported" in str(enter(anna, **{"paper-river": "4321"}).location)
    assert "4,321" in visit(anna, PAPER).one("ul", class_="entries").text
    page = visit(ben, PAPER)
    waiting = page.one("ul", class_="entries")
    assert "4,321" not in page.html
    assert "4321" not in page.html
    journal = visit(logged_in(app, "olga"), "/admin/journal")
    assert "4,321" not in journal.html
    assert "4321" not in journal.html
    fields = waiting.one("form").fields()
    wrong = page_of(ben.post(f"{PAPER}/verify", data={**fields, "act": "verify", "number": "4322"}), 422)
    assert "counted another number" in wrong.text
    assert ben.post(f"{PAPER}/verify", data={**fields, "act": "verify", "number": "four"}).status_code == 422
    done = ben.post(f"{PAPER}/verify", data={**fields, "act": "verify", "number": "4321"})
    assert "counts now" in visit(ben, str(done.location)).one(role="status").text
    again = ben.post(f"{PAPER}/verify", data={**fields, "act": "verify", "number": "4321"})
    assert again.status_code == 404
    own = anna.post(f"{PAPER}/verify", data={**visit(anna, PAPER).form(PAPER).fields(), "tally": "x"})
    assert own.status_code == 404


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "at least one case"),
        ({"paper-river": "many", "letters-lake": "7"}, "not a whole number"),
        ({"paper-river": "1.5"}, "not a whole number"),
        ({"paper-river": "999999999"}, "not a whole number"),
        ({"paper-river": "100001"}, "cannot be right"),
        ({"paper-river": "-1"}, "cannot be right"),
        ({"paper-river": "3", "day": "tomorrow"}, "Enter the day like"),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_lost(
    app: Flask, anna: FlaskClient, typed: dict[str, str], said: str
) -> None:
    page = page_of(enter(anna, note="Esch", **typed), 422)
    assert said in page.text
    kept = page.form(PAPER).fields()
    for name, value in {"note": "Esch", **typed}.items():
        assert kept[name] == [value]
    with app.app_context():
        assert rows(Tally) == []


def test_an_entry_is_cancelled(anna: FlaskClient, app: Flask) -> None:
    logged_in(app, "ben", Role.COUNTER)
    enter(anna, **{"paper-river": "4"})
    fields = visit(anna, PAPER).one("ul", class_="entries").one("form").fields()
    done = anna.post(f"{PAPER}/verify", data={**fields, "act": "cancel"})
    page = visit(anna, str(done.location))
    assert "is cancelled" in page.one(role="status").text
    assert not page.all("ul", class_="entries")


def test_html_in_a_note_is_text(anna: FlaskClient, app: Flask) -> None:
    logged_in(app, "ben", Role.COUNTER)
    enter(anna, **{"paper-river": "4", "note": "<b>&\0\u202e"})
    assert "<b>&" in visit(anna, PAPER).one("ul", class_="entries").text


def test_without_a_public_campaign_the_page_says_so(app: Flask) -> None:
    assert "no public campaign yet" in visit(logged_in(app, "anna", Role.COUNTER), PAPER).text


def test_an_account_that_has_ended_is_no_second_person(app: Flask, anna: FlaskClient) -> None:
    with app.app_context():
        accounts.add("ben", "no hash", Role.COUNTER, clock.now() - timedelta(days=1), "test")
    assert "counted" in str(enter(anna, **{"paper-river": "7"}).location)
    with app.app_context():
        accounts.add("cleo", "no hash", Role.COUNTER, clock.now() + timedelta(days=1), "test")
    assert "reported" in str(enter(anna, **{"paper-river": "7"}).location)
