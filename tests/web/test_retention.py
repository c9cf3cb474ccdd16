"""Retention for visitors and staff, and the button that records a delivery."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from petitions.clock import stopped_at
from petitions.db.transactions import transaction
from petitions.domain.retention import AFTER_DELIVERY, AFTER_END
from petitions.models import Campaign, JournalRow, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.privacy import retention
from petitions.services.staff import accounts
from tests.support.factories import ANN, CARLA, confirm, newest, rows
from tests.web.browsing import browser, page_of, visit

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE, HOME, PRIVACY = "/admin/retention", "/en/water-2026/", "/en/water-2026/privacy"


def close(app: Flask, at: datetime) -> None:
    """Let the campaign end then."""
    with app.app_context(), transaction() as store:
        store.execute(update(Campaign).values(closes_at=at, changed_at=at))


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla's browser, signed in."""
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(app)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert client.post("/admin/login", data={"name": CARLA.name, "password": CARLA.password}).status_code == 303
    return client


@pytest.mark.usefixtures("campaign")
def test_the_public_pages_say_by_when_all_names_are_erased(app: Flask) -> None:
    client = browser(app)
    for path in (HOME, PRIVACY):
        assert "12 months after the end" in visit(client, path).text
    close(app, START)
    with stopped_at(START - timedelta(days=1)):
        for path in (HOME, PRIVACY):
            assert "will be erased by 1 March 2027" in visit(client, path).text
    assert datetime(2027, 3, 1, 12, tzinfo=UTC) == START + AFTER_END
    with app.app_context(), stopped_at(START + timedelta(hours=1)):
        retention.record_delivery("water-2026")
    with stopped_at(START + timedelta(days=1)):
        for path in (HOME, PRIVACY):
            assert "will be erased by 31 March 2026" in visit(client, path).text


def test_after_erasing_the_pages_say_so(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context(), stopped_at(START):
        retention.trust_clock()
        confirm(campaign, ANN)
        close(app, START)
    with app.app_context(), stopped_at(START + AFTER_END):
        assert retention.run().keys == 1
        for path in (HOME, PRIVACY):
            assert "were erased on 1 March 2027" in visit(browser(app), path).text


def test_the_privacy_page_shows_the_real_settings(app: Flask, campaign: PublicCampaign) -> None:
    text = visit(browser(app), PRIVACY).text
    assert "privacy@example.org" in text
    assert "We have 1 key that decrypts this data." in text
    assert "sent through the mail server" not in text
    assert "date of birth" not in text
    assert "14 days" in text
    assert "72 hours" in text
    assert "30 days after the signatures are delivered" in text


def test_staff_record_the_delivery_by_a_button(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    with app.app_context():
        confirm(campaign, ANN)
        with transaction() as store:
            store.execute(update(Signer).values(newsletter=True))
    page = visit(carla, PAGE)
    assert "1 signer is known to us." in page.text
    assert "1 signer wants news and was never exported" in page.text
    assert len(page.all("form")) == 1, "only the one to sign out: the campaign is running"
    close(app, START)
    form = visit(carla, PAGE).form("/handed-over")
    assert carla.post(form["action"]).status_code == 400, "without the token of the session"
    assert carla.post(form["action"], data=form.fields()).status_code == 422, "the password comes first"
    assert carla.post(form["action"], data={**form.fields(), "password": CARLA.password}).status_code == 303
    with app.app_context():
        handed_over_at = newest(Campaign).handed_over_at
    assert handed_over_at is not None
    assert f"by {(handed_over_at + AFTER_DELIVERY).day} {handed_over_at + AFTER_DELIVERY:%B}" in visit(carla, PAGE).text


def test_a_recorded_delivery_is_undone_with_the_password(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    with app.app_context():
        confirm(campaign, ANN)
    close(app, START)
    form = visit(carla, PAGE).form("/handed-over")
    assert carla.post(form["action"], data={**form.fields(), "password": CARLA.password}).status_code == 303
    form = visit(carla, PAGE).form("/not-handed-over")
    assert carla.post(form["action"], data={**form.fields(), "password": "not hers"}).status_code == 422
    with app.app_context():
        assert newest(Campaign).handed_over_at is not None
    assert carla.post(form["action"], data={**form.fields(), "password": CARLA.password}).status_code == 303
    with app.app_context():
        assert newest(Campaign).handed_over_at is None
        assert [row.act for row in rows(JournalRow)][-2:] == ["delivery recorded", "delivery undone"]


def test_a_delivery_of_a_running_campaign_is_refused_in_words(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient
) -> None:
    token = visit(carla, PAGE).one("input", name="csrf_token")["value"]
    refused = carla.post(f"{PAGE}/water-2026/handed-over", data={"csrf_token": token, "password": CARLA.password})
    assert "still accepts signatures" in page_of(refused, 422).text


def test_staff_see_that_the_clock_is_untrusted(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    with app.app_context():
        assert "until the clock has proved reliable" in visit(carla, PAGE).text
        retention.trust_clock()
        assert "Erasing is paused" not in visit(carla, PAGE).text


def test_nobody_else_sees_it(app: Flask, campaign: PublicCampaign) -> None:
    for answer in (browser(app).get(PAGE), browser(app).post(f"{PAGE}/water-2026/handed-over")):
        assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/login")
