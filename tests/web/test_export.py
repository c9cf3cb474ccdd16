"""Export and key pages: an encrypted download after the password, and pages that decrypt it in the browser."""

import base64
import hashlib
import json
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from petitions.clock import now, stopped_at
from petitions.domain import sealing
from petitions.domain.roles import Role
from petitions.errors import AccountUnsettled, OtherOwnerNeeded
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.recipient_keys import check_of
from petitions.services import journal
from petitions.services.staff import accounts, invitations, people, second_person
from petitions.settings import ROOT
from tests.support.factories import ANN, CARLA, Keys, confirm, write_campaign
from tests.web.browsing import browser, logged_in, page_of, visit

ALONE = "/admin/open/download"


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla's browser, signed in."""
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(app)
    assert client.post("/admin/login", data={"name": CARLA.name, "password": CARLA.password}).status_code == 303
    return client


def export_form(client: FlaskClient, **over: str) -> dict[str, object]:
    """The form as the page gives it, with Carla's password."""
    form = visit(client, "/admin/export").form("/admin/export")
    return {**form.fields(), "campaign": "water-2026", "password": CARLA.password, **over}


def test_the_sealed_rows_come_after_the_password(app: Flask, carla: FlaskClient, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN)
    response = carla.post("/admin/export", data=export_form(carla))
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == f"attachment; filename=water-2026-{now():%Y-%m-%d}.jsonl"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in response.headers, "it is a stream"
    line, totals = response.text.splitlines()
    assert json.loads(totals)["totals"]["lake"] == {"confirmed": 1, "named": 1}
    assert [signature["case"] for signature in json.loads(line)["signatures"]] == ["river", "forest", "lake"]
    assert "Connor" not in response.text


@pytest.mark.usefixtures("campaign")
def test_without_the_right_password_nothing_leaves(carla: FlaskClient) -> None:
    for wrong in ("", "guess", CARLA.password.upper()):
        page_of(carla.post("/admin/export", data=export_form(carla, password=wrong)), 422).one(role="alert")
    last = [carla.post("/admin/export", data=export_form(carla, password="guess")).status_code for _ in range(8)]
    assert last[-1] == 429


@pytest.mark.usefixtures("campaign")
def test_an_outsider_gets_nothing(app: Flask, carla: FlaskClient) -> None:
    eve = browser(app)
    for path in ("/admin/export", "/admin/open", ALONE, "/admin/keys"):
        assert eve.get(path).location == "/admin/login", path
    for path in ("/admin/export", "/admin/keys"):
        assert eve.post(path, data={"password": CARLA.password}).location == "/admin/login", path
        assert carla.post(path, data={"password": CARLA.password}).status_code == 400, "no token, no export"
        answer = carla.post(path, headers={"Sec-Fetch-Site": "cross-site"}, data=export_form(carla))
        assert answer.status_code == 403
    assert carla.post("/admin/export", data=export_form(carla, campaign="../etc/passwd")).status_code == 404


def test_an_export_is_recorded_without_names(
    app: Flask, carla: FlaskClient, campaign: PublicCampaign, caplog: pytest.LogCaptureFixture
) -> None:
    with app.app_context():
        confirm(campaign, ANN)
    with caplog.at_level(logging.INFO):
        carla.post("/admin/export", data=export_form(carla)).get_data()
    assert "export ended campaign=water-2026 by=account 1 signers=1 signatures=3" in caplog.text
    for word in ("Ann", "Connor", "ann@", CARLA.name, CARLA.password):
        assert word not in caplog.text


