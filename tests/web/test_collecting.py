"""A collector's season: sign up, the code online and on paper, the ranking, the end; and what nobody may learn."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from petitions.clock import now, stopped_at
from petitions.db.transactions import transaction
from petitions.domain.states import CollectorKind
from petitions.models import Collector, Signer, Tally
from petitions.queries import collectors as queries
from petitions.queries import counts, signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import rate_limits
from petitions.services.moderation import holds
from petitions.services.operations import restore
from petitions.services.paper import collectors
from petitions.services.signing import signer_page
from tests.support.factories import ANN, CARLA, Person, confirm, dump, newest, rows
from tests.web.browsing import body, browser, link, logged_in, mails, page_of, press, sign_one, visit

HERE = "/en/water-2026"
LYCEE = {"kind": "class", "title": "Lycée Nord, 4B", "pupils": "22", "email": "teacher@example.org"}


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla, who works here alone, so that what she counts counts at once."""
    return logged_in(app, "carla")


def sign_up(client: FlaskClient, app: Flask, **over: str) -> str:
    """Sign up as a collector; gives the path of the page behind the link in the e-mail."""
    assert client.post(f"{HERE}/collectors/", data={**LYCEE, **over}).status_code == 303
    with app.app_context():
        assert newest(Collector).title == {**LYCEE, **over}["title"].strip()
    return [path for path in map(link, mails(app)) if "/collector/" in path][-1]


def collecting(client: FlaskClient, app: Flask, **over: str) -> tuple[str, str]:
    """A collector who has begun; gives the path of its page, and its code."""
    path = sign_up(client, app, **over)
    assert client.post(path, data={"act": "begin"}).status_code == 303
    return path, visit(client, path).one("p", class_="code").text


def enter(client: FlaskClient, code: str, **numbers: str) -> Any:
    """Enter paper with this code."""
    form = visit(client, "/admin/paper").form("/admin/paper")
    return press(client, form, collector=code, **numbers)


def sign_with(app: Flask, campaign: PublicCampaign, code: str, count: int, first: int = 0) -> None:
    """So many people sign with the code, and confirm."""
    with app.app_context():
        for number in range(first, first + count):
            confirm(campaign, Person("P", str(number), f"p{number}@example.org"), "river", collector_code=code)


def online(client: FlaskClient, path: str) -> str:
    """The figure of signers on a collector's page."""
    return visit(client, path).all("dd")[2].text


def a_day_passes(app: Flask, days: int = 1) -> None:
    """The worker does what is due."""
    with app.app_context(), stopped_at(now() + timedelta(days=days, minutes=1)):
        collectors.maintain()


def test_a_class_signs_up_and_its_code_works_once_the_button_was_pressed(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    path = sign_up(client, app)
    assert "wants to collect" in body(mails(app)[-1])
    page = visit(client, path)
    assert (page.one("h1").text, "Start collecting" in page.text) == (LYCEE["title"], True)
    with app.app_context():
        code = newest(Collector).code
    assert code not in page.text
    assert "n’est plus valable ici" in page_of(sign_one(client, pass_code=code), 422).text
    client.post(path, data={"act": "begin"})
    assert visit(client, path).one("p", class_="code").text == code

    shown = visit(client, f"{HERE}/for/{code.lower()}")
    assert f"Counts for: {LYCEE['title']}" in shown.text
    form = shown.form("/sign")
    assert form.field("pass_code")["value"] == code.lower()
    assert press(client, form, first_name=ANN.first_name, last_name=ANN.last_name, email=ANN.email).status_code == 303
    with app.app_context():
        assert newest(Signer).collector_id == newest(Collector).id


def test_neither_address_nor_name_of_who_signed_up_is_kept(app: Flask, campaign: PublicCampaign) -> None:
    collecting(browser(app), app)
    with app.app_context():
        assert "teacher@" not in str(dump())
        made = newest(Collector)
    assert (made.title, made.pupils, made.is_listed, made.is_trusted) == (LYCEE["title"], 22, True, False)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"kind": "party"}, "Choose who collects"),
        ({"title": " "}, "Enter a name"),
        ({"title": "x" * 121}, "Enter a name"),
        ({"title": "Win at www.example.org"}, "without a web address"),
        ({"pupils": "many"}, "whole number from 1 to 2000"),
        ({"pupils": "2001"}, "whole number from 1 to 2000"),
        ({"email": "nobody"}, "name@example.org"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
    app: Flask, campaign: PublicCampaign, over: dict[str, str], words: str
) -> None:
    page = page_of(browser(app).post(f"{HERE}/collectors/", data={**LYCEE, **over}), 422)
    [name] = over
    assert words in page.one(id=f"collect-{name}-error").text
    assert page.form("/collectors/").field("email")["value"] == {**LYCEE, **over}["email"]
    with app.app_context():
        assert rows(Collector) == []


