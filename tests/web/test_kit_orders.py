"""Printed kits by post: ordered on a public page, packed by staff, erased in time, and readable in no file."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from petitions.clock import now, stopped_at
from petitions.domain.roles import Role
from petitions.models import KitOrder
from petitions.queries.catalogue import PublicCampaign
from petitions.services import journal
from petitions.services.paper import kit_orders
from tests.support.factories import rows
from tests.web.browsing import browser, logged_in, page_of, press, visit

ORDER, DESK = "/en/water-2026/kit/order", "/admin/kit-orders"
TYPED = {"recipient": "Mme Ëmilie Žák", "address": "Lycée Nord\r\n1, rue du Lac\r\nL-1234 Luxembourg", "number": "2"}


@pytest.fixture
def desk(app: Flask, campaign: PublicCampaign) -> FlaskClient:
    """An owner's browser; the campaign takes orders."""
    owner = logged_in(app, "oona")
    assert act(owner, act="open") == 303
    return owner


def act(owner: FlaskClient, **typed: str) -> int:
    token = visit(owner, DESK).all("input", name="csrf_token")[0]["value"]
    return owner.post(DESK, data={"csrf_token": token, **typed}).status_code


def order(app: Flask, **over: str) -> int:
    client = browser(app)
    return press(client, visit(client, ORDER).form(ORDER), **{**TYPED, **over}).status_code


def test_an_order_goes_from_the_page_to_the_label_and_is_erased(app: Flask, desk: FlaskClient) -> None:
    client = browser(app)
    assert visit(client, "/en/water-2026/kit/").one("a", href=ORDER)
    answer = press(client, visit(client, ORDER).form(ORDER), **TYPED, language="fr")
    assert answer.status_code == 303
    assert visit(client, str(answer.location)).h1 == "Thank you for your order."

    [row] = visit(desk, DESK).one("tbody").all("tr")
    assert "Mme Ëmilie Žák" in row.text
    assert "L-1234 Luxembourg" in row.text
    [label] = visit(desk, f"{DESK}/labels").one("ul", class_="labels").all("li")
    assert label.text.startswith("2 × FR")
    assert press(desk, row.one("form"), act="sent").status_code == 303
    page = visit(desk, DESK)
    assert not page.all("tbody")
    assert "2 kits were sent" in page.text
    assert act(desk, act="sent", number="1") == 404, "once"
    with app.app_context():
        assert [(row.subject, row.number) for row in journal.newest(acts=["kit sent"])] == [("order 1", 2)]
        with stopped_at(now() + timedelta(days=29)):
            kit_orders.maintain()
            assert rows(KitOrder)
        with stopped_at(now() + timedelta(days=31)):
            kit_orders.maintain()
            assert not rows(KitOrder)


def test_no_file_shows_who_ordered(app: Flask, desk: FlaskClient, tmp_path: Path) -> None:
    assert order(app) == 303
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [word for word in ("Žák", "rue du Lac", "L-1234") if word.encode() in data], path


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"recipient": "  "}, "recipient"),
        ({"recipient": "x" * 121}, "recipient"),
        ({"address": ""}, "address"),
        ({"address": "\n".join("abcdefg")}, "address"),
        ({"address": "x" * 301}, "address"),
        ({"number": "0"}, "number"),
        ({"number": "51"}, "number"),
        ({"number": "٣"}, "number"),
        ({"language": "xx"}, "language"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    app: Flask, desk: FlaskClient, over: dict[str, str], field: str
) -> None:
    client = browser(app)
    page = page_of(press(client, visit(client, ORDER).form(ORDER), **{**TYPED, **over}), 422)
    assert page.one(id=f"order-{field}-error").text
    kept = page.form(ORDER).fields()
    others = {name: typed.replace("\r", "") for name, typed in TYPED.items() if name != field}
    assert {name: kept[name][0].replace("\r", "").strip() for name in others} == others, "nothing typed is lost"
    with app.app_context():
        assert not rows(KitOrder)


def test_orders_are_taken_only_where_staff_send_kits_and_few_from_one_network(app: Flask, desk: FlaskClient) -> None:
    client = browser(app)
    client.environ_base["REMOTE_ADDR"] = "198.51.100.9"
    form = visit(client, ORDER).form(ORDER)
    assert [press(client, form, **TYPED).status_code for _ in range(6)] == [303] * 5 + [429]
    assert act(desk, act="refuse", number="3") == 303
    assert act(desk, act="refuse", number="3") == 404
    assert len(visit(desk, DESK).one("tbody").all("tr")) == 4
    assert act(desk, act="close") == 303
    assert client.get(ORDER).status_code == client.post(ORDER, data=TYPED).status_code == 404
    assert not visit(client, "/en/water-2026/kit/").all("a", href=ORDER)
    assert act(desk, act="x", number="1") == act(desk, act="sent", number="x") == 404


def test_only_owners_see_names(app: Flask, desk: FlaskClient) -> None:
    for role in (Role.EDITOR, Role.COUNTER, Role.VIEWER):
        other = logged_in(app, role, role)
        assert {other.get(path).status_code for path in (DESK, f"{DESK}/labels")} == {403}
