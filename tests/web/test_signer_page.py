"""The signer's own page over HTTP: buttons act, GET does not, and it shows nothing without the link."""

import dataclasses
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from petitions.models import Signature, Suppression
from petitions.queries.catalogue import PublicCampaign
from petitions.services.mailing.suppression import stop_token
from petitions.settings import SETTINGS
from tests.support.factories import ANN, EVE, dump, miscounts, rows
from tests.web.browsing import body, browser, link, mails, page_of, press, sign_all, visit

pytestmark = pytest.mark.usefixtures("campaign")

ASK = "/fr/water-2026/mine"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return browser(app)


@pytest.fixture
def own_page(app: Flask, campaign: PublicCampaign, client: FlaskClient) -> str:
    """The path of Ann's page, as the confirmed page names it; she signed for the river and the lake."""
    sign_all(client, ["river", "lake"])
    confirm = link(mails(app)[-1])
    assert client.post(confirm).status_code == 303
    return next(a["href"] for a in visit(client, confirm).all("a") if "/mine/" in a["href"])


def states(app: Flask) -> list[str]:
    with app.app_context():
        assert miscounts() == []
        return sorted(row.state for row in rows(Signature))


def test_opening_the_page_and_its_data_changes_nothing(app: Flask, client: FlaskClient, own_page: str) -> None:
    with app.app_context():
        before = dump()
    visit(client, own_page)
    data = client.get(f"{own_page}/data.json")
    assert len(data.json["signatures"]) == 2
    assert "attachment" in data.headers["Content-Disposition"]
    with app.app_context():
        assert dump() == before


def test_every_button_of_the_page_does_what_it_says(app: Flask, client: FlaskClient, own_page: str) -> None:
    assert client.post(f"{own_page}/withdraw", data={"cases": ["river"]}).status_code == 303
    assert states(app) == ["confirmed", "withdrawn"]
    assert client.post(f"{own_page}/more", data={"cases": ["river", "forest"]}).status_code == 303
    assert states(app) == ["confirmed"] * 3
    assert client.post(f"{own_page}/newsletter", data={"newsletter": "y"}).status_code == 303
    changed = client.post(f"{own_page}/language", data={"language": "en"})
    assert changed.headers["Location"].startswith("/en/mine/")
    assert client.post(f"{own_page}/language", data={"language": "xx"}).status_code == 422
    erased = visit(client, client.post(f"{own_page}/erase").headers["Location"])
    assert erased.h1 == "Vos données sont effacées"
    assert "Mara" not in erased.text
    assert states(app) == ["withdrawn"] * 3
    assert client.get(own_page).status_code == 404


def test_a_wrong_name_is_refused_beside_its_field_and_kept_as_typed(client: FlaskClient, own_page: str) -> None:
    page = page_of(client.post(f"{own_page}/name", data={"first_name": "", "last_name": "x http://evil.example"}), 422)
    assert "x http://evil.example" in page.html


def test_asking_for_the_link_gets_the_same_answer_for_known_and_unknown(
    app: Flask, client: FlaskClient, own_page: str
) -> None:
    answers = [client.post(ASK, data={"email": email}) for email in (ANN.email, EVE.email)]
    assert answers[0].status_code == 303
    assert [(a.status_code, sorted(a.headers.items()), a.data) for a in answers[:1]] == [
        (a.status_code, sorted(a.headers.items()), a.data) for a in answers[1:]
    ]
    newest = mails(app)[-1]
    assert newest["To"] == ANN.email
    assert link(newest) == own_page


def test_a_bad_address_is_refused_beside_the_field(client: FlaskClient) -> None:
    page_of(client.post(ASK, data={"email": "ann"}), 422)


def test_the_stop_link_of_a_mail_needs_one_button_and_then_no_mail_leaves(app: Flask, client: FlaskClient) -> None:
    sign_all(client, ["river"], EVE)
    [mail] = mails(app)
    stop = urlsplit(next(word for word in body(mail).split() if "/stop/" in word)).path
    page = visit(client, stop)
    with app.app_context():
        assert rows(Suppression) == []
    assert press(client, page.one("form")).status_code == 200
    with app.app_context():
        assert len(rows(Suppression)) == 1
    sign_all(client, ["lake"], EVE)
    assert len(mails(app)) == 1


def test_mail_programs_stop_mails_by_one_press_without_limit(app: Flask) -> None:
    service = app.test_client()  # RFC 8058: no Origin, no Sec-Fetch-Site, many mailboxes from one network
    with app.app_context():
        tokens = [stop_token(f"eve{number}@example.org") for number in range(30)]
    for token in tokens:
        answer = service.post(f"/fr/stop/{token}", data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    assert service.post("/fr/stop/guessed", data={"List-Unsubscribe": "One-Click"}).status_code == 404
    with app.app_context():
        assert len(rows(Suppression)) == 30


def test_bounces_need_the_secret(app: Flask, client: FlaskClient) -> None:
    assert client.post("/api/v1/bounces", data={"email": ANN.email}).status_code == 403
    wrong = {"Authorization": "Bearer guess"}
    assert client.post("/api/v1/bounces", data={"email": ANN.email}, headers=wrong).status_code == 403


@pytest.mark.parametrize("site", [None, "same-origin", "cross-site"])
def test_bounces_come_as_fast_as_they_like_and_wrong_secrets_do_not(app: Flask, site: str | None) -> None:
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), bounce_secret="known"))
    service = app.test_client()
    service.environ_base["REMOTE_ADDR"] = "198.51.100.7"

    def report(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"} | ({"Sec-Fetch-Site": site} if site else {})
        return service.post("/api/v1/bounces", data={"email": ANN.email}, headers=headers).status_code

    assert [report("known") for _ in range(40)] == [204] * 40
    assert [report("guess") for _ in range(22)] == [403] * 20 + [429] * 2
    assert report("known") == 204, "whoever shares a network with somebody who guesses is not locked out"


@pytest.mark.parametrize("said", ["[]", '["ann@example.org"]', '"x"', "1", "null", '{"email": ["x"]}', "[" * 10_000])
def test_a_bounce_that_is_no_object_with_an_address_is_refused(app: Flask, client: FlaskClient, said: str) -> None:
    old = SETTINGS.of(app)
    SETTINGS.put(app, dataclasses.replace(old, bounce_secret="known"))
    headers = {"Authorization": "Bearer known"}
    answer = client.post("/api/v1/bounces", data=said, content_type="application/json", headers=headers)
    assert answer.status_code == 422
    good = client.post("/api/v1/bounces", json={"email": ANN.email}, headers=headers)
    assert good.status_code == 204
