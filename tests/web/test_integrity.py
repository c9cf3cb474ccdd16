"""The figures page: parts, weeks, and nothing that lets anyone infer a person."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from petitions.clock import stopped_at
from petitions.db.transactions import transaction
from petitions.domain.states import InvalidationKind
from petitions.models import Signature, Signer
from petitions.queries import signer
from petitions.queries.catalogue import catalogue
from petitions.queries.figures import Weeks, figures_of
from petitions.queries.moderation import Condition
from petitions.services.campaigns.publishing import publish_due
from petitions.services.campaigns.recounting import recount_due
from petitions.services.moderation import invalidations
from petitions.services.signing import signer_page
from tests.support.factories import Person, confirm, make_campaign, rows
from tests.web.browsing import browser, visit

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGE = "/en/water-2026/figures/"


def signed(app: Flask, number: int, begin: int = 0) -> None:
    """So many people sign and confirm both cases."""
    with app.app_context():
        campaign = catalogue().campaign("water-2026")
        for each in range(begin, begin + number):
            confirm(campaign, Person(f"Ann{each}", "Lee", f"ann{each}@example.org"))


def withdrawn(app: Flask, number: int = 1) -> None:
    """The first people withdraw everything."""
    with app.app_context():
        campaign = catalogue().campaign("water-2026")
        for row in rows(Signer)[:number]:
            signer_page.withdraw(signer_page.link_token(signer.facts(row.id)), [case.id for case in campaign.cases])


@pytest.fixture
def app_with_weeks(app: Flask, tmp_path: Path) -> Flask:
    """Six signers in the first week, two in the second, three in the third, one today."""
    with stopped_at(MONDAY):
        make_campaign(app, tmp_path / "campaign")
    for week, (number, begin) in enumerate(((6, 0), (2, 6), (3, 8))):
        with stopped_at(MONDAY + timedelta(weeks=week)):
            signed(app, number, begin)
    return app


def weeks(app: Flask, moment: datetime) -> list[Weeks]:
    """The weeks that the page shows at a moment."""
    with app.app_context(), stopped_at(moment):
        return figures_of(catalogue().campaign("water-2026")).weeks


def test_a_week_appears_when_it_is_over_for_a_day_and_small_ones_together(app_with_weeks: Flask) -> None:
    app, cases = app_with_weeks, 3
    assert weeks(app, MONDAY + timedelta(days=7)) == [], "it is over for less than a day"
    [first] = weeks(app, MONDAY + timedelta(days=9))
    assert (first.begin.isoformat(), first.end.isoformat(), first.confirmed) == ("2026-03-02", "2026-03-08", 6 * cases)
    found = weeks(app, MONDAY + timedelta(days=30))
    assert [week.confirmed for week in found] == [18, 6, 9]
    with app.app_context(), stopped_at(MONDAY + timedelta(weeks=3)):
        signed(app, 1, 90)
    assert [week.confirmed for week in weeks(app, MONDAY + timedelta(days=37))] == [18, 6, 9], "three are too few"


def test_what_few_people_do_changes_nothing_that_is_shown(app: Flask, tmp_path: Path) -> None:
    """Where counts are published in batches: a watcher of the page and its table learns nothing from one person."""
    with stopped_at(MONDAY):
        make_campaign(app, tmp_path / "campaign", counts='"batched"')
        signed(app, 6)
    later, client = MONDAY + timedelta(days=30), browser(app)

    def shown() -> tuple[str, str]:
        with app.app_context(), stopped_at(later):
            publish_due()
            recount_due()
            return visit(client, PAGE).text, client.get(f"{PAGE[:-1]}.csv").text

    before = shown()
    with stopped_at(later - timedelta(days=20)):
        signed(app, 1, 50)
        withdrawn(app)
    later += timedelta(hours=2)  # another batch, but no other night
    assert shown() == before


def test_the_recount_says_how_many_people_and_whether_it_agrees(app_with_weeks: Flask) -> None:
    client, later = browser(app_with_weeks), MONDAY + timedelta(days=30)
    with stopped_at(later):
        assert "The first time is still to come" in visit(client, PAGE).text
        with app_with_weeks.app_context():
            assert recount_due()
            assert not recount_due(), "once a day"
        page = visit(client, PAGE)
        assert "At least 10 people signed online" in page.text, "eleven, rounded down to fives"
        assert "the figures agree" in page.text
        with app_with_weeks.app_context(), transaction() as store:
            store.execute(update(Signature).where(Signature.case_id == 1).values(state="withdrawn"))
    with stopped_at(later + timedelta(days=1)):
        with app_with_weeks.app_context():
            assert recount_due()
        assert "the figures do not agree" in visit(client, PAGE).text


def test_the_table_for_programs_has_the_same_numbers(app_with_weeks: Flask) -> None:
    with stopped_at(MONDAY + timedelta(days=30)):
        answer = browser(app_with_weeks).get(f"{PAGE[:-1]}.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["confirmed"] for row in rows if row["kind"] == "case"] == ["11"] * 3
    assert [row["from"] for row in rows if row["kind"] == "weeks"] == ["2026-03-02", "2026-03-09", "2026-03-16"]


def test_withdrawals_are_shown_in_fives(app: Flask, tmp_path: Path) -> None:
    with stopped_at(MONDAY):
        make_campaign(app, tmp_path / "campaign")
        signed(app, 7)
        withdrawn(app, 4)
    later = MONDAY + timedelta(days=30)

    def shown() -> set[int]:
        with app.app_context(), stopped_at(later):
            found = figures_of(catalogue().campaign("water-2026"))
        return {numbers.withdrawn for numbers in found.by_case.values()}

    assert shown() == {0}
    with stopped_at(MONDAY + timedelta(days=1)):
        withdrawn(app, 6)
    assert shown() == {5}


def test_invalidations_are_shown_by_the_kind_of_their_reason(app_with_weeks: Flask) -> None:
    client, later = browser(app_with_weeks), MONDAY + timedelta(days=23)
    with app_with_weeks.app_context(), stopped_at(later):
        for case, kind in (("river", InvalidationKind.PROGRAM), ("lake", InvalidationKind.OTHER)):
            number = invalidations.prepare_invalidation("water-2026", Condition(cases=(case,)), "A test", kind=kind)
            invalidations.run_invalidation(number)
        assert "Why signatures" not in visit(client, PAGE).text, "until the week is over"
    with stopped_at(later + timedelta(days=14)):
        assert "Why signatures were invalidated: another reason: 10 · sent by a program: 10" in visit(client, PAGE).text
        with app_with_weeks.app_context():
            invalidations.undo_invalidation(number)
    with stopped_at(later + timedelta(days=14, minutes=1)):
        assert "Why signatures were invalidated: sent by a program: 10" in visit(client, PAGE).text
