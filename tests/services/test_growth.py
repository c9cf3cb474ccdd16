"""Signing costs the same with a million signers in the database: no statement reads a whole table."""

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from petitions.db.base import db
from petitions.db.transactions import reading
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.sending import send_due
from petitions.services.signing import confirming, signer_page
from tests.support.factories import ANN, BOB, CONSENT, EVE, code_of, sign, token_of
from tests.support.statements import statements

GROWING = "signers|signatures|messages|mail_slots|limits"
pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


def scans(texts: list[str]) -> set[str]:
    """The statements that would read a growing table from end to end, by SQLite's own plan."""
    return {text for text in set(texts) for step in plan(text) if re.match(rf"SCAN ({GROWING})\b", step)}


def plan(text: str) -> list[str]:
    """SQLite's plan of a statement, step by step."""
    if text.split()[0] not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        return []
    parameters = max(map(int, re.findall(r"\?(\d+)", text)), default=text.count("?"))
    with db.engine.connect() as connection:
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (None,) * parameters)]


def live(campaign: PublicCampaign) -> None:
    """Everything that a signer does."""
    sign(campaign, ANN)
    sign(campaign, BOB, "river")
    sign(campaign, ANN, "lake")
    signer_id = 2
    facts = signer_query.facts(signer_id)
    confirming.open_link(token_of(signer_id))
    confirming.confirm_signer(token_of(signer_id), wants_receipt=True)
    confirming.confirm_by_code(campaign, ANN.email, code_of(signer_id))
    page = signer_page.link_token(facts)
    signer_page.withdraw(page, [campaign.cases[0].id])
    signer_page.sign_more(page, campaign, campaign.cases, CONSENT)
    signer_page.correct_name(page, "Anna", "")
    signer_page.set_language(page, "en")
    signer_page.stored_data(page)
    signer_page.request_link(ANN.email, "fr", campaign, "10.0.0.1")
    send_due()
    signer_page.erase(page)


def test_no_act_of_a_signer_reads_a_whole_table(app: Flask, campaign: PublicCampaign) -> None:
    sign(campaign, EVE)  # the first of all writes down the words of the form, which looks through the others
    with statements(db.engine) as seen:
        live(campaign)
    assert len(seen) > 40
    assert scans(seen) == set()
    assert scans([*seen, "SELECT id FROM signers WHERE email_key = ?"]), "without the campaign no index helps"


def test_no_act_of_a_signer_looks_through_all_mails_that_wait(app: Flask, campaign: PublicCampaign) -> None:
    with statements(db.engine) as seen:
        for person in (ANN, BOB):
            sign(campaign, person)
        confirming.confirm_signer(token_of(1), wants_receipt=True)
        confirming.reject_signer(token_of(2))
        signer_page.erase(signer_page.link_token(signer_query.facts(1)))
    assert [text for text in seen if any("ix_messages_state_due_at" in step for step in plan(text))] == []
    by_state = "UPDATE messages SET failure = ? WHERE signer_id IN (?, ?) AND state = ?"
    assert "ix_messages_state_due_at" in plan(by_state)[0]


def test_nobody_takes_a_connection_while_holding_one(app: Flask, campaign: PublicCampaign) -> None:
    """There are fewer connections than threads: to wait for a second one could last for ever."""
    sign(campaign, EVE)  # from here on the queue keeps its own
    held, most = 0, 0

    def take(*_: Any) -> None:
        nonlocal held, most
        held += 1
        most = max(most, held)

    def give(*_: Any) -> None:
        nonlocal held
        held -= 1

    event.listen(db.engine, "checkout", take)
    event.listen(db.engine, "checkin", give)
    try:
        live(campaign)
        assert (held, most) == (0, 1)
        with reading(), reading():
            assert most == 2
    finally:
        event.remove(db.engine, "checkout", take)
        event.remove(db.engine, "checkin", give)
