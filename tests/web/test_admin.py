"""The staff pages: who can log in, for how long, and whether the numbers are right."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import TestResponse

from petitions import clock
from petitions.clock import stopped_at
from petitions.db.transactions import transaction
from petitions.domain.states import TallyKind
from petitions.models import Account, Signer, StaffSession
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits.rate_limits import LOGIN_TRIES
from petitions.services.mailing import outbox
from petitions.services.paper import tallies
from petitions.services.signing import confirming
from petitions.services.staff import accounts
from petitions.web.admin import RIGHTS
from tests.support.factories import ANN, BOB, CARLA, EVE, confirm, make_campaign, newest, rows, sign, token_of
from tests.support.factories import Staff as StaffMember
from tests.web.browsing import LANGUAGES, STAFF_PATHS, browser, headers_of, page_of, visit
from tests.web.conftest import MakeDemo
from tests.web.page import Node, Part

LOGIN, BOARD, POLL, LOGOUT = "/admin/login", "/admin/", "/admin/board", "/admin/logout"
NINE_IN_THE_MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def staffed(app: Flask) -> Flask:
    """Carla works here."""
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    return app


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla's browser, signed in and reading English."""
    client = browser(app)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert log_in(client).status_code == 303
    return client


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Fix the clock of the whole process at `moment`, for cookies' timestamps too."""
    with stopped_at(moment), pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", moment.timestamp)
        yield


def log_in(client: FlaskClient, who: StaffMember = CARLA, **over: Any) -> TestResponse:
    """Type name and password."""
    return client.post(LOGIN, data={"name": who.name, "password": who.password, **over.pop("data", {})}, **over)


def cookie(response: TestResponse) -> str:
    """The secret in the cookie that `response` sets."""
    [header] = response.headers.getlist("Set-Cookie")
    return header.partition(";")[0].partition("=")[2]


def is_in(client: FlaskClient) -> bool:
    """Whether the board opens."""
    response = client.get(BOARD)
    assert (response.status_code, response.location) in ((200, None), (303, LOGIN))
    return response.status_code == 200


# --- the door ---


def test_nothing_below_admin_opens_without_a_session(app: Flask, campaign: PublicCampaign) -> None:
    doors = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin")]
    assert {rule.endpoint for rule in doors} >= {"admin.board", "admin.board_part", "admin.login_form", "admin.log_out"}
    strangers = [browser(app), browser(app, htmx=True)]
    for forged in ("x", "petitions=x", "petitions=abc.def.ghi", f"petitions={'a' * 5000}", "petitions=\u00ff.\u00ff"):
        strangers.append(browser(app))
        strangers[-1].environ_base["HTTP_COOKIE"] = forged
    for client in strangers:
        for rule in doors:
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                if RIGHTS[rule.endpoint] is None:
                    continue
                response = client.open(rule.rule, method=method)
                if rule.rule == POLL:
                    assert "Board" not in response.text
                    assert "The river" not in response.text
                    assert 'data-hx-trigger="every' not in response.text
                else:
                    assert (response.status_code, response.location) == (303, LOGIN), (method, rule.rule)
                assert "Set-Cookie" not in response.headers
    assert client.get("/admin/nope").status_code == 404


def test_the_door_opens_to_the_right_name_and_password(app: Flask) -> None:
    client = browser(app)
    assert not is_in(client)
    assert page_of(client.get(LOGIN)).form(LOGIN).fields() == {"name": [""], "password": [""], "code": [""]}
    response = log_in(client, data={"name": "  CARLA "})
    assert (response.status_code, response.location) == (303, BOARD)
    assert is_in(client)
    assert client.get(LOGIN).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("carla", "correct horse battery stapl"),
        ("carla", "CORRECT HORSE BATTERY STAPLE"),
        ("carla", " correct horse battery staple "),
        ("carla", ""),
        ("carlo", "correct horse battery staple"),
        ("", ""),
        ("' OR 1=1 --", "x"),
        ("carla\0", "correct horse battery staple"),
        ("carla", "correct horse battery staple\0"),
        ("c" * 10_000, "x" * 10_000),
        ("<b>carla</b>", "\u202e"),
    ],
)
def test_a_wrong_pair_is_refused_and_the_password_not_repeated(app: Flask, name: str, password: str) -> None:
    response = browser(app).post(LOGIN, data={"name": name, "password": password})
    page = page_of(response, 422)
    assert "Set-Cookie" not in response.headers
    assert page.one("div", class_="problem")["role"] == "alert"
    assert page.form(LOGIN).field("name")["value"].replace("\0", "") == name.replace("\0", "")
    assert page.form(LOGIN).field("password").get("value") == ""
    with app.app_context():
        assert rows(StaffSession) == []


