"""The contest of collectors: the last postmark, the ranking that stays, corrections, the draw, and certificates."""

import hashlib
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from petitions.clock import now
from petitions.db.transactions import transaction
from petitions.domain.roles import Role
from petitions.domain.states import CollectorKind
from petitions.models import Collector
from petitions.queries import collectors as queries
from petitions.queries.catalogue import PublicCampaign
from petitions.services import journal
from petitions.services.paper import collectors
from tests.web.browsing import browser, logged_in, page_of, press, visit

COLLECTORS, RANKING = "/admin/collectors", "/en/water-2026/collectors/"
YESTERDAY = (now() - timedelta(days=1)).date().isoformat()


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla, who works here alone, so that what she counts counts at once."""
    return logged_in(app, "carla")


def made(app: Flask, title: str, kind: CollectorKind = CollectorKind.CLASS, pupils: int | None = None) -> str:
    """The code of a new collector that is listed."""
    with app.app_context():
        code = collectors.create("water-2026", kind, title, 40, now() - timedelta(days=9), now() + timedelta(days=9))
        with transaction() as store:  # what a sign-up sets; staff list nobody
            store.execute(update(Collector).where(Collector.code == code).values(is_listed=True, pupils=pupils))
    return code


def enter(client: FlaskClient, code: str, letters: str, day: str = YESTERDAY) -> None:
    form = visit(client, "/admin/paper").form("/admin/paper")
    assert press(client, form, collector=code, day=day, **{"letters-river": letters}).status_code == 303


def change(client: FlaskClient, **typed: str) -> int:
    token = visit(client, COLLECTORS).all("input", name="csrf_token")[0]["value"]
    return client.post(f"{COLLECTORS}/contest", data={"csrf_token": token, **typed}).status_code


def ranked(client: FlaskClient) -> list[tuple[str, str]]:
    """Place and words of each in the public ranking."""
    return [(each["value"], each.text) for each in visit(client, RANKING).one("ol", class_="ranking").all("li")]


def test_what_is_posted_too_late_does_not_win_and_corrections_change_no_place(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    visitor, first, second = browser(app), made(app, "First"), made(app, "Second")
    enter(carla, first, "10")
    enter(carla, second, "9")
    assert change(carla, act="end", ends_on=YESTERDAY) == 303
    enter(carla, second, "50", now().date().isoformat())
    assert [each[1].split(":")[0] for each in ranked(visitor)] == ["First", "Second"]
    assert "counts" in visit(visitor, RANKING).text

    assert visit(carla, COLLECTORS).one("button", value="freeze").text == "Freeze the ranking"
    assert change(carla, act="freeze") == 303
    enter(carla, first, "-4")
    enter(carla, second, "90")
    words = ranked(visitor)
    assert [place for place, _ in words] == ["1", "2"]
    assert words[0][1].startswith("First: 10 letters")
    assert "Corrected afterwards to 6 letters." in words[0][1]
    assert "this ranking stays as it is" in visit(visitor, RANKING).text
    assert change(carla, act="freeze") == 404
    assert change(carla, act="end", ends_on="2030-01-01") == 404, "a frozen contest is over"


def test_nothing_is_frozen_before_the_last_day_is_over(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    assert change(carla, act="freeze") == 404, "there is no contest"
    assert change(carla, act="end", ends_on=now().date().isoformat()) == 303
    assert change(carla, act="freeze") == 404
    assert not visit(carla, COLLECTORS).all("button", value="freeze")
    token = visit(carla, COLLECTORS).all("input", name="csrf_token")[0]["value"]
    wrong = carla.post(f"{COLLECTORS}/contest", data={"csrf_token": token, "act": "end", "ends_on": "31.1."})
    assert page_of(wrong, 422).one(id="contest-ends-error")
    assert change(carla, act="end", ends_on="") == 303
    assert change(carla, act="whatever") == 404
    counter = logged_in(app, "cora", Role.COUNTER)
    assert counter.get(COLLECTORS).status_code == 403


def test_among_equals_a_draw_decides_and_can_be_computed_again(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    codes = [made(app, title) for title in ("A", "B", "C")]
    for code, letters in zip(codes, ("5", "5", "4"), strict=True):
        enter(carla, code, letters)
    assert [place for place, _ in ranked(browser(app))] == ["1", "1", "3"]
    assert change(carla, act="draw", kind="class") == 404, "not before the ranking is frozen"
    change(carla, act="end", ends_on=YESTERDAY)
    change(carla, act="freeze")
    form = next(form for form in visit(carla, COLLECTORS).all("form") if form.all("button", value="draw"))
    assert press(carla, form, act="draw").status_code == 303
    assert change(carla, act="draw", kind="class") == 404, "once"
    with app.app_context():
        [act] = journal.newest(acts=["winner drawn"])
    said, seed = act.subject.split(", seed ")
    lowest = min(codes[:2], key=lambda code: hashlib.sha256(f"{seed} {code}".encode()).hexdigest())
    assert said.split()[-1] == lowest
    words = ranked(browser(app))
    assert [place for place, _ in words] == ["1", "2", "3"]
    assert words[0][1].startswith("AB"[codes.index(lowest)])
    assert "Drawn among those with the same figures." in words[0][1]


def test_a_small_class_can_lead_by_letters_for_each_pupil(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    enter(carla, made(app, "Large", pupils=100), "50")
    enter(carla, made(app, "Small", pupils=10), "20")
    words = dict(each[::-1] for each in ranked(browser(app)))
    assert [place for text, place in words.items() if "Most letters per pupil." in text] == ["2"]


def test_certificates_are_for_those_with_whom_something_came_in(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    certificates = f"{COLLECTORS}/certificates"
    assert "Nothing has come in" in visit(carla, certificates).text
    won, idle = made(app, "Won"), made(app, "Idle")
    enter(carla, won, "7")
    change(carla, act="end", ends_on=YESTERDAY)
    change(carla, act="freeze")
    [sheet] = visit(carla, certificates).all("section", class_="certificate")
    assert "Won" in sheet.text
    assert "7 letters" in sheet.text
    assert "First place: A school class" in sheet.text
    with app.app_context():
        found = {each.code: each.id for each in queries.of_campaign("water-2026")}
        token = collectors.replace_link(found[won], "command")
        other = collectors.replace_link(found[idle], "command")
    assert visit(browser(app), f"/en/collector/{token}").one("a", href=f"/en/collector/{token}/certificate")
    assert "7 letters" in visit(browser(app), f"/en/collector/{token}/certificate").text
    assert "certificate" not in visit(browser(app), f"/en/collector/{other}").text
