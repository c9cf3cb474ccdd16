"""No public page, number or header shows what an unconfirmed form did; batched counts show no single signature."""

import dataclasses
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from petitions.clock import stopped_at
from petitions.queries.catalogue import PublicCampaign
from petitions.services.campaigns import publishing
from tests.reliability.test_no_oracle import STATES, somebody
from tests.support.factories import Person, confirm, make_campaign
from tests.web.browsing import browser, visit

NOON = datetime(2026, 12, 10, 12, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
CAMPAIGN, CASE = "water-2026", "river"
COUNTS = f"/api/v1/campaigns/{CAMPAIGN}/counts.json"


def public_paths(app: Flask) -> list[str]:
    """Every address without a secret in it, but those of staff and files."""
    known = {"lang": "fr", "campaign": CAMPAIGN, "case": CASE}
    with app.test_request_context():
        rules = [
            rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.arguments <= {*known}
        ]
        urls = [
            app.url_map.bind("localhost").build(rule.endpoint, {k: known[k] for k in rule.arguments}) for rule in rules
        ]
    return sorted({url for url in urls if not url.startswith(("/admin", "/static"))})


def all_pages(app: Flask, paths: Iterable[str]) -> dict[str, tuple[int, list[tuple[str, str]], bytes]]:
    """What everybody gets to see, at one minute past twelve."""

    def told(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
        return answer.status_code, sorted((k, v) for k, v in answer.headers if k != "Date"), answer.data

    with stopped_at(NOON):
        client = browser(app)
        return {path: told(client.get(path)) for path in paths}


def look(app: Flask, moment: datetime) -> None:
    """The worker looks."""
    with app.app_context(), stopped_at(moment):
        publishing.publish_due()


def probe(app: Flask, person: Person) -> None:
    """Eve types another person's address into every form, with the true name and with others."""
    client = browser(app)
    here = f"/fr/{CAMPAIGN}"
    with stopped_at(NOON):
        for each in (person, *(dataclasses.replace(person, last_name=name) for name in ("One", "Two"))):
            form = dataclasses.asdict(each) | {"cases": ["river", "lake"]}
            assert client.post(f"{here}/sign", data=form).status_code == 303
            assert client.post(f"{here}/cases/{CASE}/sign", data=dataclasses.asdict(each)).status_code == 303
        client.post(f"{here}/mine", data={"email": person.email})
        client.post(f"{here}/code", data={"email": person.email, "code": "000000"})


@pytest.mark.parametrize("mode", ["batched", "live"])
def test_other_peoples_forms_change_no_public_page_whatever_is_known_of_the_address(
    app: Flask, tmp_path: Path, mode: str
) -> None:
    campaign = make_campaign(app, tmp_path / "campaign", counts=f'"{mode}"')
    paths = public_paths(app)
    assert {"/fr/", f"/fr/{CAMPAIGN}/counts", f"/fr/{CAMPAIGN}/cases/{CASE}/", COUNTS} <= {*paths}
    for number, (state, lead_there) in enumerate(STATES.items()):
        person = somebody(state, number)
        with app.app_context(), stopped_at(NOON):
            lead_there(campaign, person)
        look(app, NOON + 2 * number * QUARTER)
        before = all_pages(app, paths)
        probe(app, person)
        look(app, NOON + (2 * number + 1) * QUARTER)
        after = all_pages(app, paths)
        assert [path for path in paths if before[path] != after[path]] == [], state
    assert b"waiting" not in after[COUNTS][2]


def test_a_page_of_batched_counts_says_of_when_they_are_and_when_new_ones_come(app: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(app, tmp_path / "campaign", counts='"batched"', timezone='"Europe/Luxembourg"')
    home, case, part = f"/en/{CAMPAIGN}/", f"/en/{CAMPAIGN}/cases/{CASE}/", f"/en/{CAMPAIGN}/counts"
    look(app, NOON)
    with app.app_context(), stopped_at(NOON):
        for number in range(5):
            confirm(campaign, somebody("new", number), CASE)
        assert visit(browser(app), home).one(id="progress-total").text.startswith("Goal: 1,000 signatures")
    look(app, NOON + QUARTER)
    with stopped_at(NOON + QUARTER + timedelta(minutes=3)):
        for path in (home, case):
            page = visit(browser(app), path)
            assert page.one(id=f"progress-{CASE}").text == "5 of 100 signatures"
            assert page.one(id="counts-moment").text.startswith("As of 10 December 2026, 13:15")
        assert 'id="counts-moment" data-hx-swap-oob="true"' in browser(app).get(part).text
        answer = json.loads(browser(app).get(COUNTS).text)
    assert answer == {
        "campaign": CAMPAIGN,
        "as_of": "2026-12-10T12:15:00+00:00",
        "next_at": "2026-12-10T12:30:00+00:00",
        "total": {"confirmed": 5, "paper": 0, "letters": 0},
        "cases": {
            slug: {"confirmed": number, "paper": 0, "letters": 0}
            for slug, number in (("river", 5), ("forest", 0), ("lake", 0))
        },
    }


def test_a_live_campaign_says_nothing_of_batches(app: Flask, campaign: PublicCampaign) -> None:
    assert "counts-moment" not in browser(app).get("/en/").text + browser(app).get(f"/en/{CAMPAIGN}/counts").text


def test_public_pages_have_one_source_of_counts() -> None:
    root = Path(publishing.__file__).parents[2]
    readers = {
        str(path.relative_to(root)) for path in root.rglob("*.py") if "counts.of_campaign(" in path.read_text("utf-8")
    }
    assert readers == {"queries/board.py", "queries/published_counts.py", "services/campaigns/publishing.py"}
