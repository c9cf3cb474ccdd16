"""Tallies: paper signatures and letters are counted, and mistakes can be corrected."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from petitions.domain.states import TallyKind
from petitions.errors import CountDiffers, CountFaulty, NotFound, SecondPersonNeeded
from petitions.models import Tally
from petitions.queries import counts, paper
from petitions.queries.catalogue import PublicCampaign
from petitions.services.paper import tallies
from petitions.services.paper.tallies import MOST, Entry, cancel, record_tally, report, verify
from tests.support.factories import ANN, confirm, in_threads, miscounts, newest, rows

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
    with pytest.raises(CountFaulty):
        record_tally(campaign.case("river"), TallyKind.PAPER, 0, TODAY)
    assert rows(Tally) == []
    assert numbers(campaign, "river") == counts.NOTHING


# --- two people ---

ANNA, BEN = "account 1", "account 2"


def report_river(campaign: PublicCampaign, number: int = 40, *, is_alone: bool = False) -> int:
    """Anna enters paper for the river; gives the entry's number."""
    report([Entry(campaign.case("river"), TallyKind.PAPER, number)], TODAY, "Esch", ANNA, is_alone=is_alone)
    return int(newest(Tally).id)


def test_a_number_counts_once_a_second_person_counted_the_same(campaign: PublicCampaign) -> None:
    tally = report_river(campaign)
    assert numbers(campaign, "river").paper == 0
    assert paper.sums(campaign.id).waiting["river", "paper"] == 1
    with pytest.raises(CountDiffers):
        verify(tally, 41, BEN)
    with pytest.raises(SecondPersonNeeded):
        verify(tally, 40, ANNA)
    verify(tally, 40, BEN)
    assert numbers(campaign, "river").paper == 40
    assert (paper.sums(campaign.id).verified["river", "paper"], paper.waiting(campaign.id)) == (40, [])
    with pytest.raises(NotFound):
        verify(tally, 40, BEN)
    with pytest.raises(NotFound):
        cancel(tally, BEN)
    assert miscounts() == []


def test_who_is_alone_counts_at_once(campaign: PublicCampaign) -> None:
    report_river(campaign, is_alone=True)
    assert numbers(campaign, "river").paper == 40


def test_a_cancelled_entry_never_counts_and_stays_on_record(campaign: PublicCampaign) -> None:
    tally = report_river(campaign)
    cancel(tally, ANNA)
    with pytest.raises(NotFound):
        verify(tally, 40, BEN)
    assert newest(Tally).number == 40
    assert paper.sums(campaign.id).waiting["river", "paper"] == 0


@pytest.mark.parametrize("number", [0, MOST + 1, -MOST - 1])
def test_all_entries_of_a_grid_or_none(campaign: PublicCampaign, number: int) -> None:
    entries = [Entry(campaign.case(slug), TallyKind.PAPER, n) for slug, n in (("river", 4), ("lake", number))]
    with pytest.raises(CountFaulty):
        report(entries, TODAY, "", ANNA, is_alone=True)
    assert rows(Tally) == []
    assert numbers(campaign, "river").paper == 0


def test_a_sum_is_never_below_zero(campaign: PublicCampaign) -> None:
    report_river(campaign, 5, is_alone=True)
    with pytest.raises(CountFaulty):
        report_river(campaign, -6, is_alone=True)
    tally = report_river(campaign, -6)
    with pytest.raises(CountFaulty):
        verify(tally, -6, BEN)
    report_river(campaign, -5, is_alone=True)
    assert numbers(campaign, "river").paper == 0


def test_twenty_people_who_verify_one_entry_at_once_count_it_once(app: Flask, campaign: PublicCampaign) -> None:
    tally = report_river(campaign)
    found = in_threads(app, [lambda: verify(tally, 40, BEN)] * 20)
    assert [exc for exc in found if exc is not None and not isinstance(exc, NotFound)] == []
    assert numbers(campaign, "river").paper == 40


def test_each_sum_is_that_of_its_entries_after_any_course(campaign: PublicCampaign) -> None:
    """Some hundred random acts; no number is ever changed."""
    chance = random.Random(18)  # noqa: S311 - the same course at every run
    said: dict[int, int] = {}
    for _ in range(100):
        entry = Entry(campaign.case(chance.choice(["river", "lake"])), chance.choice(list(TallyKind)), 0)
        number = chance.choice([-3, 1, 7, 50])
        with suppress(CountFaulty):
            report([replace(entry, number=number)], TODAY, "", ANNA, is_alone=chance.random() < 0.3)
        said |= {row.id: row.number for row in rows(Tally) if row.id not in said}
        for each in paper.waiting(campaign.id):
            if chance.random() < 0.4:
                with suppress(CountDiffers, CountFaulty, SecondPersonNeeded):
                    verify(each.id, each.number + (chance.random() < 0.1), chance.choice([ANNA, BEN]))
            elif chance.random() < 0.1:
                cancel(each.id, BEN)
    sums = paper.sums(campaign.id)
    for slug in ("river", "lake"):
        found = numbers(campaign, slug)
        assert (found.paper, found.letters) == (sums.verified[slug, "paper"], sums.verified[slug, "letters"])
        assert min(found.paper, found.letters) >= 0
    assert {row.id: row.number for row in rows(Tally)} == said


def test_seeded_bug_a_first_person_who_verifies(campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "SecondPersonNeeded", CountDiffers)
    with pytest.raises(CountDiffers):
        test_a_number_counts_once_a_second_person_counted_the_same(campaign)
