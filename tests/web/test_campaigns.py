"""A volunteer's campaign without a command line: from scratch, from last year's, from a folder; settings and cases."""

import io
import zipfile
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions import clock
from petitions.domain.roles import Role
from petitions.domain.states import CaseState
from petitions.models import Campaign
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign
from petitions.services.campaigns import states
from petitions.services.campaigns.folders import export_campaign
from tests.support.factories import rows
from tests.web.browsing import browser, logged_in, page_of, sign_one, visit

CAMPAIGNS, SETTINGS, CASES = "/admin/campaigns", "/admin/campaign", "/admin/cases"
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script/></svg>'
RIVER, TEXTS = f"{CASES}/river/facts", "/admin/texts"


@pytest.fixture
def editor(app: Flask, campaign: PublicCampaign) -> FlaskClient:
    return logged_in(app, "edda", Role.EDITOR)


def form_of(client: FlaskClient, path: str, action: str = "") -> dict[str, Any]:
    """The fields of the form on this page, each once."""
    return {name: values[0] for name, values in visit(client, path).form(action or path).fields().items() if values}


def save(client: FlaskClient, path: str, **typed: Any) -> TestResponse:
    """Send the form of this page with other words in it."""
    return client.post(path, data={**form_of(client, path), **typed}, content_type="multipart/form-data")


def upload(client: FlaskClient, content: bytes, **typed: str) -> TestResponse:
    fields = form_of(client, CAMPAIGNS, f"{CAMPAIGNS}/upload") | {"file": (io.BytesIO(content), "folder.zip"), **typed}
    return client.post(f"{CAMPAIGNS}/upload", data=fields, content_type="multipart/form-data")


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_from_nothing_to_an_open_campaign_with_one_case_in_two_languages(app: Flask, editor: FlaskClient) -> None:
    made = {"title": "Lettres 2027", "slug": "lettres-2027", "languages": "fr, en"}
    assert save(editor, CAMPAIGNS, **made).location == SETTINGS
    assert "Lettres 2027" in visit(editor, SETTINGS).one("h1").text, "the new campaign is chosen"
    case = {"title": "Ana Sol", "slug": "ana-sol", "country": "AR", "topic": "rights", "goal": "500"}
    assert save(editor, f"{CASES}/new", **case).status_code == 303
    editor.post(CASES, data=form_of(editor, CASES) | {"case": "ana-sol", "state": "open"})
    assert "is still a draft" in page_of(save(editor, SETTINGS, state="open"), 422).text
    words = {"tagline": "a", "description": "b", "closed_text": "c", "intro": "d", "state": "ready", "act": "save"}
    save(editor, f"{TEXTS}/fr/texts", **words)
    told = dict.fromkeys(("summary", "demand", "addressee", "image_alt", "letter", "story"), "Libérez Ana Sol")
    save(editor, f"{TEXTS}/fr/cases/ana-sol", **told, state="ready", act="save")
    save(editor, f"{TEXTS}/en/cases/ana-sol", title="Ana Sol", **told | {"story": "Free"}, state="ready", act="save")
    assert browser(app).get("/fr/lettres-2027/").status_code == 404
    assert save(editor, SETTINGS, state="open", closes_at="2099-01-31T23:59").status_code == 303
    assert "Libérez Ana Sol" in visit(browser(app), "/fr/lettres-2027/cases/ana-sol/").text
    assert "Free" in visit(browser(app), "/en/lettres-2027/cases/ana-sol/").text


def test_last_years_campaign_is_copied_as_a_draft(app: Flask, editor: FlaskClient) -> None:
    copy = f"{CAMPAIGNS}/water-2026/copy"
    assert editor.post(copy, data=form_of(editor, CAMPAIGNS, copy) | {"slug": "water-2027"}).status_code == 303
    with app.app_context():
        old, new = export_campaign("water-2026"), export_campaign("water-2027")
    assert [case.texts for case in new.cases] == [case.texts for case in old.cases]
    assert {new.state, *(case.state for case in new.cases)} == {"draft"}
    assert new.opens_at is new.closes_at is None
    answer = page_of(editor.post(copy, data=form_of(editor, CAMPAIGNS, copy) | {"slug": "water-2027"}), 422)
    assert "There is a campaign with this address already." in answer.text
    assert (
        "small letters" in page_of(editor.post(copy, data=form_of(editor, CAMPAIGNS, copy) | {"slug": "Ä B"}), 422).text
    )


def test_settings_that_are_saved_unchanged_change_nothing(app: Flask, editor: FlaskClient) -> None:
    with app.app_context():
        before = export_campaign("water-2026")
    assert save(editor, SETTINGS).status_code == 303
    assert save(editor, RIVER).status_code == 303
    with app.app_context():
        assert export_campaign("water-2026") == before


