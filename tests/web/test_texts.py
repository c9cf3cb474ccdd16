"""The editor of texts: beside the source, nothing typed is lost, nothing is overwritten silently, all can be undone."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions.domain.roles import Role
from petitions.models import LetterVersion, TextVersion
from petitions.queries.catalogue import PublicCampaign
from petitions.services.campaigns.folders import export_campaign
from petitions.services.staff import accounts
from petitions.web import sessions
from tests.support.factories import rows
from tests.web.browsing import browser, logged_in, page_of, visit
from tests.web.page import Node

TEXTS, RIVER, WORDS = "/admin/texts", "/admin/texts/fr/cases/river", "/admin/texts/en/texts"
SLUG = "water-2026"


@pytest.fixture
def editor(app: Flask, campaign: PublicCampaign) -> FlaskClient:
    return logged_in(app, "edda", Role.EDITOR)


def fields(editor: FlaskClient, path: str) -> dict[str, Any]:
    """What the form holds, as a browser sends it with the button Save."""
    return sent(visit(editor, path).form(path.partition("?")[0]))


def sent(form: Node) -> dict[str, Any]:
    """The fields of the form, each once, with the button Save."""
    return {**{name: values[0] for name, values in form.fields().items()}, "act": "save"}


def save(editor: FlaskClient, path: str, **typed: str) -> TestResponse:
    return editor.post(path, data={**fields(editor, path), **typed}, content_type="multipart/form-data")


def test_a_saved_text_is_what_visitors_read_and_what_an_export_writes(app: Flask, editor: FlaskClient) -> None:
    answer = save(editor, RIVER, title="Le fleuve Ä", points="Un\n\nDeux ")
    assert answer.status_code == 303
    assert "Stored." in visit(editor, str(answer.location)).text
    assert "Le fleuve Ä" in visit(browser(app), f"/fr/{SLUG}/cases/river/").text
    with app.app_context():
        [river] = [case for case in export_campaign(SLUG).cases if case.slug == "river"]
        assert river.texts["fr"].words["points"] == ["Un", "Deux"]
        assert [version.words["title"] for version in rows(TextVersion)] != ["Le fleuve Ä"]


@pytest.mark.parametrize("how", ["ended elsewhere", "left alone for long"])
def test_what_was_typed_survives_the_end_of_the_session(
    app: Flask, editor: FlaskClient, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Half an hour of typing counts as idle. The page keeps all of it, and a later login sends it."""
    long = "Für die Rechte der Menschen am Fluss. " * 1100  # more than a visitor may send
    title = '<b>"Le fleuve"</b>\r\n& Ä'
    typed = {**fields(editor, RIVER), "title": title, "summary": long}
    if how == "ended elsewhere":
        with app.app_context():
            accounts.end_sessions("edda")
    else:
        monkeypatch.setattr(sessions, "IDLE_SECONDS", -1)
    answer = editor.post(RIVER, data=typed, content_type="multipart/form-data")
    kept = page_of(answer, 403).form(RIVER + "?")
    assert {"title": [title], "summary": [long]}.items() <= kept.fields().items()
    assert typed["csrf_token"] not in answer.text
    monkeypatch.undo()
    again = logged_in(app, "erik", Role.EDITOR)
    once_more = page_of(again.post(RIVER, data=kept.fields(), content_type="multipart/form-data"), 403).form(
        RIVER + "?"
    )
    shown = page_of(again.post(RIVER, data=once_more.fields(), content_type="multipart/form-data"), 422)
    assert shown.form(RIVER).fields()["title"][0].replace("\r", "") == title.replace("\r", "")


def test_a_stranger_may_not_send_long_texts_nor_read_any(app: Flask, editor: FlaskClient) -> None:
    long = {**fields(editor, RIVER), "summary": "x" * 50_000}
    stranger = browser(app)
    stranger.set_cookie("petitions", "made up")
    assert stranger.post(RIVER, data=long, content_type="multipart/form-data").status_code == 413


def test_no_password_is_kept(app: Flask, campaign: PublicCampaign) -> None:
    typed = {"name": "newcomer", "role": "editor", "password": "the old one 7", "csrf_token": "x"}
    answer = browser(app).post("/admin/staff/invite", data=typed)
    assert page_of(answer, 403).form("/admin/staff/invite?").fields().keys() == {"csrf_token", "name", "role"}
    assert "the old one 7" not in answer.text


def test_a_form_that_is_saved_unchanged_changes_no_word(app: Flask, editor: FlaskClient) -> None:
    with app.app_context():
        before = export_campaign(SLUG)
        number = len(rows(LetterVersion))
    for path in (RIVER, WORDS):
        assert save(editor, path).status_code == 303
    with app.app_context():
        assert export_campaign(SLUG) == before
        assert len(rows(LetterVersion)) == number


def test_a_translation_whose_source_changed_is_to_be_checked_until_it_is_saved(app: Flask, editor: FlaskClient) -> None:
    def states() -> list[str]:
        row = next(
            row for row in visit(editor, TEXTS).all("tr") if "/cases/river" in str([a["href"] for a in row.all("a")])
        )
        return [link.text for link in row.all("a")]

    source = f"{TEXTS}/{states_first(editor)}/cases/river"
    assert set(states()) == {"ready"}
    save(editor, source, summary="Something else")
    assert states()[0] == "ready"
    assert "to be checked" in states()[1:]
    for link in visit(editor, TEXTS).all("a"):
        if link["href"].endswith("/cases/river"):
            save(editor, link["href"])
    assert set(states()) == {"ready"}