def test_a_form_without_its_fields_is_refused_too(app: Flask) -> None:
    for data in ({}, {"name": "carla"}, {"password": CARLA.password}):
        assert browser(app).post(LOGIN, data=data).status_code == 422


def test_nobody_learns_which_accounts_there_are(app: Flask) -> None:
    known, unknown = (log_in(browser(app), StaffMember(name, "wrong password!")) for name in ("carla", "carlo"))
    assert known.text.replace("carla", "") == unknown.text.replace("carlo", "")
    assert headers_of(known) == headers_of(unknown)


def test_guessing_ends_after_ten_tries_and_does_not_lock_the_owner_out(app: Flask) -> None:
    eve, owner = browser(app), browser(app)
    eve.environ_base["REMOTE_ADDR"] = "203.0.113.66"
    with stopped_at(NINE_IN_THE_MORNING):
        tries = [log_in(eve, data={"password": f"wrong {n}", "name": "Carla "}).status_code for n in range(10)]
        assert tries == [422] * LOGIN_TRIES.most
        late = log_in(eve)
        assert late.status_code == 429, "not even the right one, or guessing would go on"
        assert page_of(late, 429).one("div", class_="problem").text
        assert "Set-Cookie" not in late.headers
        assert log_in(owner).status_code == 303
    with stopped_at(NINE_IN_THE_MORNING + timedelta(minutes=15, seconds=1)):
        assert log_in(eve).status_code == 303


# --- the cookie ---


def test_over_http_on_this_machine_the_cookie_has_a_plain_name(app: Flask) -> None:
    [header] = log_in(browser(app)).headers.getlist("Set-Cookie")
    name, *flags = re.split(r"; ", header)
    assert name.startswith("petitions=")
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=Strict"]


def test_over_https_the_cookie_is_bound_to_this_host(make_demo: MakeDemo) -> None:
    app = make_demo(base_url="https://petitions.example.org")
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(app)
    secure = {"base_url": "https://petitions.example.org"}
    [header] = log_in(client, **secure).headers.getlist("Set-Cookie")
    name, *flags = re.split(r"; ", header)
    assert name.startswith("__Host-petitions=")
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    page = page_of(client.get("/admin/account", **secure))
    from_board = {"Referer": "https://petitions.example.org/admin/"}
    answer = client.post(LOGOUT, data=page.form(LOGOUT).fields(), headers=from_board, **secure)
    [gone] = answer.headers.getlist("Set-Cookie")
    for flag in ("__Host-petitions=;", "Secure", "HttpOnly", "Path=/", "SameSite=Strict", "Max-Age=0"):
        assert flag in gone


def test_a_login_in_json_is_refused_like_any_other(app: Flask) -> None:
    for said in ([], [1], "x", {"name": CARLA.name, "password": CARLA.password}):
        page_of(browser(app).post(LOGIN, json=said), 422)


def test_each_login_begins_a_session_under_a_new_secret(app: Flask) -> None:
    client = browser(app)
    secrets = {cookie(log_in(client)).partition(".")[0] for _ in range(3)}
    assert len(secrets) == 3
    assert all(len(secret) >= 32 for secret in secrets)
    with app.app_context():
        kept = [row.token_hash for row in rows(StaffSession)]
    assert not [secret for secret in secrets if secret.encode() in kept], "the database holds hashes only"