@pytest.mark.parametrize(
    ("path", "field", "typed", "said"),
    [
        (SETTINGS, "closes_at", "yesterday", "This is not a time."),
        (SETTINGS, "closes_at", "1999-01-01T00:00", "must close after it opens"),
        (SETTINGS, "goal", "-1", "from 0 to 100000000"),
        (SETTINGS, "minimum_age", "٣", "from 0 to 21"),
        (SETTINGS, "state", "gone", "Choose one of the entries."),
        (SETTINGS, "timezone", "Mars/Base", "Enter a time zone"),
        (SETTINGS, "languages", "fr, fr", "Enter codes"),
        (SETTINGS, "languages", "de, fr", "comes first, so it needs all texts"),
        (SETTINGS, "iban", "LU00 1111", "typing mistake"),
        (SETTINGS, "topics", "no bar", "separated by a vertical bar"),
        (SETTINGS, "topics", "other | Autre", "topic"),
        (SETTINGS, "embed_sites", "javascript:alert(1)", "one site on each line"),
        (SETTINGS, "controller", " ", "Fill in this field."),
        (RIVER, "country", "XX1", "Choose one of the entries."),
        (RIVER, "address", "x" * 41, "window of an envelope"),
        (RIVER, "position", "0", "from 1 to 200"),
        (RIVER, "letters_email", "nobody", "is not an e-mail address"),
        (RIVER, "emblem", (io.BytesIO(b"MZ\x90\x00 program"), "a.svg"), "not well-formed"),
        (
            RIVER,
            "emblem",
            (io.BytesIO(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script/></svg>'), "a.svg"),
            "script",
        ),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_lost(
    app: Flask, editor: FlaskClient, path: str, field: str, typed: Any, said: str
) -> None:
    with app.app_context():
        before = export_campaign("water-2026")
    if path == SETTINGS:
        save(editor, SETTINGS, opens_at="2020-01-01T00:00")
    page = page_of(save(editor, path, **{field: typed, "goal": typed if field == "goal" else "4321"}), 422)
    assert said in page.text, [e.text for e in page.all(class_="error")]
    if field != "goal":
        assert page.form(path).fields()["goal"] == ["4321"], "nothing typed is lost"
    with app.app_context():
        assert export_campaign("water-2026").cases == before.cases


def test_cases_get_another_order_and_go_only_while_nobody_signed(app: Flask, editor: FlaskClient) -> None:
    with app.app_context():
        first, *others = [case.slug for case in export_campaign("water-2026").cases]
    assert save(editor, f"{CASES}/{first}/facts", position="99").status_code == 303
    with app.app_context():
        assert [case.slug for case in export_campaign("water-2026").cases] == [*others, first]
    assert save(editor, f"{CASES}/new", title="Late", slug="late").status_code == 303
    assert save(editor, f"{CASES}/late/facts", act="remove").status_code == 303
    sign_one(browser(app))
    assert "has signatures" in page_of(save(editor, RIVER, act="remove"), 422).text
    assert "is there already" in page_of(save(editor, f"{CASES}/new", title="Late", slug="river"), 422).text


def test_two_volunteers_on_one_form_do_not_overwrite_each_other(app: Flask, editor: FlaskClient) -> None:
    form = form_of(editor, SETTINGS)
    save(logged_in(app, "olga"), SETTINGS, goal="777")
    answer = editor.post(SETTINGS, data={**form, "goal": "888"})
    assert answer.status_code == 409
    with app.app_context():
        assert rows(Campaign)[0].goal == 777


def test_a_folder_that_is_uploaded_again_brings_back_nothing_that_was_hidden(app: Flask, editor: FlaskClient) -> None:
    packed = editor.get(f"{CAMPAIGNS}/water-2026.zip").data
    with app.app_context():
        before = export_campaign("water-2026")
    assert upload(editor, packed).status_code == 422, "it exists, and replacing was not ticked"
    assert upload(editor, packed, replaces="y").status_code == 303
    with app.app_context():
        assert export_campaign("water-2026") == before
        states.set_case_state("water-2026", "river", CaseState.HIDDEN, "test", CATALOGUE_CACHE.of())
    assert upload(editor, packed, replaces="y").status_code == 303
    assert browser(app).get("/fr/water-2026/cases/river/").status_code == 404


def test_bad_files_are_refused_in_words(app: Flask, editor: FlaskClient) -> None:
    packed = editor.get(f"{CAMPAIGNS}/water-2026.zip").data
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        good = {name.partition("/")[2]: archive.read(name) for name in names}
    bombs = {f"cases/c{number}/en.md": b"0" * 190_000 for number in range(120)}
    begun = clock.now()
    for content, said in (
        (b"MZ\x90\x00 a program", "not a zip file"),
        (packed[:-30], "not a zip file"),
        (packed[:200] + b"\xff" * 40 + packed[240:], "not a zip file"),
        (zipped({"a.txt": b""}), "campaign.toml: is missing"),
        (zipped({**good, "campaign.toml": b"\xff\xfe"}), "is not UTF-8"),
        (zipped({**good, "texts/fr.md": b"0" * 300_000}), "is larger than"),
        (zipped({**good, **bombs}), "bytes together"),
    ):
        page = page_of(upload(editor, content, replaces="y"), 422)
        assert said in page.text, said
    assert (clock.now() - begun).seconds < 10
    kind = "multipart/form-data; boundary=x"
    assert editor.post(f"{CAMPAIGNS}/upload", data=b"0" * 2_100_000, content_type=kind).status_code == 413
    outside = {
        "../texts/evil.md": b"x",
        "/texts/evil.md": b"x",
        "cases/../../evil.md": b"x",
        "x/../texts/evil.md": b"x",
    }
    assert upload(editor, zipped({**good, **outside}), replaces="y").status_code == 303
    with app.app_context():
        assert sorted(export_campaign("water-2026").texts) == sorted(n[6:-3] for n in good if n.startswith("texts/"))


def test_another_campaign_is_chosen_for_this_browser_only(app: Flask, editor: FlaskClient) -> None:
    save(editor, CAMPAIGNS, title="Other", slug="other", languages="en")
    assert "Other" in visit(editor, SETTINGS).one("h1").text
    olga = logged_in(app, "olga")
    assert "Other" not in visit(olga, SETTINGS).one("h1").text
    choose = {"csrf_token": form_of(editor, SETTINGS)["csrf_token"], "campaign": "water-2026"}
    assert editor.post(f"{CAMPAIGNS}/choose", data=choose).status_code == 303
    assert "Other" not in visit(editor, SETTINGS).one("h1").text
    assert editor.post(f"{CAMPAIGNS}/choose", data={**choose, "campaign": "none"}).status_code == 404
