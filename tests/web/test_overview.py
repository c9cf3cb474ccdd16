"""The overview beyond its counts: what waits for whom, the people, and the table for spreadsheets."""

import csv
import io
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select, update

from petitions import clock
from petitions.clock import now
from petitions.db.transactions import transaction
from petitions.domain.roles import Role
from petitions.domain.states import TallyKind
from petitions.models import Campaign, Case, CaseText, Recount, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services import ledger
from petitions.services.campaigns import recounting
from petitions.services.paper import tallies
from petitions.services.privacy.erasure import erase_signers
from tests.support.factories import ANN, EVE, confirm, newest, rows
from tests.web.browsing import logged_in, visit

BOARD = "/admin/"
ON = datetime(2026, 3, 1, tzinfo=UTC).date()


def needs(app: Flask, role: Role) -> dict[str, str]:
    """What the overview asks of an account: sentences, and where each leads."""
    page = visit(logged_in(app, role, role), BOARD)
    return {
        item.one("span").text: item.one("a")["href"] for part in page.all(class_="needs") for item in part.all("li")
    }


def test_each_role_is_asked_for_what_it_may_do(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        with transaction() as store:
            store.execute(update(Campaign).values(keys_checked_at=None, closes_at=None, changed_at=now()))
            case = select(Case.id).where(Case.slug == "river").scalar_subquery()
            store.execute(
                update(CaseText).where(CaseText.case_id == case, CaseText.locale == "fr").values(state="draft")
            )
        tallies.report([tallies.Entry(campaign.case("lake"), TallyKind.PAPER, 12)], ON, "", "account 9", is_alone=False)
    backups, paper = "The backups are not in order.", "1 number from paper must be checked."
    keys, end = (
        "It is not proven yet that the keys open what is encrypted to them.",
        "The campaign has no closing date.",
    )
    asked = {role: needs(app, role) for role in Role}
    assert asked[Role.OWNER].items() >= {keys: "/admin/keys", backups: "/admin/health", paper: "/admin/paper"}.items()
    assert asked[Role.EDITOR].items() >= {end: "/admin/campaign", paper: "/admin/paper"}.items()
    assert asked[Role.COUNTER] == {paper: "/admin/paper"}
    assert asked[Role.VIEWER] == {}
    texts = [href for words, href in asked[Role.EDITOR].items() if "missing or not ready" in words]
    assert texts == ["/admin/texts"]


@pytest.mark.usefixtures("campaign")
def test_what_is_in_order_is_not_mentioned(app: Flask) -> None:
    with app.app_context(), transaction() as store:
        store.execute(update(Campaign).values(keys_checked_at=clock.now(), closes_at=clock.now()))
    asked = needs(app, Role.OWNER)
    assert not {"/admin/keys", "/admin/campaign", "/admin/paper", "/admin/mails"} & set(asked.values())


def test_the_table_has_the_counts_and_the_people_but_no_text_of_anybody(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN, "river", "lake")
        confirm(campaign, EVE, "river")
        tallies.record_tally(campaign.case("lake"), TallyKind.PAPER, 1200, ON)
        recounting.recount_due()
    answer = logged_in(app, "viewer", Role.VIEWER).get("/admin/board.csv")
    assert answer.mimetype == "text/csv"
    assert "water-2026.csv" in answer.headers["Content-Disposition"]
    assert answer.text.startswith("\ufeff")
    rows = {row["case"]: row for row in csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))}
    assert (rows["river"]["confirmed"], rows["lake"]["confirmed"], rows["lake"]["paper"]) == ("2", "1", "1200")
    assert rows["river"]["confirmed_today"] == "2"
    assert rows["people"]["confirmed"] == "2"
    assert "2 people had signed until last night." in visit(logged_in(app, "other"), BOARD).text


def test_the_number_of_people_stays_once_the_names_are_erased(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN, "river", "lake")
        with transaction() as store:
            assert erase_signers(store.connection(), [newest(Signer).id], clock.now(), ledger.EXPIRED) == 1
        recounting.recount_due()
        assert [row.people for row in rows(Recount)] == [1]
