"""An acknowledgement means a record: every form is sent, and each 303 has its rows in the database."""

from typing import Any

import pytest
from flask import Flask

from petitions.models import Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.paper import kit_orders
from tests.support.factories import ANN, EVE, dump, rows
from tests.web.browsing import browser, code, link, mails, sign_all, sign_one

pytestmark = pytest.mark.usefixtures("campaign")

HERE = "/fr/water-2026"
WORDS = {"api_bounces.bounced", "donating.opened", "signer_page.stop_mails"}  # these do not answer with a 303


def kept(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored, but for limits, which are no records."""
    with app.app_context():
        everything = dump()
    return {table: found for table, found in everything.items() if table not in ("limits", "mail_slots")}


def test_every_path_that_answers_303_leaves_a_record(app: Flask) -> None:
    client, walked = browser(app), set()
    adapter = app.url_map.bind("localhost")

    def send(path: str, **fields: Any) -> None:
        before = kept(app)
        assert client.post(path, data=fields).status_code == 303, path
        assert kept(app) != before, f"thanked, and nothing recorded: {path}"
        walked.add(adapter.match(path, "POST")[0])

    ann = {"first_name": ANN.first_name, "last_name": ANN.last_name, "email": ANN.email}
    send(f"{HERE}/sign", cases=["river"], **ann)
    send(f"{HERE}/cases/lake/sign", **ann)
    first, second = mails(app)
    confirm = link(first)
    send(f"{HERE}/code", email=ANN.email, code=code(second))
    send(f"{confirm}/more", cases=["forest"])
    send(f"{HERE}/mine", email=ANN.email)
    mine = link(mails(app)[-1])
    send(f"{mine}/withdraw", cases=["lake"])
    send(f"{mine}/more", cases=["lake"])
    send(f"{mine}/name", first_name="Anna", last_name=ANN.last_name)
    send(f"{mine}/newsletter", newsletter="y")
    send(f"{mine}/named", unnamed="y")
    send(f"{mine}/language", language="en")
    send(f"{mine}/erase")
    send(f"{HERE}/sign", cases=["river"], first_name="Eve", last_name="M", email=EVE.email)
    theirs = link(mails(app)[-1])
    send(theirs)
    send(f"{HERE}/cases/lake/sign", first_name="Eve", last_name="M", email=EVE.email)
    send(f"{theirs}/not-me")
    send(f"/embed{HERE}/sign", cases=["river"], first_name="Eve", last_name="N", email=EVE.email)
    send(f"/embed{HERE}/lake/sign", first_name="Eve", last_name="O", email=EVE.email)

    send(f"{HERE}/cases/lake/letter/posted", letters="2")
    send(f"{HERE}/collectors/", kind="school", title="Lycée X", email="lycee@example.org")
    [invited] = [path for path in map(link, mails(app)) if "/collector/" in path]
    send(invited, act="begin")
    with app.app_context():
        kit_orders.set_open("water-2026", True, "command")
    send(f"{HERE}/kit/order", recipient="Eve M", address="1, Main Street", number="1", language="en")

    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not rule.endpoint.startswith("admin.")
    }
    assert walked == public - WORDS, "every form of the public pages is walked here"


def test_whatever_stands_in_the_form_an_acknowledgement_has_a_record(app: Flask, campaign: PublicCampaign) -> None:
    odd: list[dict[str, Any]] = [
        *({"remark": "x"}, {"elapsed": "0"}, {"elapsed": "19"}, {"website": "x"}, {"elapsed": "x"}),
        *({"proof": "x"}, {"pass_code": "x"}, {"remark": "x", "pass_code": "x", "proof": "x"}),
    ]
    recorded = 0
    for number, over in enumerate(odd * 2):
        over = {**over, "email": f"a{number}@example.org"}
        answer = sign_one(browser(app), **over) if number < len(odd) else sign_all(browser(app), ["lake"], **over)
        assert answer.status_code in (303, 422)
        recorded += answer.status_code == 303
        with app.app_context():
            assert len(rows(Signer)) == recorded, over


def test_where_nothing_was_ticked_nothing_is_said_to_be_done(app: Flask) -> None:
    client = browser(app)
    sign_one(client)
    client.post(link(mails(app)[0]))
    client.post(f"{HERE}/mine", data={"email": ANN.email})
    mine = link(mails(app)[-1])
    for act in ("withdraw", "more"):
        answer = client.post(f"{mine}/{act}", data={"cases": ["nothing"]})
        assert "done=" not in answer.headers["Location"]