def states_first(editor: FlaskClient) -> str:
    """The source language."""
    return str(visit(editor, TEXTS).one("thead").all("th")[1]["lang"])


def test_two_volunteers_on_one_text_see_both_versions(app: Flask, editor: FlaskClient) -> None:
    form = fields(editor, RIVER)
    save(logged_in(app, "olga"), RIVER, summary="Hers")
    answer = editor.post(RIVER, data={**form, "summary": "His"}, content_type="multipart/form-data")
    page = page_of(answer, 409)
    assert page.one(id="text-summary")["value"] == "His", "nothing typed is lost"
    assert "Hers" in page.one("div", class_="theirs").text
    again = {**sent(page.form(RIVER)), "summary": "Both"}
    assert editor.post(RIVER, data=again, content_type="multipart/form-data").status_code == 303
    assert "Both" in visit(browser(app), f"/fr/{SLUG}/cases/river/").text


def test_a_change_is_undone_with_the_version_before_it(app: Flask, editor: FlaskClient) -> None:
    was = fields(editor, RIVER)["summary"]
    save(editor, RIVER, summary="A mistake")
    link = next(a for a in visit(editor, RIVER).all("a") if "version=" in a["href"])
    form = fields(editor, link["href"])
    assert form["summary"] == was
    editor.post(RIVER, data=form, content_type="multipart/form-data")
    assert fields(editor, RIVER)["summary"] == was
    assert fields(editor, f"{RIVER}?version=99999")["summary"] == was, "an unknown version is none"


@pytest.mark.parametrize(
    ("path", "field", "typed", "said"),
    [
        (RIVER, "title", "", "Fill in this field."),
        (RIVER, "title", "x" * 123, "Shorten this by 3 characters."),
        (RIVER, "points", "1\n2\n3\n4", "At most 3 entries fit."),
        (RIVER, "summary", "one\x07two", "characters that are not allowed"),
        (RIVER, "story", "  ", "Fill in this field."),
        (WORDS, "donation_url", "javascript:alert(1)", "begin with https"),
        (WORDS, "steps", "no bar", "separated by a vertical bar"),
        (WORDS, "steps", "a | b | c", "separated by a vertical bar"),
    ],
)
def test_a_fault_is_said_beside_its_field_and_nothing_is_lost(
    editor: FlaskClient, path: str, field: str, typed: str, said: str
) -> None:
    page = page_of(save(editor, path, **{field: typed, "share": "Kept"}), 422)
    assert said in page.one(id=f"text-{field}-error").text
    assert sent(page.form(path))["share"] == "Kept"
    assert fields(editor, path)["share"] != "Kept"


def test_html_in_every_field_is_text(app: Flask, editor: FlaskClient) -> None:
    evil = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    form = fields(editor, RIVER)
    typed = {key: evil for key in form if key not in ("csrf_token", "revision", "act", "state")}
    assert save(editor, RIVER, **typed).status_code == 303
    preview = page_of(save(editor, RIVER, act="preview"))
    for html in (preview.html, visit(browser(app), f"/fr/{SLUG}/cases/river/").html):
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_a_preview_stores_nothing_and_shows_markdown(editor: FlaskClient) -> None:
    page = page_of(save(editor, RIVER, act="preview", story="A **bold** word", title=""))
    assert page.one(id="preview").one("strong").text == "bold"
    assert "**bold**" not in fields(editor, RIVER)["story"]


def test_a_draft_is_not_shown(app: Flask, editor: FlaskClient) -> None:
    save(editor, RIVER, state="draft", title="Not yet")
    assert "Not yet" not in visit(browser(app), f"/fr/{SLUG}/cases/river/", status=200).text
    assert fields(editor, RIVER)["title"] == "Not yet"


def test_a_text_as_long_as_it_may_be_is_taken_and_a_longer_body_is_not(editor: FlaskClient) -> None:
    assert save(editor, RIVER, story="م" * 20_000, letter="م" * 4_000).status_code == 303
    assert save(editor, RIVER, story="م" * 210_000).status_code == 413
    guest = {"title": "x" * 300_000}
    assert editor.application.test_client().post(RIVER, data=guest).status_code in (303, 403, 413)


@pytest.mark.parametrize("path", ["xx/cases/river", "fr/cases/nope", "fr/nope", "fr/cases/river/..", "fr/stories/"])
def test_what_is_no_text_is_not_found(editor: FlaskClient, path: str) -> None:
    assert editor.get(f"{TEXTS}/{path}").status_code == 404
    form = fields(editor, RIVER)
    assert editor.post(f"{TEXTS}/{path}", data=form).status_code == 404


def test_before_the_first_campaign_there_is_no_text(app: Flask) -> None:
    editor = logged_in(app, "edda", Role.EDITOR)
    assert "There is no campaign yet." in visit(editor, TEXTS).text
    assert editor.get(RIVER).status_code == 404
