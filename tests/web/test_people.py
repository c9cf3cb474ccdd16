"""Every page of the desk with every role; the second factor and invitations as pages."""

import re

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from petitions import clock
from petitions.domain.roles import Right, Role, may
from petitions.queries.catalogue import PublicCampaign
from petitions.services.staff import accounts, people
from petitions.settings import ROOT
from petitions.web.admin import PAGES, RIGHTS
from tests.support.factories import CARLA
from tests.web.browsing import STAFF_PATHS, browser, logged_in, page_of, visit
from tests.web.conftest import MakeDemo

SITE = "https://petitions.example.org"
HTTPS = {"base_url": SITE}
Desk = dict[Role, FlaskClient]
FACTOR, STAFF = "/admin/account/second-factor", "/admin/staff"


@pytest.fixture
def desk(app: Flask) -> Desk:
    """A browser for each role."""
    return {role: logged_in(app, role, role) for role in Role}


@pytest.mark.usefixtures("campaign")
def test_every_role_at_every_page_gets_what_the_table_says(app: Flask, desk: Desk) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if RIGHTS.get(rule.endpoint)]
    assert len(rules) > 30
    for role, client in desk.items():
        token = visit(client, "/admin/account").form("/admin/account").fields()["csrf_token"][0]
        for rule in rules:
            right = RIGHTS[rule.endpoint]
            assert right
            path = rule.rule.replace("<campaign>", "water-2026").replace("<token>", "x")
            if "GET" in (rule.methods or set()):
                allowed = client.get(path).status_code
            elif rule.endpoint in ("admin.log_out", "admin.end_sessions"):
                continue  # the session would be over
            else:
                allowed = client.post(path, data={"csrf_token": token}).status_code
            assert (allowed != 403) is may(role, right), (role, rule.rule, allowed)


def test_the_menu_shows_only_what_may_be_opened(desk: Desk, campaign: PublicCampaign) -> None:
    for role, client in desk.items():
        shown = set()
        for path in STAFF_PATHS:
            answer = client.get(path)
            if answer.status_code == 403:
                assert "Ask an owner" in answer.text
                continue
            shown |= {link["href"] for link in page_of(answer).one("nav", class_="staff-menu").all("a")}
        assert shown
        for href in sorted(shown):
            assert client.get(href).status_code == 200, (role, href)


def test_the_document_shows_the_rights_of_every_page() -> None:
    shown = (ROOT / "docs" / "roles.md").read_text()
    for right, method, path, _ in PAGES:
        if right:
            marks = " | ".join("yes" if may(role, right) else "" for role in Role)
            assert f"| `{method} /admin{path}` | {marks} |" in shown, (method, path)


def test_a_right_that_is_lost_in_mid_session_holds_at_once(app: Flask, desk: Desk) -> None:
    editor = desk[Role.EDITOR]
    assert editor.get("/admin/embedding").status_code == 200
    with app.app_context():
        people.set_role("editor", Role.VIEWER, None, "account 1")
    page = page_of(editor.get("/admin/embedding"), 403)
    assert "Your account may not do this" in page.text


def test_on_a_real_server_whoever_reaches_names_sets_up_a_second_factor_first(make_demo: MakeDemo) -> None:
    app = make_demo(base_url=SITE)
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
        accounts.create_account("dora", CARLA.password, role=Role.COUNTER)
    client = logged_in(app, CARLA.name, **HTTPS)
    for path in STAFF_PATHS:
        answer = client.get(path, **HTTPS)
        is_own = path.startswith("/admin/account")
        assert (answer.status_code, answer.location) == ((200, None) if is_own else (303, FACTOR)), path
    page = page_of(client.get(FACTOR, **HTTPS))
    assert "needs a second factor" in page.text
    form = page.form(FACTOR)
    secret = form.fields()["secret"][0]
    assert page.one("svg", class_="qr")
    shown = str(pyotp.TOTP(secret).at(clock.now()))
    referer = {"Referer": f"{SITE}{FACTOR}"}
    typed = {**form.fields(), "password": CARLA.password, "code": shown}
    for wrong, said in (
        ({"code": "000000"}, "This is not what the app shows now"),
        ({"password": "x"}, "not your password"),
    ):
        again = page_of(client.post(FACTOR, data={**typed, **wrong}, headers=referer, **HTTPS), 422)
        assert said in again.text
        assert again.form(FACTOR).fields()["secret"] == [secret], "the picture stays the same"
    codes = page_of(client.post(FACTOR, data=typed, headers=referer, **HTTPS))
    assert len(codes.one("ul", class_="codes").all("code")) == 10
    assert client.get("/admin/", **HTTPS).status_code == 200
    other = logged_in(app, CARLA.name, code=codes.one("ul", class_="codes").all("code")[0].text, **HTTPS)
    assert other.get("/admin/export", **HTTPS).status_code == 200
    assert logged_in(app, "dora", **HTTPS).get("/admin/", **HTTPS).status_code == 200