def test_a_secret_that_eve_planted_is_not_taken_over(app: Flask) -> None:
    client = browser(app)
    planted = cookie(log_in(browser(app)))
    client.set_cookie("petitions", "planted." + planted)
    given = cookie(log_in(client))
    assert "planted" not in given
    assert given.partition(".")[0] != planted.partition(".")[0]


@pytest.mark.parametrize("change", ["secret", "time", "signature"])
def test_a_cookie_that_was_changed_opens_nothing(app: Flask, change: str) -> None:
    client = browser(app)
    parts = cookie(log_in(client)).split(".")
    place = ["secret", "time", "signature"].index(change)
    parts[place] = ("B" if parts[place][0] != "B" else "C") + parts[place][1:]
    client.set_cookie("petitions", ".".join(parts))
    assert not is_in(client)


def test_the_public_pages_do_not_look_at_the_cookie(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    for path in ("/fr/", "/fr/water-2026/code", "/healthz"):
        response = carla.get(path)
        assert response.status_code == 200
        assert "Set-Cookie" not in response.headers
        assert response.data == browser(app).get(path).data


# --- how long ---


def test_after_half_an_hour_of_rest_the_session_is_over(app: Flask) -> None:
    client = browser(app)
    with at(NINE_IN_THE_MORNING):
        log_in(client)
    with at(NINE_IN_THE_MORNING + timedelta(minutes=30)):
        old = client.get_cookie("petitions").value  # type: ignore[union-attr]
        assert is_in(client)
    client.set_cookie("petitions", old)
    with at(NINE_IN_THE_MORNING + timedelta(minutes=30, seconds=1)):
        assert not is_in(client)


def test_a_used_session_lasts_for_twelve_hours_and_no_longer(app: Flask) -> None:
    client = browser(app)
    with at(NINE_IN_THE_MORNING):
        log_in(client)
    for minutes in range(20, 12 * 60, 20):
        with at(NINE_IN_THE_MORNING + timedelta(minutes=minutes)):
            assert is_in(client), f"after {minutes} minutes"
    with at(NINE_IN_THE_MORNING + timedelta(hours=12)):
        assert not is_in(client)


@pytest.mark.usefixtures("campaign")
def test_a_board_that_refreshes_itself_keeps_nobody_in(app: Flask) -> None:
    client = browser(app)
    with at(NINE_IN_THE_MORNING):
        log_in(client)
    for minutes in (5, 15, 29):
        with at(NINE_IN_THE_MORNING + timedelta(minutes=minutes)):
            response = client.get(POLL)
            assert response.status_code == 200
            assert "Set-Cookie" not in response.headers
    with at(NINE_IN_THE_MORNING + timedelta(minutes=31)):
        told = Part(client.get(POLL).text)
        assert told.one(id="board")["role"] == "alert"
        assert told.one("a")["href"] == LOGIN
        assert "data-hx-trigger" not in told.html, "and it stops asking"
        assert not is_in(client)


def test_a_used_session_is_renewed_at_most_once_a_minute(app: Flask) -> None:
    client = browser(app)
    with at(NINE_IN_THE_MORNING):
        log_in(client)
        assert "Set-Cookie" not in client.get(BOARD).headers
    with at(NINE_IN_THE_MORNING + timedelta(seconds=61)):
        renewed = client.get(BOARD)
        assert "HttpOnly" in renewed.headers["Set-Cookie"]
        assert "SameSite=Strict" in renewed.headers["Set-Cookie"]


def test_an_old_session_is_cleared_away_at_the_next_login(app: Flask) -> None:
    for hours in (0, 13):
        with at(NINE_IN_THE_MORNING + timedelta(hours=hours)):
            log_in(browser(app))
    with app.app_context():
        assert len(rows(StaffSession)) == 1


# --- out again ---


def test_signing_out_ends_the_session_on_the_server_too(app: Flask, carla: FlaskClient) -> None:
    stolen = carla.get_cookie("petitions").value  # type: ignore[union-attr]
    answer = carla.post(LOGOUT, data=visit(carla, BOARD).form(LOGOUT).fields())

    assert (answer.status_code, answer.location) == (303, LOGIN)
    assert carla.get_cookie("petitions") is None
    with app.app_context():
        assert rows(StaffSession) == []
    eve = browser(app)
    eve.set_cookie("petitions", stolen)
    assert not is_in(eve)


def test_signing_out_here_leaves_the_other_browser_in(app: Flask, carla: FlaskClient) -> None:
    other = browser(app)
    log_in(other)
    carla.post(LOGOUT, data=visit(carla, BOARD).form(LOGOUT).fields())
    assert is_in(other)


def test_an_account_that_is_gone_opens_nothing_any_more(app: Flask, carla: FlaskClient) -> None:
    with app.app_context(), transaction() as store:
        store.execute(delete(Account))
    assert not is_in(carla)


@pytest.mark.parametrize("token", [None, "", "x", "of another session"])
def test_a_form_without_the_sessions_token_is_refused(app: Flask, carla: FlaskClient, token: str | None) -> None:
    if token == "of another session":
        other = browser(app)
        log_in(other)
        token = visit(other, BOARD).form(LOGOUT).fields()["csrf_token"][0]
    response = carla.post(LOGOUT, data={} if token is None else {"csrf_token": token})
    assert page_of(response, 400)
    assert is_in(carla)


def test_every_form_of_staff_demands_the_token(app: Flask, carla: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin") and "POST" in (rule.methods or set()) and RIGHTS[rule.endpoint]:
            assert carla.post(rule.rule).status_code == 400, rule.rule


# --- the board ---


def numbers(page: Node) -> dict[str, dict[str, str]]:
    """The table, by first cell and by heading."""
    table = page.one("table")
    heads = [cell.text for cell in table.one("thead").all("th")][1:]
    lines = [*table.one("tbody").all("tr"), *table.one("tfoot").all("tr")]
    return {line.one("th").text: dict(zip(heads, (c.text for c in line.all("td")), strict=True)) for line in lines}


def test_the_board_counts_each_case_in_each_state(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    on = datetime(2026, 3, 1, tzinfo=UTC).date()
    with app.app_context():
        confirm(campaign, ANN, "river", "lake")
        sign(campaign, EVE, "river")
        sign(campaign, BOB, "river", "forest")
        confirming.reject_signer(token_of(newest(Signer).id))
        tallies.record_tally(campaign.case("lake"), TallyKind.PAPER, 1200, on)
        tallies.record_tally(campaign.case("lake"), TallyKind.LETTERS, 5, on)

    page = visit(carla, BOARD)
    shown = numbers(page)
    assert list(shown) == ["The river (en) Belarus", "The forest (en) Belarus", "The lake (en) Belarus", "All cases"]
    names = ("Confirmed", "Waiting", "Withdrawn", "Confirmed today", "On paper", "Letters", "Goal")
    wanted = {
        "The river (en) Belarus": ("1", "1", "1", "1", "0", "0", "100"),
        "The forest (en) Belarus": ("0", "0", "1", "0", "0", "0", "100"),
        "The lake (en) Belarus": ("1", "0", "0", "1", "1,200", "5", "100"),
        "All cases": ("2", "1", "2", "2", "1,200", "5", ""),
    }
    assert shown == {line: dict(zip(names, values, strict=True)) for line, values in wanted.items()}
    assert ANN.email not in page.html
    assert "Connor" not in page.html
    part = Part(carla.get(POLL).text)
    assert numbers(part) == shown
    assert part.one(id="board").attrs == page.one(id="board").attrs


def test_today_begins_at_midnight_where_the_campaign_lives(app: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(app, tmp_path / "campaign", timezone='"Europe/Luxembourg"')
    midnight = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 0:00 on 2 March in Luxembourg
    client = browser(app)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    for moment, who in ((midnight - timedelta(minutes=1), ANN), (midnight + timedelta(minutes=1), EVE)):
        with app.app_context(), stopped_at(moment):
            confirm(campaign, who, "river")
    for moment, today in (
        (midnight + timedelta(minutes=2), "1"),
        (midnight + timedelta(hours=23), "1"),
        (midnight + timedelta(days=1), "0"),
    ):
        with at(moment):
            log_in(client)
            river = numbers(visit(client, BOARD))["The river (en) Belarus"]
            assert (river["Confirmed"], river["Confirmed today"]) == ("2", today), moment


@pytest.mark.parametrize("state", ["hidden", "draft", "paused", "won", "closed"])
def test_staff_see_the_cases_that_visitors_do_not(app: Flask, tmp_path: Path, carla: FlaskClient, state: str) -> None:
    campaign = make_campaign(app, tmp_path / "campaign")
    with app.app_context():
        confirm(campaign, ANN)
    make_campaign(app, tmp_path / "campaign", states={"river": state})
    shown = numbers(visit(carla, BOARD))
    assert shown[f"The river (en) Belarus · {state}"]["Confirmed"] == "1"
    assert shown["All cases"]["Confirmed"] == "3"


def test_the_board_shows_how_the_mails_are_doing(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    assert "0 e-mails are waiting to be sent." in visit(carla, BOARD).text
    with app.app_context():
        for who in (ANN, EVE):
            sign(campaign, who)
        assert "2 e-mails are waiting to be sent." in visit(carla, BOARD).text
        late = "E-mails have been waiting for more than ten minutes."
        assert late not in visit(carla, BOARD).text
        with stopped_at(clock.now() + timedelta(minutes=11)):
            assert late in visit(carla, BOARD).text
        [one, _] = outbox.lease(2)
        outbox.mark_failed(one.id, "smtp_550")
    text = visit(carla, BOARD).text
    assert "1 e-mail is waiting to be sent." in text
    assert "1 e-mail could not be delivered." in text


def test_the_board_refreshes_itself_and_can_be_scrolled_by_keyboard(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    board = visit(carla, BOARD).one(id="board")
    assert board["data-hx-get"] == POLL
    assert re.fullmatch(r"every [2-9]s", board["data-hx-trigger"])
    region = board.one(role="region")
    assert region["tabindex"] == "0"
    assert region["aria-label"]
    assert {cell["scope"] for cell in board.all("th")} == {"col", "row"}


def test_before_the_first_campaign_the_board_says_what_to_do(carla: FlaskClient) -> None:
    page = visit(carla, BOARD)
    assert "There is no campaign yet. Owners and editors make one on the page “All campaigns”." in page.text
    assert "data-hx-get" not in page.html


def test_before_the_first_campaign_there_is_nothing_to_refresh(carla: FlaskClient) -> None:
    assert carla.get(POLL).status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_staff_pages_speak_the_language_of_the_browser(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient, language: str
) -> None:
    carla.environ_base["HTTP_ACCEPT_LANGUAGE"] = f"{language}, es;q=0.5"
    for path in (LOGIN, *STAFF_PATHS):
        page = visit(carla, path)
        assert page.one("html")["lang"] == language
        assert page.one("meta", name="robots")["content"] == "noindex"
        assert carla.get(path).headers["Cache-Control"] == "no-store"


BELOW = ("account/second-factor", "texts/en/texts", "cases/new")


def test_every_staff_page_leads_to_all_tasks_and_to_the_pages_of_its_own_and_says_where_one_is(
    campaign: PublicCampaign, carla: FlaskClient
) -> None:
    reached = set()
    below = {f"/admin/{path}": f"/admin/{path.partition('/')[0]}" for path in BELOW}
    for path in STAFF_PATHS:
        menu = visit(carla, path).one("nav", class_="staff-menu")
        tasks, links = menu.one("ul", class_="tasks").all("a"), menu.all("a")
        assert [link.text for link in tasks] == ["Overview", "Campaign", "Paper", "Signatures", "Settings"]
        assert len([link for link in tasks if link.get("aria-current")]) == 1, path
        here = [link["href"] for link in links if link.get("aria-current") == "page"]
        assert here == [below.get(path, path)]
        reached |= {link["href"] for link in links}
    assert reached | set(below) == set(STAFF_PATHS)