@pytest.mark.usefixtures("campaign")
def test_names_leave_only_if_two_owners_agree_where_there_are_two(app: Flask, carla: FlaskClient) -> None:
    """One owner asks, another one agrees with the password; one's own consent, an editor's and an old one are none."""
    carla.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    oona, edda = logged_in(app, "oona"), logged_in(app, "edda", Role.EDITOR)
    download = {**visit(carla, "/admin/export").form("/export/ask").fields(), "password": CARLA.password}
    assert "Another owner has to agree first." in page_of(carla.post("/admin/export", data=download), 422).text
    for _ in range(2):
        assert carla.post("/admin/export/ask", data=download).status_code == 303
    waiting = visit(carla, "/admin/export")
    assert waiting.text.count("You asked for this export.") == 1
    assert not [form for form in waiting.all("form") if form["action"].endswith(("/agree", "/export"))]
    with app.app_context():
        [asked] = second_person.requests()
    own = {**download, "number": asked.number}
    assert carla.post("/admin/export/agree", data=own).status_code == 422, "one's own consent"
    token = visit(edda, "/admin/account").form("/admin/account").fields()["csrf_token"]
    assert edda.post("/admin/export/agree", data={**own, "csrf_token": token}).status_code == 403

    assert "An owner asks you to agree to an export." in visit(oona, "/admin/").text
    assert "asks you" not in visit(carla, "/admin/").text
    page = visit(oona, "/admin/export")
    assert f"{CARLA.name} asks for this export." in page.text
    agree = page.form("/export/agree").fields()
    page_of(oona.post("/admin/export/agree", data={**agree, "password": "guess"}), 422).one(role="alert")
    for number in ("", "x", "0", "99"):
        gone = oona.post("/admin/export/agree", data={**agree, "number": number, "password": CARLA.password})
        assert gone.status_code == 404
    assert carla.post("/admin/export", data=download).status_code == 422, "not yet"
    assert oona.post("/admin/export/agree", data={**agree, "password": CARLA.password}).status_code == 303
    theirs = {**visit(oona, "/admin/export").form("/export/ask").fields(), "password": CARLA.password}
    assert oona.post("/admin/export", data=theirs).status_code == 422, "the consent is for Carla's export"
    form = visit(carla, "/admin/export").form("/admin/export")
    assert carla.post("/admin/export", data={**form.fields(), "password": CARLA.password}).status_code == 200
    with app.app_context():
        acts = [
            (row.act, row.name, row.number) for row in journal.newest(acts=("export asked for", "export agreed to"))
        ]
    assert acts == [("export agreed to", "oona", asked.number), ("export asked for", CARLA.name, None)]


@pytest.mark.usefixtures("campaign")
def test_a_consent_ends_after_a_day_and_one_owner_alone_needs_none(app: Flask, carla: FlaskClient) -> None:
    logged_in(app, "oona")
    with app.app_context():
        second_person.ask("water-2026", "account 1")
        second_person.agree(second_person.requests()[0].number, "account 2")
        second_person.check_export("water-2026", "account 1")
        with pytest.raises(OtherOwnerNeeded):
            second_person.check_export("water-2025", "account 1")
        with stopped_at(now() + timedelta(hours=24, seconds=1)), pytest.raises(OtherOwnerNeeded):
            second_person.check_export("water-2026", "account 1")
        accounts.set_enabled("oona", False)
        with stopped_at(now() + timedelta(days=6)), pytest.raises(OtherOwnerNeeded):
            second_person.check_export("water-2026", "account 1")
        with stopped_at(now() + timedelta(days=7, minutes=1)):
            second_person.check_export("water-2026", "account 1")


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("trick", ["new account", "new link", "new role", "demoted"])
def test_an_owner_gains_nothing_at_once_by_changing_accounts(app: Flask, carla: FlaskClient, trick: str) -> None:
    """One who makes, takes over or demotes another owner can do alone what needs two; not within a week."""
    by = "account 1"
    with app.app_context():
        if trick == "new account":
            invitations.accept(invitations.invite("puppet", Role.OWNER, None, by), "a long pass phrase 9")
        else:
            accounts.create_account("oona", CARLA.password, role=Role.VIEWER if trick == "new role" else Role.OWNER)
        if trick == "new link":
            invitations.accept(invitations.renew("oona", by), "a long pass phrase 9")
        if trick == "new role":
            people.set_role("oona", Role.OWNER, None, by)
        if trick == "demoted":
            people.set_role("oona", Role.EDITOR, None, by)
            with pytest.raises(OtherOwnerNeeded):
                second_person.check_export("water-2026", by)
            return
        second_person.ask("water-2026", by)
        number = second_person.requests()[0].number
        with pytest.raises(AccountUnsettled):
            second_person.agree(number, "account 2")
        with pytest.raises(OtherOwnerNeeded):
            second_person.check_export("water-2026", by)
        with stopped_at(now() + timedelta(days=7, minutes=1)):
            second_person.ask("water-2026", by)
            second_person.agree(second_person.requests()[0].number, "account 2")
            second_person.check_export("water-2026", by)


