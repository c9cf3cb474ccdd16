"""Sending: at the speed that the mail server allows, over a few connections at once, and slower when it says no."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from petitions import sending
from petitions.clock import now, stopped_at
from petitions.models import Message
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import rate_limits
from petitions.services.mailing import forecast, outbox
from petitions.services.operations import machine_checks
from petitions.settings import SETTINGS, Settings
from petitions.worker import Worker
from tests.support.factories import Person, rows, sign
from tests.support.smtp import MailServer, mail_server
from tests.web.browsing import browser, visit

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A friendly mail server."""
    with mail_server() as running:
        yield running


def send_to(app: Flask, url: str, **over: Any) -> Settings:
    """Give `app` this mail server and these limits."""
    chosen: Settings = replace(SETTINGS.of(app), mail_url=url, **over)
    SETTINGS.put(app, chosen)
    return chosen


def crowd(campaign: PublicCampaign, number: int, name: str = "p") -> None:
    """So many people sign."""
    for each in range(number):
        sign(campaign, Person("P", str(each), f"{name}{each}@example.org"), "river")


def test_one_slow_answer_does_not_hold_up_the_others(app: Flask, campaign: PublicCampaign, server: MailServer) -> None:
    send_to(app, server.url)
    crowd(campaign, 2 * sending.BATCH)
    server.gate = gate = threading.Event()
    worker = Worker(app)
    worker._work.set()  # noqa: SLF001 - as if the first batch were full
    worker.start()
    try:
        give_up_at = time.monotonic() + 20
        while len(server.mails) < sending.BATCH:
            assert time.monotonic() < give_up_at, "the second sender waits for the first one"
            time.sleep(0.02)
    finally:
        gate.set()
        worker.finish(20)
    assert len(set(server.recipients)) == len(server.recipients), "none is sent twice"


def test_what_the_limits_leave_over_waits_or_leaves_by_the_second_server(
    app: Flask, campaign: PublicCampaign, server: MailServer
) -> None:
    send_to(app, server.url, mail_per_hour=3, mail_per_day=5)
    crowd(campaign, 10)
    begun = now()
    with stopped_at(begun):
        assert [sending.send_due(), sending.send_due()] == [3, 0]
    with stopped_at(begun + timedelta(minutes=61)):
        assert [sending.send_due(), sending.send_due()] == [2, 0], "the day's limit"
    with mail_server() as other, stopped_at(begun + timedelta(minutes=62)):
        send_to(app, server.url, mail_per_hour=3, mail_per_day=5, mail_url_second=other.url)
        assert sending.send_due() == 5
        assert (len(server.mails), len(other.mails)) == (5, 5)
    assert len({*server.recipients, *other.recipients}) == 10


def test_a_server_that_says_later_is_left_alone_for_a_while(
    app: Flask, campaign: PublicCampaign, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_to(app, server.url)
    crowd(campaign, sending.BATCH)
    server.answer_all = "451 too many"
    sender, seconds = sending.Sender(), [1000.0]
    monkeypatch.setattr(sending.time, "monotonic", lambda: seconds[0])
    assert sender.send_due() == sending.MOST_REFUSED, "the others are not tried, so they do not wait for an hour"
    assert sender.send_due() == 0
    seconds[0] += sending.SHORTEST_PAUSE
    assert sender.send_due() == sending.MOST_REFUSED
    seconds[0] += sending.SHORTEST_PAUSE
    assert sender.send_due() == 0, "the second pause is longer"
    seconds[0] += sending.SHORTEST_PAUSE
    server.answer_all = ""
    assert sender.send_due() == sending.BATCH - 2 * sending.MOST_REFUSED
    sender.close()
    assert [row.attempts for row in rows(Message)].count(0) == 0


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_senders_lease_different_mails_at_the_same_time(app: Flask, campaign: PublicCampaign) -> None:
    crowd(campaign, 3 * 8)
    won: list[list[int]] = []

    def take() -> None:
        with app.app_context():
            won.append([each.id for each in outbox.lease(8)])

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(each) for each in won) == [8, 8, 8]
    assert len({number for each in won for number in each}) == 24


def test_a_reservation_counts_only_what_all_limits_allow(app: Flask) -> None:
    minute = rate_limits.Rule("a", 10, timedelta(minutes=1))
    day = rate_limits.Rule("b", 15, timedelta(days=1))
    begun = now()
    with stopped_at(begun):
        assert [rate_limits.reserve([minute, day], "all", 8) for _ in range(3)] == [8, 2, 0]
    with stopped_at(begun + timedelta(minutes=2)):
        assert rate_limits.reserve([minute, day], "all", 8) == 5
    assert app is not None


def test_staff_and_signers_learn_how_long_the_last_mail_will_wait(
    app: Flask, campaign: PublicCampaign, server: MailServer
) -> None:
    config = send_to(app, server.url, mail_per_minute=2)
    thanks = "/en/water-2026/thanks"
    begun = now()
    with stopped_at(begun):
        crowd(campaign, 3)
        assert forecast.minutes_left(config) == 1, "two leave at once, the third a minute later"
        assert machine_checks.faults(config) == []
        assert "Very many people" not in visit(browser(app), thanks).text
    with stopped_at(begun + timedelta(minutes=1)):
        crowd(campaign, 12, "q")
        assert sending.send_due() == 2
        assert forecast.minutes_left(config) == 7
        [fault] = machine_checks.faults(config)
        assert "will have left in 7 minutes" in fault
        later = visit(browser(app), "/en/water-2026/cases/river/thanks")
        assert "Your e-mail will leave within 10 minutes." in later.text
