"""Batched counts: every quarter of an hour, at least five signers, all cases together; they show nobody's signature."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import stopped_at
from petitions.domain.states import TallyKind
from petitions.models import PublishedCount, Signer
from petitions.queries import published_counts, signer
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.queries.counts import Counts, Numbers
from petitions.queries.moderation import Condition
from petitions.services.campaigns import publishing
from petitions.services.moderation import invalidations
from petitions.services.paper.tallies import record_tally
from petitions.services.signing import confirming, signer_page
from petitions.worker import Worker
from tests.support.factories import ANN, Person, confirm, in_threads, make_campaign, rows, sign

pytestmark = pytest.mark.usefixtures("context")

NOON = datetime(2026, 12, 10, 12, 0, 20, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def batched(context: Flask, tmp_path: Path) -> Iterator[PublicCampaign]:
    """A campaign with counts in batches, looked at once; it is noon."""
    with stopped_at(NOON):
        campaign = make_campaign(context, tmp_path / "batched", counts='"batched"')
        publishing.publish_due()
    with stopped_at(NOON + timedelta(minutes=1)):
        yield campaign


def people(number: int, start: int = 0) -> list[Person]:
    """So many people, each with a mailbox of their own."""
    return [Person("Ann", "Lee", f"ann{place}@example.org") for place in range(start, start + number)]


def confirmed(campaign: PublicCampaign, number: int, *cases: str, start: int = 0) -> None:
    """So many people sign and confirm."""
    for person in people(number, start):
        confirm(campaign, person, *cases)


def seen_after(campaign: PublicCampaign, quarters: int) -> dict[str, int]:
    """What the public sees of each case so many quarters of an hour after noon, once the worker has looked."""
    with stopped_at(NOON + quarters * QUARTER):
        publishing.publish_due()
        return seen(campaign)


def seen(campaign: PublicCampaign) -> dict[str, int]:
    """What the public sees of each case now."""
    found = public(campaign)
    return {case.slug: found.of(case.id).confirmed for case in campaign.cases}


def public(campaign: PublicCampaign) -> Counts:
    return published_counts.public(catalogue().campaign(campaign.slug))


NOBODY = {"river": 0, "forest": 0, "lake": 0}


def test_nothing_shows_before_the_quarter_hour_and_then_all_cases_together(batched: PublicCampaign) -> None:
    confirmed(batched, 4, "river", "lake")
    confirmed(batched, 1, "river", start=4)
    confirmed(batched, 1, "forest", start=5)
    publishing.publish_due()
    assert seen(batched) == NOBODY, "five are there, but the quarter of an hour is not over"
    assert public(batched).next_at == datetime(2026, 12, 10, 12, 15, tzinfo=UTC)
    assert seen_after(batched, 1) == {"river": 5, "forest": 1, "lake": 4}
    assert public(batched).as_of == datetime(2026, 12, 10, 12, 15, tzinfo=UTC)
    assert public(batched).total == Numbers(confirmed=10)


def test_fewer_than_five_wait_for_more_and_the_moment_does_not_show_the_fifth_one(batched: PublicCampaign) -> None:
    confirmed(batched, 4)
    sign(batched, people(1, 99)[0])
    before = seen_after(batched, 1), public(batched).as_of
    with stopped_at(NOON + QUARTER + timedelta(minutes=7)):
        confirmed(batched, 1, start=4)
        publishing.publish_due()  # as a worker does that has just started
        assert (seen(batched), public(batched).as_of) == before == (NOBODY, datetime(2026, 12, 10, 12, tzinfo=UTC))
    assert seen_after(batched, 2) == {"river": 5, "forest": 5, "lake": 5}


def test_five_signatures_of_fewer_people_are_not_enough(batched: PublicCampaign) -> None:
    confirmed(batched, 4)
    confirmed(batched, 1, "river", start=0)
    assert seen_after(batched, 1) == NOBODY, "thirteen signatures, but four people"


def test_who_takes_back_shows_with_the_next_batch_and_makes_none(batched: PublicCampaign) -> None:
    confirmed(batched, 5, "river")
    assert seen_after(batched, 1)["river"] == 5
    as_of = public(batched).as_of
    for row in rows(Signer):
        signer_page.withdraw(signer_page.link_token(signer.facts(row.id)), [batched.case("river").id])
    assert seen_after(batched, 2)["river"] == 5
    confirmed(batched, 9, "river", start=5)
    assert (seen_after(batched, 3)["river"], public(batched).as_of) == (5, as_of), "no five came beyond who was seen"
    confirmed(batched, 1, "river", start=14)
    assert seen_after(batched, 4)["river"] == 10


def test_what_staff_did_waits_for_the_quarter_hour_only(batched: PublicCampaign) -> None:
    confirmed(batched, 6, "river")
    confirmed(batched, 1, "lake", start=6)
    seen_after(batched, 1)
    record_tally(batched.case("lake"), TallyKind.PAPER, 12, NOON.date())
    confirmed(batched, 1, "lake", start=7)
    assert public(batched).total.paper == 0
    assert seen_after(batched, 2) == {"river": 6, "forest": 0, "lake": 1}
    assert public(batched).total == Numbers(confirmed=7, paper=12)
    invalidations.run_invalidation(
        invalidations.prepare_invalidation(batched.slug, Condition(cases=("river",)), "bots")
    )
    assert seen_after(batched, 3) == {"river": 0, "forest": 0, "lake": 2}


@pytest.mark.parametrize("state", ["open", "closed"])
def test_the_end_publishes_the_rest_once_and_the_last_link_once_more(
    context: Flask, batched: PublicCampaign, tmp_path: Path, state: str
) -> None:
    confirmed(batched, 1, "river")
    for person in people(2, start=1):
        sign(batched, person, "river")
    end = NOON + timedelta(minutes=20)
    make_campaign(context, tmp_path / "batched", counts='"batched"', closes_at=end.isoformat(), state=f'"{state}"')
    if state == "open":
        assert seen_after(batched, 1)["river"] == 0
    assert seen_after(batched, 2)["river"] == 1
    assert public(batched).next_at is None or state == "open"
    with stopped_at(NOON + 2 * QUARTER):
        assert public(batched).next_at is None
        for row in rows(Signer)[1:]:
            confirming.confirm_signer(confirming.link_token(signer.facts(row.id)))
    assert seen_after(batched, 3)["river"] == 1, "a late one would show alone"
    assert seen_after(batched, 15 * 24 * 4)["river"] == 3


def test_several_servers_decide_once(batched: PublicCampaign, context: Flask) -> None:
    confirmed(batched, 5)
    with stopped_at(NOON + QUARTER):
        assert in_threads(context, [publishing.publish_due] * 4) == [None] * 4
        assert seen(batched) == {"river": 5, "forest": 5, "lake": 5}
        confirmed(batched, 5, start=5)
        publishing.publish_due()
        assert seen(batched)["river"] == 5
    assert len(rows(PublishedCount, PublishedCount.campaign_id == batched.id)) == 1


def test_before_the_first_batch_there_are_zeros(context: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(context, tmp_path / "new", counts='"batched"')
    confirmed(campaign, 6)
    assert seen(campaign) == NOBODY
    assert public(campaign).as_of == campaign.created_at
    publishing.publish_due()
    assert seen(campaign)["river"] == 6, "an instance that comes from an older release shows what it had"


def test_a_live_campaign_shows_each_one_at_once_but_nothing_unconfirmed(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    assert public(campaign).total == Numbers()
    confirmed(campaign, 1)
    assert public(campaign).total == Numbers(confirmed=3)
    assert public(campaign).next_at is None


def test_a_quarter_that_was_looked_at_costs_nothing_and_a_clock_that_ran_ahead_stops_nothing(
    batched: PublicCampaign,
) -> None:
    last = publishing.publish_due()
    assert publishing.publish_due(last) == last == datetime(2026, 12, 10, 12, tzinfo=UTC)
    seen_after(batched, 100)
    confirmed(batched, 5)
    assert seen_after(batched, 1) == {"river": 5, "forest": 5, "lake": 5}


def test_the_worker_publishes(context: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(context, tmp_path / "new", counts='"batched"')
    confirmed(campaign, 5)
    worker = Worker(context)
    with stopped_at(NOON):
        worker.maintain()
    assert seen(campaign)["river"] == 5
    confirmed(campaign, 5, start=5)
    for seconds, number in ((60, 5), (900, 10)):
        with stopped_at(NOON + timedelta(seconds=seconds)):
            worker.maintain()
        assert seen(campaign)["river"] == number
