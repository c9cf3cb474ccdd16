"""Account pages: change the password, log out everywhere, disable and enable."""

import csv
import io

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions.models import StaffSession
from petitions.services import journal
from petitions.services.staff import accounts
from tests.support.factories import CARLA, rows
from tests.web.browsing import browser, page_of, visit

ACCOUNT, STAFF, LOGIN, BOARD = "/admin/account", "/admin/staff", "/admin/login", "/admin/"
NEW = "another long password"


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla's browser, logged in; dora has an account too."""
    with app.app_context():
        for name in (CARLA.name, "dora"):
            accounts.create_account(name, CARLA.password)
    return logged_in(app)


def logged_in(app: Flask, name: str = CARLA.name, password: str = CARLA.password, status: int = 303) -> FlaskClient:
    """A browser after a try to log in."""
    client = browser(app)
    assert client.post(LOGIN, data={"name": name, "password": password}).status_code == status
    return client


def is_in(client: FlaskClient) -> bool:
    """Whether the board opens."""
    return client.get(BOARD).status_code == 200


def change(client: FlaskClient, old: str = CARLA.password, new: str = NEW, again: str = NEW) -> TestResponse:
    """Fill in the form for another password."""
    fields = visit(client, ACCOUNT).form(ACCOUNT).fields()
    assert fields["username"] == [CARLA.name]
    return client.post(ACCOUNT, data={**fields, "password": old, "new": new, "again": again})


def act(client: FlaskClient, name: str, what: str) -> int:
    """Press a button beside an account; gives the status."""
    token = visit(client, STAFF).form("/staff/invite").fields()["csrf_token"]
    return client.post(STAFF, data={"csrf_token": token, "name": name, "act": what}).status_code


def test_another_password_keeps_this_browser_in_and_no_other(app: Flask, carla: FlaskClient) -> None:
    other = logged_in(app)
    answer = change(carla)
    assert (answer.status_code, answer.location) == (303, f"{ACCOUNT}?done=changed")
    assert visit(carla, answer.location).one(role="status")
    assert is_in(carla)
    assert not is_in(other)
    logged_in(app, status=422)
    logged_in(app, password=NEW)


def test_one_session_is_ended_and_the_others_stay(app: Flask, carla: FlaskClient) -> None:
    other, dora = logged_in(app), logged_in(app, "dora")
    page = visit(carla, ACCOUNT)
    assert len(page.one("ul", class_="sessions").all("li")) == 2, "her own, and no one else's"
    end = page.one("ul", class_="sessions").one("form").fields()
    token = visit(dora, ACCOUNT).form(ACCOUNT).fields()["csrf_token"]
    foreign = {**end, "csrf_token": token}
    assert dora.post(f"{ACCOUNT}/sessions", data=foreign).status_code == 404, "only the own sessions"
    assert is_in(other)
    assert carla.post(f"{ACCOUNT}/sessions", data=end).status_code == 303
    assert [is_in(client) for client in (carla, other, dora)] == [True, False, True]
    assert carla.post(f"{ACCOUNT}/sessions", data=end).status_code == 404, "it is over"


def test_the_journal_is_shown_by_act_and_actor_and_leaves_as_a_table(app: Flask, carla: FlaskClient) -> None:
    with app.app_context():
        journal.note("account 2", "hold ended", "=1+1")
    form = visit(carla, "/admin/journal").one("form", method="get")
    names = [option.text for option in form.one("select", name="actor").all("option")]
    assert {CARLA.name, "dora"} <= set(names), names
    shown = visit(carla, "/admin/journal?actor=account+2&act=").one("tbody").all("tr")
    assert len(shown) == 1
    assert shown[0].text.endswith("=1+1")
    assert len(visit(carla, "/admin/journal?act=account+created&actor=").one("tbody").all("tr")) == 2
    for nothing in ("?act=account+created&actor=account+2", "?act=x", "?actor=%00x", "?actor='--"):
        assert not visit(carla, f"/admin/journal{nothing}").one("tbody").all("tr")
    answer = carla.get("/admin/journal.csv")
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [int(row["id"]) for row in table] == list(range(1, len(table) + 1))
    assert [row["subject"] for row in table if row["act"] == "hold ended"] == ["'=1+1"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_password_is_changed_only_with_the_old_one(app: Flask, carla: FlaskClient) -> None:
    wrong = [("guess", NEW, NEW), ("", NEW, NEW), (CARLA.password, NEW, NEW + "x"), (CARLA.password, "short", "short")]
    for old, new, again in wrong:
        page = page_of(change(carla, old, new, again), 422)
        assert page.one("p", class_="error").text
        assert not any(word in page.html for word in (CARLA.password, NEW))
    logged_in(app)
    guesses = [change(carla, f"guess {n}").status_code for n in range(11)]
    assert guesses[-1] == 429


def test_logging_out_clears_what_the_browser_kept(carla: FlaskClient) -> None:
    token = visit(carla, BOARD).form("/admin/logout").fields()["csrf_token"]
    answer = carla.post("/admin/logout", data={"csrf_token": token})
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def test_logging_out_everywhere_ends_every_session_of_the_account(app: Flask, carla: FlaskClient) -> None:
    other, dora = logged_in(app), logged_in(app, "dora")
    fields = visit(carla, ACCOUNT).all("form", action=f"{ACCOUNT}/sessions")[-1].fields()
    answer = carla.post(f"{ACCOUNT}/sessions", data=fields)
    assert (answer.status_code, answer.location) == (303, LOGIN)
    assert "Clear-Site-Data" in answer.headers
    assert [is_in(client) for client in (carla, other, dora)] == [False, False, True]


def test_a_volunteer_who_left_is_shut_out_at_once(app: Flask, carla: FlaskClient) -> None:
    dora = logged_in(app, "dora")
    assert act(carla, "dora", "disable") == 303
    assert not is_in(dora)
    logged_in(app, "dora", status=422)
    assert "dora" in visit(carla, STAFF).html
    assert act(carla, "dora", "enable") == 303
    dora = logged_in(app, "dora")
    assert act(carla, "dora", "end") == 303
    assert not is_in(dora)


def test_nobody_shuts_themselves_out_and_nonsense_is_refused(app: Flask, carla: FlaskClient) -> None:
    with app.app_context():
        before = rows(StaffSession)
    for name, what in ((CARLA.name, "disable"), (CARLA.name, "end"), ("eve", "disable"), ("dora", "delete"), ("", "")):
        assert act(carla, name, what) == 404
    with app.app_context():
        assert rows(StaffSession) == before


def test_a_new_login_in_the_same_browser_ends_the_old_session(app: Flask, carla: FlaskClient) -> None:
    stolen = carla.get_cookie("petitions").value  # type: ignore[union-attr]
    assert carla.post(LOGIN, data={"name": CARLA.name, "password": CARLA.password}).status_code == 303
    eve = browser(app)
    eve.set_cookie("petitions", stolen)
    assert not is_in(eve)
    assert is_in(carla)


def test_a_query_of_bytes_that_are_no_text_is_refused_in_words(carla: FlaskClient) -> None:
    for path in (ACCOUNT, "/admin/mails", "/fr/nowhere/"):
        page_of(carla.get(path, environ_overrides={"QUERY_STRING": "done=\xff"}), 400)
