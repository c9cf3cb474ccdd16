"""Letters posted, as their writers report: a figure of its own, behind the limits of signing."""

import base64
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import altcha
import pytest
from flask import Flask

from petitions.clock import stopped_at
from petitions.models import ActionCount, Count
from petitions.services.campaigns.actions import MOST_LETTERS, REPORTS
from petitions.services.limits import proof_of_work
from tests.support.factories import make_campaign, rows
from tests.web.browsing import browser, page_of, visit

pytestmark = pytest.mark.usefixtures("campaign")

NOON = datetime(2026, 12, 10, 12, tzinfo=UTC)
PAGE = "/en/water-2026/cases/river/letter/posted"
FIGURES = "/en/water-2026/figures"


def stored(app: Flask) -> list[tuple[str, str, int]]:
    """What is counted."""
    with app.app_context():
        return [(row.kind, row.subject, row.number) for row in rows(ActionCount)]


def test_the_letter_leads_to_the_form_and_the_form_to_the_thanks(app: Flask) -> None:
    client = browser(app)
    letter = visit(client, "/en/water-2026/cases/river/letter/")
    assert PAGE in [a.get("href") for a in letter.all("a")]
    assert visit(client, PAGE).one(id="posted-letters")["inputmode"] == "numeric"
    for number in ("3", " 2 ", "\u0662"):  # 2 in Arabic digits
        answer = client.post(PAGE, data={"letters": number})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/en/water-2026/cases/river/letter/thanks")
    assert "Thank you for writing." in visit(client, "/en/water-2026/cases/river/letter/thanks").text
    assert stored(app) == [("posted", "river", 7)]
    with app.app_context():
        assert rows(Count) == [], "never added to the letters that came back"


@pytest.mark.parametrize("typed", ["", "0", "-1", "many", "1.5", str(MOST_LETTERS + 1), "9" * 500, "\u00b2"])
def test_what_is_no_number_of_letters_is_asked_again_and_kept(app: Flask, typed: str) -> None:
    answer = browser(app).post(PAGE, data={"letters": typed})
    assert answer.status_code == 422
    assert f"Enter a number from 1 to {MOST_LETTERS}." in answer.text
    assert f'value="{typed}"' in answer.text
    assert stored(app) == []


def test_a_program_pays_with_a_proof_of_work_and_a_network_reports_only_so_often(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof_of_work, "COST", 2)
    client = browser(app)
    asked = client.post(PAGE, data={"letters": "2", "remark": "x"})
    assert (asked.status_code, stored(app)) == (422, [])
    [form] = [form for form in page_of(asked, 422).all("form") if form.get("data-puzzle")]
    puzzle = json.loads(base64.b64decode(form["data-puzzle"]))
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(puzzle))
    assert solution is not None
    proof = base64.b64encode(json.dumps({"challenge": puzzle, "solution": solution.to_dict()}).encode()).decode()
    fields = {"letters": "2", "remark": "x", "proof": proof}
    assert client.post(PAGE, data=fields).status_code == 303
    assert client.post(PAGE, data=fields).status_code == 422, "a proof can be used once"
    for _ in range(REPORTS.most - 1):
        assert client.post(PAGE, data={"letters": "1"}).status_code == 303
    refused = client.post(PAGE, data={"letters": "1"})
    assert (refused.status_code, "Retry-After" in refused.headers) == (429, True)
    assert stored(app) == [("posted", "river", 2 + REPORTS.most - 1)]


def test_the_figures_show_it_apart_in_fives_and_a_day_later(app: Flask) -> None:
    client = browser(app)

    def shown(moment: datetime) -> tuple[list[str], str]:
        with stopped_at(moment):
            page, table = visit(client, f"{FIGURES}/"), client.get(f"{FIGURES}.csv").text.removeprefix("\ufeff")
        found = [row["posted"] for row in csv.DictReader(io.StringIO(table)) if row["case"] == "river"]
        lines = [row.all("td")[0].text for row in page.all("tr") if row.text.startswith("The river")]
        return found, lines[1] if len(lines) > 1 else ""

    with stopped_at(NOON):
        for number in (7, 6):
            assert client.post(PAGE, data={"letters": number}).status_code == 303
    assert shown(NOON + timedelta(minutes=5)) == (["0"], ""), "who watches the line learns nothing"
    assert shown(NOON + timedelta(days=1)) == (["10"], "10")


def test_a_case_that_ended_takes_no_reports(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "other", states={"river": "won"})
    client = browser(app)
    for answer in (client.get(PAGE), client.post(PAGE, data={"letters": "1"})):
        assert (answer.status_code, answer.headers["Location"]) == (302, "/en/water-2026/cases/river/")
    assert stored(app) == []