def press(client: FlaskClient, path: str, **typed: str) -> str:
    """Send a form of the staff page; gives the answer's text."""
    token = visit(client, STAFF).form("/admin/staff/invite").fields()["csrf_token"][0]
    answer = client.post(path, data={"csrf_token": token, "password": CARLA.password, **typed})
    assert answer.status_code in (200, 303, 404, 422), answer.status_code
    return answer.text


def test_an_owner_invites_and_the_link_lets_the_other_choose_a_password(app: Flask, desk: Desk) -> None:
    owner = desk[Role.OWNER]
    text = press(owner, "/admin/staff/invite", name="Ben", role="counter", ends_at="2030-01-31")
    [path] = re.findall(r"http://localhost(/admin/invitation/[\w-]+)", text)
    guest = browser(app)
    guest.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    page = visit(guest, path)
    assert "ben" in page.text
    assert page_of(guest.post(path, data={"new": "one long password", "again": "another password"}), 422)
    assert (
        "first. Choose another"
        in page_of(guest.post(path, data={"new": "passwordpassword", "again": "passwordpassword"}), 422).text
    )
    assert guest.post(path, data={"new": CARLA.password, "again": CARLA.password}).location == "/admin/login"
    assert guest.get(path).status_code == 404
    assert logged_in(app, "ben").get("/admin/").status_code == 200
    assert "until" in visit(owner, STAFF).text


def test_what_could_give_somebody_a_way_to_names_asks_for_the_password(desk: Desk) -> None:
    owner = desk[Role.OWNER]
    for typed in ({"act": "role", "role": "owner"}, {"act": "invite"}, {"act": "factor"}):
        assert "This is not your password" in press(owner, STAFF, name="viewer", **typed, password="wrong")
    assert "This is not your password" in press(
        owner, "/admin/staff/invite", name="eve", role="owner", password="wrong"
    )
    assert press(owner, STAFF, name="viewer", act="role", role="editor")
    assert desk[Role.VIEWER].get("/admin/embedding").status_code == 200


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "owner", "role": "viewer"}, "There is an account of that name already"),
        ({"name": " ", "role": "viewer"}, "An account needs a name"),
        ({"name": "ben", "role": "king"}, "There is no such page"),
        ({"name": "ben", "role": "viewer", "ends_at": "tomorrow"}, "Enter the day like"),
        ({"name": "ben", "role": "viewer", "ends_at": "9999-99-99"}, "Enter the day like"),
    ],
)
def test_nonsense_about_a_new_account_gets_a_clear_answer(desk: Desk, typed: dict[str, str], said: str) -> None:
    assert said in press(desk[Role.OWNER], "/admin/staff/invite", **typed)


def test_the_health_page_says_what_doctor_says(desk: Desk, campaign: PublicCampaign) -> None:
    text = visit(desk[Role.OWNER], "/admin/health").text
    assert "No backups are made: set PETITIONS_BACKUPS to a folder" in text
    assert "Retention: clock" in text


def test_seeded_bug_a_page_without_its_right(app: Flask, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIGHTS, "admin.export_form", Right.FIGURES)
    assert desk[Role.VIEWER].get("/admin/export").status_code == 200, "so the check reads the table"
