"""The API: its format is a promise."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from petitions.clock import stopped_at
from petitions.db.transactions import transaction
from petitions.domain.states import TallyKind
from petitions.queries.catalogue import PublicCampaign
from petitions.services.keys.keyring import KEYRING
from petitions.services.operations import machine_checks
from petitions.services.paper import tallies
from petitions.settings import SETTINGS
from petitions.web import page_cache
from petitions.web.api import health
from tests.support.factories import ANN, EVE, Keys, close_app, confirm, make_app, make_campaign, sign
from tests.web.browsing import browser
from tests.web.conftest import FRESH

COUNTS = "/api/v1/campaigns/water-2026/counts.json"
NOBODY = {"confirmed": 0, "paper": 0, "letters": 0}


def test_the_counts_have_exactly_this_shape(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN, "river", "lake")
        sign(campaign, EVE, "river")
        on = datetime(2026, 3, 1, tzinfo=UTC).date()
        tallies.record_tally(campaign.case("lake"), TallyKind.PAPER, 12, on)
        tallies.record_tally(campaign.case("lake"), TallyKind.LETTERS, 5, on)
    with stopped_at(datetime(2026, 3, 1, 12, 30, 15, 999, tzinfo=UTC)):
        response = browser(app).get(COUNTS)

    assert response.content_type == "application/json"
    assert response.json == {
        "campaign": "water-2026",
        "as_of": "2026-03-01T12:30:15+00:00",
        "next_at": None,
        "total": {"confirmed": 2, "paper": 12, "letters": 5},
        "cases": {
            "river": {"confirmed": 1, "paper": 0, "letters": 0},
            "forest": NOBODY,
            "lake": {"confirmed": 1, "paper": 12, "letters": 5},
        },
    }
    assert list(response.json["cases"]) == ["river", "forest", "lake"], "in the campaign's order"


def test_nobody_is_named(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign)
    assert "ann" not in browser(app).get(COUNTS).text.lower().replace("campaign", "")


def test_a_campaign_without_cases_or_signatures_has_its_zeros(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign", states=dict.fromkeys(("river", "forest", "lake"), "draft"))
    answer = browser(app).get(COUNTS).json
    assert (answer["total"], answer["cases"]) == (NOBODY, {})


def test_a_campaign_that_is_over_keeps_its_counts(app: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(app, tmp_path / "campaign")
    with app.app_context():
        confirm(campaign)
    make_campaign(app, tmp_path / "campaign", state='"archived"')
    assert browser(app).get(COUNTS).json["total"]["confirmed"] == 3


def test_the_counts_are_at_most_five_seconds_behind() -> None:
    kept = dict(part.strip().split("=") for part in page_cache.NUMBERS.split(", ")[1:])
    for cache in ("max-age", "s-maxage"):
        assert FRESH[0] + int(kept[cache]) + int(kept["stale-while-revalidate"]) <= 5


@pytest.mark.parametrize("path", ["/api/v1/campaigns/nope/counts.json", "/api/v1/nope", "/api/", "/api/v1/"])
def test_a_wrong_address_is_reported_in_json(app: Flask, campaign: PublicCampaign, path: str) -> None:
    response = browser(app).get(path)
    assert (response.status_code, response.content_type) == (404, "application/json")
    assert set(response.json) == {"error", "message"}
    assert response.json["error"] == "not_found"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("site", "status", "error"), [("same-origin", 405, "method_not_allowed"), ("cross-site", 403, "forbidden")]
)
def test_nothing_can_be_sent_there(app: Flask, campaign: PublicCampaign, site: str, status: int, error: str) -> None:
    response = app.test_client().post(COUNTS, headers={"Sec-Fetch-Site": site})
    assert (response.status_code, response.content_type) == (status, "application/json")
    assert response.json["error"] == error


def test_the_server_is_well_while_its_database_answers(app: Flask, campaign: PublicCampaign) -> None:
    response = browser(app).get("/healthz")
    assert (response.status_code, response.text) == (200, "ok\n")
    assert response.content_type.startswith("text/plain")
    assert response.headers["Cache-Control"] == "no-store"


def test_the_server_is_not_well_without_its_tables(app: Flask, tmp_path: Path, keys: Keys) -> None:
    empty = make_app(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path, keys)
    response = browser(empty).get("/healthz")
    assert (response.status_code, response.text) == (503, "no database\n")
    close_app(empty)


def test_the_server_is_well_again_as_soon_as_the_database_is(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context(), transaction() as store:
        store.execute(text("ALTER TABLE campaigns RENAME TO gone"))
    assert browser(app).get("/healthz").status_code == 503
    with app.app_context(), transaction() as store:
        store.execute(text("ALTER TABLE gone RENAME TO campaigns"))
    assert browser(app).get("/healthz").status_code == 200


def test_the_health_page_of_a_database_that_is_not_there_is_503(tmp_path: Path, keys: Keys) -> None:
    away = make_app("postgresql+psycopg://nobody@127.0.0.1:1/nothing", tmp_path, keys)
    assert browser(away).get("/healthz").status_code == 503
    close_app(away)


def test_the_server_is_ready_when_a_signature_could_be_stored(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    assert (browser(app).get("/readyz").status_code, browser(app).get("/readyz").text) == (200, "ready\n")
    with app.app_context(), transaction() as store:
        store.execute(text("ALTER TABLE checks RENAME TO gone"))
    assert (browser(app).get("/readyz").status_code, browser(app).get("/readyz").text) == (503, "database\n")
    with app.app_context(), transaction() as store:
        store.execute(text("ALTER TABLE gone RENAME TO checks"))
    with monkeypatch.context() as full:
        full.setattr(machine_checks, "LEAST_FREE", 1 << 62)
        assert browser(app).get("/readyz").text == "disk\n"
    ring = KEYRING.of(app)
    with monkeypatch.context() as lost:
        lost.setattr(ring, "master_key", "")
        assert browser(app).get("/readyz").text == "key\n"
    assert browser(app).get("/readyz").text == "ready\n"


def test_numbers_for_monitoring_need_the_token_and_name_nobody(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    bearer = {"Authorization": "Bearer a long token"}
    assert client.get("/metrics", headers=bearer).status_code == 404, "switched off"
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), metrics_token="a long token"))
    for headers in ({}, {"Authorization": "Bearer another"}):
        assert client.get("/metrics", headers=headers).status_code == 404
    with app.app_context():
        confirm(campaign, ANN)
    answer = client.get("/metrics", headers=bearer)
    assert answer.status_code == 200
    assert "petitions_signatures_confirmed 3" in answer.text.splitlines()
    assert "petitions_mails_waiting 1" in answer.text.splitlines()
    assert "river" not in answer.text
