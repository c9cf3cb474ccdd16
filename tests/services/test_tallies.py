"""Tallies: paper signatures and letters are counted, and mistakes can be corrected."""

from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from petitions.domain.states import TallyKind
from petitions.models import Tally
from petitions.queries import counts
from petitions.queries.catalogue import PublicCampaign
from petitions.services.paper.tallies import record_tally
from tests.support.factories import ANN, confirm, miscounts, newest, rows

pytestmark = pytest.mark.usefixtures("context")

TODAY = date(2026, 12, 10)


def numbers(campaign: PublicCampaign, slug: str) -> counts.Numbers:
    """The case's numbers."""
    return counts.of_campaign(campaign.id).of(campaign.case(slug).id)


def test_paper_signatures_count_as_signatures_and_letters_beside_them(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN, "river")
    record_tally(campaign.case("river"), TallyKind.PAPER, 40, TODAY, "market in Esch")
    record_tally(campaign.case("river"), TallyKind.LETTERS, 7, TODAY)

    found = numbers(campaign, "river")
    assert (found.confirmed, found.paper, found.letters, found.signatures) == (1, 40, 7, 41)
    assert miscounts() == []


def test_a_batch_is_kept_with_its_day_and_its_note(campaign: PublicCampaign) -> None:
    record_tally(campaign.case("lake"), TallyKind.PAPER, 40, TODAY, "market in Esch")
    row = newest(Tally)
    assert (row.case_id, row.kind, row.number) == (campaign.case("lake").id, "paper", 40)
    assert (row.happened_on, row.note) == (TODAY, "market in Esch")


def test_a_mistake_is_undone_by_the_opposite_number(campaign: PublicCampaign) -> None:
    for number in (40, -40, 4):
        record_tally(campaign.case("river"), TallyKind.PAPER, number, TODAY)
    assert numbers(campaign, "river").paper == 4
    assert len(rows(Tally)) == 3


def test_nothing_is_no_batch(campaign: PublicCampaign) -> None:
    with pytest.raises(IntegrityError):
        record_tally(campaign.case("river"), TallyKind.PAPER, 0, TODAY)
    assert rows(Tally) == []
    assert numbers(campaign, "river") == counts.NOTHING
