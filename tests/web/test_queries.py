"""The SQL statements of a page: few when it is rendered, none when it is cached."""

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from petitions.db.base import db
from petitions.web.page_cache import PAGE_CACHE, PageCache
from tests.support.factories import ANN, EVE, Person
from tests.support.statements import commits, statements
from tests.web.browsing import DEMO, browser, typed

pytestmark = pytest.mark.usefixtures("kept")

HOME = "/fr/"
CASE = f"/fr/{DEMO}/cases/joel-paredes/"
COUNTS = f"/fr/{DEMO}/counts"
JSON = f"/api/v1/campaigns/{DEMO}/counts.json"
NINE = (
    *("maryia-kalesnikava", "dang-dinh-bach", "kyung-seok-park", "neth-nahara", "manahel-al-otaibi"),
    *("oqba-hashad", "joel-paredes", "sebnem-korur-fincanci", "wetsuweten-land-defenders"),
)


def asked(app: Flask, work: Callable[[], TestResponse], status: int = 200) -> list[str]:
    """The statements that one request sends; a transaction's BEGIN asks nothing."""
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        assert work().status_code == status
    return [text for text in seen if not text.startswith("BEGIN")]


@pytest.mark.parametrize("path", [HOME, f"/fr/{DEMO}/", CASE, COUNTS, JSON, f"/fr/{DEMO}/sign", f"/fr/{DEMO}/thanks"])
def test_a_page_costs_four_statements_cold_and_none_when_it_is_cached(demo: Flask, path: str) -> None:
    client = browser(demo)
    cold = asked(demo, lambda: client.get(path))
    most = 5 if path.endswith("/thanks") else 4  # three load the catalogue, one the counts, one what waits to be sent
    assert 1 <= len(cold) <= most, cold
    assert all(text.lstrip().startswith("SELECT") for text in cold)
    assert asked(demo, lambda: client.get(path)) == []
    assert asked(demo, lambda: client.get(f"{path}?utm_source=x")) == [], "a link from elsewhere costs no more"
    assert asked(demo, lambda: browser(demo, htmx=True).get(path)) == []


def test_the_second_page_needs_the_numbers_only(demo: Flask) -> None:
    client = browser(demo)
    client.get(HOME)
    assert len(asked(demo, lambda: client.get(CASE))) == 1
    assert len(asked(demo, lambda: client.get("/de/"))) == 1


def test_a_known_page_and_a_look_at_the_headers_cost_nothing(demo: Flask) -> None:
    client = browser(demo)
    tag = client.get(HOME).headers["ETag"]
    assert asked(demo, lambda: client.get(HOME, headers={"If-None-Match": tag}), 304) == []
    assert asked(demo, lambda: client.head(HOME)) == []


def test_an_address_that_leads_nowhere_costs_nothing_and_is_not_remembered(demo: Flask) -> None:
    client = browser(demo)
    client.get(HOME)
    for n in range(50):
        assert asked(demo, lambda n=n: client.get(f"/fr/{DEMO}/cases/nope-{n}/"), 404) == []
    pages: PageCache = PAGE_CACHE.of(demo)
    assert len(pages._pages) == len(pages._builders) == 1  # noqa: SLF001 - the size of the cache is tested


def test_signing_nine_costs_no_more_statements_than_signing_one(demo: Flask) -> None:
    client = browser(demo)
    sign = f"/fr/{DEMO}/sign"
    client.post(sign, data=typed(EVE, NINE[:1]))  # keys unlocked, statements compiled
    with demo.app_context():
        engine = db.engine
    costs = {}
    for number in (1, 9):
        person = Person("Ann", str(number) + "x", f"ann{number}@example.org")
        with commits(engine) as seen:
            costs[number] = asked(demo, lambda p=person, n=number: client.post(sign, data=typed(p, NINE[:n])), 303)
        assert len(seen) == 1, "one transaction"
    assert len(costs[9]) == len(costs[1]) <= 7, costs  # one of them counts for the network


def test_a_form_with_a_mistake_writes_nothing_but_that_one_came(demo: Flask) -> None:
    client = browser(demo)
    client.get(HOME)
    cost = asked(demo, lambda: client.post(f"/fr/{DEMO}/sign", data=typed(ANN, [])), 422)
    writing = [statement for statement in cost if not statement.startswith("SELECT")]
    assert len(cost) <= 4
    assert all(statement.startswith("INSERT INTO limits ") for statement in writing)
