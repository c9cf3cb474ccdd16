"""The counts, as pages show them."""

from datetime import UTC, datetime, timedelta

import pytest

from petitions.clock import now, stopped_at
from petitions.db.base import db
from petitions.domain.states import TallyKind
from petitions.queries import counts
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.counts import Numbers
from petitions.services.paper.tallies import record_tally
from tests.support.factories import ANN, BOB, EVE, confirm, sign
from tests.support.statements import statements

pytestmark = pytest.mark.usefixtures("context")


def test_numbers_are_given_by_case_and_in_total(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    sign(campaign, BOB, "river")
    found = counts.of_campaign(campaign.id)
    river, forest = (found.of(campaign.case(slug).id) for slug in ("river", "forest"))
    assert (river, forest) == (Numbers(pending=1, confirmed=1), Numbers(confirmed=1))
    assert found.total == Numbers(pending=1, confirmed=3)


def test_what_waits_is_no_signature_and_paper_is_one() -> None:
    assert Numbers(pending=5, confirmed=2, withdrawn=9, paper=3, letters=7).signatures == 5


def test_a_campaign_without_signatures_has_zeros(campaign: PublicCampaign) -> None:
    found = counts.of_campaign(campaign.id)
    assert found.total == counts.NOTHING
    assert found.of(12345) == counts.NOTHING


def test_one_statement_is_enough(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    with statements(db.engine) as seen:
        counts.of_campaign(campaign.id)
    assert len([text for text in seen if text.startswith("SELECT")]) == 1


@pytest.mark.parametrize(
    ("timezone", "midnight"),
    [
        ("UTC", datetime(2026, 12, 10, tzinfo=UTC)),
        ("Europe/Luxembourg", datetime(2026, 12, 9, 23, tzinfo=UTC)),
        ("Asia/Seoul", datetime(2026, 12, 9, 15, tzinfo=UTC)),
    ],
)
def test_today_begins_at_midnight_by_the_campaigns_own_clock(
    campaign: PublicCampaign, timezone: str, midnight: datetime
) -> None:
    for person, moment in ((ANN, midnight - timedelta(seconds=1)), (EVE, midnight)):
        with stopped_at(moment):
            confirm(campaign, person, "river")
    with stopped_at(midnight + timedelta(hours=8)):
        today = counts.since_midnight(campaign.id, timezone)
    assert today.total.confirmed == 1


def test_a_day_of_twenty_five_hours_is_one_day(campaign: PublicCampaign) -> None:
    midnight = datetime(2026, 10, 24, 22, tzinfo=UTC)  # summer time ends in Luxembourg on the 25th
    with stopped_at(midnight):
        record_tally(campaign.case("river"), TallyKind.PAPER, 3, now().date())
    for hours, seen in ((24, 3), (25, 0)):
        with stopped_at(midnight + timedelta(hours=hours, minutes=30)):
            assert counts.since_midnight(campaign.id, "Europe/Luxembourg").total.paper == seen
