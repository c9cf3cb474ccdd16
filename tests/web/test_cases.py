"""The states of cases: hide, pause, win, close and open again, at once and by one press."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from petitions.domain.roles import Role
from petitions.domain.states import CaseState
from petitions.models import JournalRow
from petitions.queries.catalogue import PublicCampaign
from tests.support.factories import rows
from tests.web.browsing import browser, logged_in, sign_one, visit

CASES, HOME, RIVER = "/admin/cases", "/en/water-2026/", "/en/water-2026/cases/river/"


@pytest.fixture
def editor(app: Flask, campaign: PublicCampaign) -> FlaskClient:
    return logged_in(app, "edda", Role.EDITOR)


def press(editor: FlaskClient, case: str, state: str) -> str:
    """Press the button; returns where it leads."""
    entry = visit(editor, CASES).one("li", id=f"case-{case}")
    assert state in [button["value"] for button in entry.all("button")]
    answer = editor.post(CASES, data={**entry.one("form").fields(), "state": state})
    assert answer.status_code == 303
    return str(answer.location)


def test_a_case_is_hidden_by_one_press_and_comes_back_by_another(app: Flask, editor: FlaskClient) -> None:
    visitor = browser(app)
    assert "The river" in visit(visitor, HOME).text
    page = visit(editor, press(editor, "river", "hidden"))
    assert "What cannot be called back" in page.one("li", id="case-river").text
    assert "The river" not in visit(visitor, HOME).text
    visit(visitor, RIVER, status=404)
    assert "What cannot be called back" not in visit(editor, press(editor, "river", "open")).text
    assert "The river" in visit(visitor, HOME).text
    with app.app_context():
        done = [(row.act, row.subject) for row in rows(JournalRow) if row.act == "case state"]
    assert done == [("case state", "river hidden"), ("case state", "river open")]


@pytest.mark.parametrize("state", ["paused", "won", "closed"])
def test_a_case_that_cannot_be_signed_is_still_read(app: Flask, editor: FlaskClient, state: str) -> None:
    press(editor, "river", state)
    visitor = browser(app)
    assert "/sign" not in visit(visitor, RIVER).html
    assert sign_one(visitor).status_code == 422
    press(editor, "river", "open")
    assert sign_one(visitor).status_code in (200, 303)


def test_the_state_that_a_case_has_is_not_offered_and_changes_nothing(app: Flask, editor: FlaskClient) -> None:
    entry = visit(editor, CASES).one("li", id="case-river")
    assert {button["value"] for button in entry.all("button")} == set(CaseState) - {"draft", "open"}
    form = entry.one("form").fields()
    assert editor.post(CASES, data={**form, "state": "open"}).status_code == 303
    for wrong in (
        {"state": "draft"},
        {"state": "gone"},
        {"state": "open", "case": "nope"},
        {"state": "open", "campaign": "x"},
    ):
        assert editor.post(CASES, data={**form, **wrong}).status_code == 404, wrong
    with app.app_context():
        assert [row for row in rows(JournalRow) if row.act == "case state"] == []


def test_before_the_first_campaign_there_is_no_case(app: Flask) -> None:
    assert "There is no campaign yet." in visit(logged_in(app, "edda", Role.EDITOR), CASES).text