def test_thousands_from_one_network_do_not_fill_the_mail_queue(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    said = [
        client.post(f"{HERE}/collectors/", data={**LYCEE, "email": f"a{number}@example.org"}).status_code
        for number in range(collectors.SIGN_UPS.most + 3)
    ]
    assert said == [303] * collectors.SIGN_UPS.most + [429] * 3
    assert len(mails(app)) == collectors.SIGN_UPS.most


def test_a_made_up_collector_switches_off_no_hold(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "CONFIRMING", rate_limits.Rule("confirming", 2, holds.CONFIRMING.window))
    _, code = collecting(browser(app), app)
    sign_with(app, campaign, code, 4)
    with app.app_context():
        assert counts.of_campaign(campaign.id).is_on_hold


def test_opening_a_link_with_a_wrong_code_is_no_mistake_of_the_network(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a page writes nothing: a program that follows links takes no places from those who sign."""
    monkeypatch.setattr(rate_limits, "INVALID", rate_limits.Rule("invalid", 3, timedelta(minutes=1)))
    client = browser(app)
    assert [client.get(f"{HERE}/for/{code}").status_code for code in ("BCDFB", "x", "BCDFC", "BCDFD")] == [200] * 4


def test_a_signer_reads_in_the_download_with_whose_code_the_signature_came(
    app: Flask, campaign: PublicCampaign
) -> None:
    _, code = collecting(browser(app), app)
    sign_with(app, campaign, code, 1)
    with app.app_context():
        token = signer_page.link_token(signer.facts(newest(Signer).id))
    assert browser(app).get(f"/en/mine/{token}/data.json").json["collectors_code"] == code


def test_nobody_learns_from_the_page_who_signed(app: Flask, campaign: PublicCampaign) -> None:
    """Only steps of five, only once a day; and nothing at all while fewer than five signed."""
    client = browser(app)
    path, code = collecting(client, app)
    sign_with(app, campaign, code, 4)
    a_day_passes(app)
    assert online(client, path) == "0"
    before = client.get(path).data
    sign_with(app, campaign, code, 3, first=4)
    a_day_passes(app)
    assert client.get(path).data == before, "the same day, not a byte changes"
    a_day_passes(app, 3)
    assert online(client, path) == "5"


def test_paper_is_credited_once_two_people_counted_it(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    client = browser(app)
    path, code = collecting(client, app)
    assert (
        enter(carla, f" {code[:2]} {code[2:].lower()}", **{"letters-river": "12", "paper-lake": "30"}).status_code
        == 303
    )
    assert [each.text for each in visit(client, path).all("dd")] == ["12", "30", "0"]
    shown = visit(client, f"{HERE}/collectors/").text
    assert f"{LYCEE['title']}: 12 letters, 30 signatures on paper (0.5 letters per pupil)" in shown
    assert "12" in visit(carla, "/admin/collectors").one("tbody").text


@pytest.mark.parametrize(("code", "words"), [("BCDFB", "typing mistake"), ("", ""), ("known", "")])
def test_a_code_on_paper_never_counts_for_another(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient, code: str, words: str
) -> None:
    known = collecting(browser(app), app)[1]
    answer = enter(carla, known if code == "known" else code, **{"letters-river": "12"})
    if words:
        page = page_of(answer, 422)
        assert words in page.one(id="paper-collector-error").text
        assert page.one("input", name="letters-river")["value"] == "12", "nothing typed is lost"
    with app.app_context():
        assert [row.collector_id is not None for row in rows(Tally)] == ([] if words else [code == "known"])


def test_the_ranking_shows_those_who_agreed_most_letters_first(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    client = browser(app)
    for title, letters, over in (("Few", "3", {}), ("Many", "9", {}), ("Quiet", "20", {"unlisted": "y"})):
        _, code = collecting(client, app, title=title, **over)
        enter(carla, code, **{"letters-river": letters})
    page = visit(client, f"{HERE}/collectors/")
    assert [each.text.partition(":")[0] for each in page.one("ol", class_="ranking").all("li")] == ["Many", "Few"]
    assert "Quiet" not in page.text


def test_a_collectors_kit_has_the_code_on_every_piece(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    path, code = collecting(client, app)
    kit = next(each["href"] for each in visit(client, path).all("a") if "/kit/" in each["href"])
    page = visit(client, kit)
    assert code in page.one("p", class_="state").text
    assert all(f"collector={code}" in each["href"] for each in page.all("a", type="application/pdf"))
    assert page.one("form", class_="order").fields()["collector"] == [code]
    for wrong in ("BCDFB", "BCDFG", "x", "%00"):
        for place in ("kit/", "kit.pdf"):
            assert client.get(f"{HERE}/{place}?collector={wrong}").status_code == 422, wrong


def test_the_slip_opens_the_paper_grid_with_the_code(app: Flask, carla: FlaskClient, campaign: PublicCampaign) -> None:
    code = collecting(browser(app), app)[1]
    slip = f"/admin/paper?collector={code}"
    assert visit(carla, slip).form("/admin/paper").fields()["collector"] == [code]
    phone = browser(app)
    login = str(phone.get(slip).location)
    answer = press(phone, visit(phone, login).one("form"), name="carla", password=CARLA.password)
    assert answer.location == slip, "whoever is not logged in yet gets there after the login"
    for evil in ("https://evil.example/", "//evil.example/", "/en/", "/admin/%0d%0aX: y"):
        form = visit(browser(app), f"/admin/login?next={evil}").one("form")
        assert press(browser(app), form, name="carla", password=CARLA.password).location == "/admin/"


def test_stopping_ends_the_code_and_erasing_forgets_the_title_for_good(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    client = browser(app)
    path, code = collecting(client, app)
    enter(carla, code, **{"letters-river": "12"})
    assert client.post(path, data={"act": "stop"}).status_code == 303
    assert sign_one(client, pass_code=code).status_code == 422
    with app.app_context():
        kept = {column.name: getattr(newest(Collector), column.name) for column in Collector.__table__.columns}
    assert client.post(path, data={"act": "erase"}).status_code == 303
    assert client.get(path).status_code == 404
    assert LYCEE["title"] not in visit(client, f"{HERE}/collectors/").text
    with app.app_context():
        assert (newest(Collector).title, newest(Tally).number) == ("", 12)
        put_back(kept)
        assert newest(Collector).title == LYCEE["title"]
        restore.replay()
        assert (newest(Collector).title, newest(Collector).link_id) == ("", None)


def put_back(kept: dict[str, Any]) -> None:
    """What a restored backup does to the row."""
    with transaction() as store:
        store.execute(update(Collector).where(Collector.id == kept["id"]).values(**kept))


def test_a_link_in_the_wrong_hands_is_replaced_and_nothing_is_lost(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    client = browser(app)
    path, code = collecting(client, app)
    enter(carla, code, **{"letters-river": "12"})
    page = page_of(press(carla, visit(carla, "/admin/collectors").form("/collectors/change"), act="link"), 200)
    new = page.one("p", role="status").text
    assert client.get(path).status_code == 404
    assert visit(client, "/" + new.partition("://")[2].partition("/")[2]).all("dd")[0].text == "12"


@pytest.mark.parametrize("path", ["nobody-made-this", "A" * 60])
def test_a_forged_link_opens_nothing(app: Flask, campaign: PublicCampaign, path: str) -> None:
    for method in ("get", "post"):
        assert getattr(browser(app), method)(f"/en/collector/{path}").status_code == 404


def test_who_never_pressed_the_button_is_forgotten(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    sign_up(client, app)
    collecting(client, app, title="Stays")
    a_day_passes(app, 15)
    with app.app_context():
        assert [row.title for row in rows(Collector)] == ["Stays"]


def test_a_collector_that_staff_make_works_at_once(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        code = collectors.create(campaign.slug, CollectorKind.STALL, "Market", 5, now(), None)
        over = collectors.create(campaign.slug, CollectorKind.STALL, "Market", 5, now() - timedelta(hours=2), now())
        found = {each.code: each.is_active for each in queries.of_campaign(campaign.slug)}
    assert found == {code: True, over: False}
