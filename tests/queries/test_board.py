"""The staff overview: numbers of each case, and no person."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.domain.states import TallyKind
from petitions.models import Message
from petitions.queries import board
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.counts import Numbers
from petitions.services.mailing import outbox
from petitions.services.paper.tallies import record_tally
from petitions.services.signing import confirming
from tests.support.factories import ANN, EVE, confirm, make_campaign, newest, sign, token_of

pytestmark = pytest.mark.usefixtures("context")


def test_before_the_first_import_there_is_no_board() -> None:
    assert board.of("", "fr") is None


def test_each_case_is_a_line_in_its_order_with_the_hidden_ones(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "new", slug="new", states={"forest": "hidden", "lake": "draft"})
    found = board.of("", "en")
    assert found is not None
    assert [(line.slug, line.title, line.state, line.goal, line.country) for line in found.lines] == [
        ("river", "The river (en)", "open", 100, "BY"),
        ("forest", "The forest (en)", "hidden", 100, "BY"),
        ("lake", "The lake (en)", "draft", 100, "BY"),
    ]


def test_titles_that_are_not_translated_stand_there_in_the_source_language(campaign: PublicCampaign) -> None:
    found = board.of("", "de")
    assert found is not None
    assert [line.title for line in found.lines] == ["The river (fr)", "The forest (fr)", "The lake (fr)"]


def test_numbers_are_those_of_all_time_and_of_today(campaign: PublicCampaign) -> None:
    begun = now().replace(hour=12)
    with stopped_at(begun - timedelta(days=1)):
        confirm(campaign, ANN)
    with stopped_at(begun):
        sign(campaign, EVE, "river")
        confirming.reject_signer(token_of(2))
        record_tally(campaign.case("river"), TallyKind.LETTERS, 9, begun.date())
        found = board.of("", "fr")
    assert found is not None
    river = found.lines[0]
    assert river.numbers == Numbers(confirmed=1, withdrawn=1, letters=9)
    assert river.today == Numbers(withdrawn=1, letters=9)
    assert found.total == Numbers(confirmed=3, withdrawn=1, letters=9)
    assert found.today == river.today
    assert found.as_of == begun


def test_the_open_campaign_is_shown_before_newer_ones(app: Flask, campaign: PublicCampaign, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "new", slug="new", state='"closed"', opens_at="2999-01-01T00:00:00Z")
    found = board.of("", "fr")
    assert found is not None
    assert found.campaign == "water-2026"


def test_the_outbox_says_what_waits_and_what_failed_but_not_what_was_taken_back(campaign: PublicCampaign) -> None:
    begun = now()
    with stopped_at(begun):
        for person in (ANN, EVE):
            sign(campaign, person)
    [failed, _] = outbox.lease(2)
    outbox.mark_failed(failed.id, "smtp_550")
    found = board.of("", "fr")
    assert found is not None
    assert (found.outbox.waiting, found.outbox.failed, found.outbox.oldest_at) == (1, 1, begun)

    confirming.reject_signer(token_of(newest(Message).signer_id))
    found = board.of("", "fr")
    assert found is not None
    assert (found.outbox.waiting, found.outbox.failed, found.outbox.oldest_at) == (0, 1, None)