@pytest.mark.usefixtures("campaign")
def test_the_page_that_opens_asks_this_server_for_scripts_and_nothing_else(carla: FlaskClient) -> None:
    page = visit(carla, "/admin/open")
    assert [script["src"].rpartition("/")[2] for script in page.all("script")][-2:] == ["age-0.3.1.min.js", "open.js"]
    assert not [form for form in page.all("form") if not form["action"].endswith("/logout")]
    assert all("name" not in field.attrs for field in page.one(id="opener").all("input", "select")), "nothing to send"
    for script in page.all("script"):
        assert carla.get(script["src"]).status_code == 200


@pytest.mark.usefixtures("campaign")
def test_the_saved_page_is_whole_and_may_run_only_its_own_script(carla: FlaskClient) -> None:
    response = carla.get(ALONE)
    assert response.headers["Content-Disposition"] == "attachment; filename=open-signatures.html"
    script = re.search(r"<script>(.*?)</script>", response.text, re.DOTALL)[1]  # type: ignore[index]
    style = re.search(r"<style>(.*?)</style>", response.text, re.DOTALL)[1]  # type: ignore[index]
    assert response.text.count("<script") == response.text.count("<style") == 1
    assert "url(" not in style
    assert " src=" not in response.text
    assert "<link" not in response.text
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    expected = (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; base-uri 'none'; "
        "form-action 'none'"
    )
    assert response.headers.getlist("Content-Security-Policy") == [f"{expected}; frame-ancestors 'none'"]
    assert f'<meta http-equiv="Content-Security-Policy" content="{expected}">' in response.text, "a file has no headers"


def test_what_others_wrote_is_what_the_readme_says() -> None:
    folder = ROOT / "static/vendor"
    for name in ("age-0.3.1.min.js", "htmx-4.0.1.min.js"):
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() in (folder / "README.md").read_text()
        assert (folder / name.replace("min.js", "LICENSE.txt")).is_file()
    library = (folder / "age-0.3.1.min.js").read_text()
    for forbidden in ("eval(", "new Function", "WebAssembly", "new Worker", "createObjectURL", "fetch(", "</script"):
        assert forbidden not in library


@pytest.mark.usefixtures("unproven")
def test_a_key_is_proven_by_the_words_in_its_test_message(
    app: Flask, carla: FlaskClient, keys: Keys, tmp_path: Path
) -> None:
    folder = write_campaign(tmp_path / "new", slug="new", state='"draft"')
    assert app.test_cli_runner().invoke(args=["campaign", "import", str(folder)]).exit_code == 0
    page = visit(carla, "/admin/keys")
    [key_test] = page.all("pre")
    raw = "".join(str(child) for child in key_test.children)
    words = sealing.unseal(raw.encode(), [keys.section_private])["words"]
    assert words not in page.html
    fields = page.form("/admin/keys").fields()
    page_of(carla.post("/admin/keys", data={**fields, "words": words}), 422).one(id="keys-password-error")
    fields["password"] = CARLA.password
    page_of(carla.post("/admin/keys", data={**fields, "words": "wrong"}), 422).one(role="alert")
    assert carla.post("/admin/keys", data={**fields, "words": words}).status_code == 303
    assert not visit(carla, "/admin/keys").all("pre")
    with app.app_context():
        assert check_of("new").checked_at is not None


def test_before_the_first_campaign_the_keys_are_shown_too(carla: FlaskClient, keys: Keys) -> None:
    assert keys.section_public in visit(carla, "/admin/keys").text
