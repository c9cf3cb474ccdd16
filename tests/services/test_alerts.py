"""Those who run the server get one e-mail a day while something needs them, and none otherwise."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from petitions.clock import stopped_at
from petitions.queries.catalogue import PublicCampaign
from petitions.services.operations import alerts, diagnosis
from petitions.settings import SETTINGS
from tests.support.factories import ANN, sign
from tests.support.smtp import MailServer, mail_server

pytestmark = pytest.mark.usefixtures("context")
MORNING = datetime(2026, 12, 10, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def relay(app: Flask, campaign: PublicCampaign) -> Iterator[MailServer]:
    """A mail server, and two people who run the server; no nightly backup is set up, which is a fault."""
    with mail_server() as server:
        said = {"mail_url": server.url, "alerts_to": "anna@example.org, ben@example.org", "demo": False}
        SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), **said))
        yield server


def test_what_needs_somebody_is_sent_once_a_day(relay: MailServer) -> None:
    with stopped_at(MORNING):
        assert alerts.alert_due()
        assert not alerts.alert_due()
    assert relay.recipients == ["anna@example.org", "ben@example.org"]
    mail = relay.message()
    text = mail.get_content()
    assert "- No backups are made: set PETITIONS_BACKUPS to a folder" in text
    assert mail["Subject"].startswith("localhost: ")
    assert mail["Auto-Submitted"] == "auto-generated"
    with stopped_at(MORNING + timedelta(hours=20)):
        assert not alerts.alert_due(), "the next day, but before five in the morning"
    with stopped_at(MORNING + DAY):
        assert alerts.alert_due()


def test_nothing_is_sent_when_all_is_well(relay: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", lambda: diagnosis.Checkup([], ["a note"]))
    with stopped_at(MORNING):
        assert not alerts.alert_due()
    assert relay.recipients == []


def test_a_mail_server_that_says_later_gets_it_again(relay: MailServer) -> None:
    relay.answer_all = "451 later"
    with stopped_at(MORNING):
        assert not alerts.alert_due()
    relay.answer_all = ""
    with stopped_at(MORNING + timedelta(hours=1)):
        assert alerts.alert_due()


def test_no_signer_is_named(relay: MailServer, campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    with stopped_at(MORNING):
        assert alerts.alert_due()
    whole = relay.message().as_string()
    for word in (ANN.email, ANN.first_name, ANN.last_name):
        assert word not in whole


def test_without_addresses_nothing_is_checked(app: Flask, relay: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), alerts_to=""))
    monkeypatch.setattr(diagnosis, "diagnose", lambda: pytest.fail("checked for nobody"))
    with stopped_at(MORNING):
        assert not alerts.alert_due()
