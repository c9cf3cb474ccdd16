"""What a signer does costs the same with a million others in the database: no statement reads a whole table."""

import re

import pytest
from flask import Flask

from petitions.db.base import db
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.services import confirming, mine
from petitions.worker import send_due
from tests.support.factories import ANN, BOB, CONSENT, EVE, code_of, sign, token_of
from tests.support.statements import statements

GROWING = "signers|signatures|messages|mail_slots|limits"
pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


def scans(texts: list[str]) -> set[str]:
    """The statements that would read a growing table from end to end, by SQLite's own plan."""
    found = set()
    with db.engine.connect() as connection:
        for text in set(texts):
            if text.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (None,) * text.count("?"))
                found |= {text for row in plan if re.match(rf"SCAN ({GROWING})\b", row[3])}
    return found


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
    page = mine.link_token(facts)
    mine.withdraw(page, [campaign.cases[0].id])
    mine.sign_more(page, campaign, campaign.cases, CONSENT)
    mine.correct_name(page, "Anna", "")
    mine.set_language(page, "en")
    mine.stored_data(page)
    mine.request_link(campaign, ANN.email, "fr")
    send_due()
    mine.erase(page)


def test_no_act_of_a_signer_reads_a_whole_table(app: Flask, campaign: PublicCampaign) -> None:
    sign(campaign, EVE)  # the first of all writes down the words of the form, which looks through the others
    with statements(db.engine) as seen:
        live(campaign)
    assert len(seen) > 40
    assert scans(seen) == set()
    assert scans([*seen, "SELECT id FROM signers WHERE email_key = ?"]), "without the campaign no index helps"
