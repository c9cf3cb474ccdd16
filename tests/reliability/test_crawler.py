"""GET never writes: a crawler opens every route, with valid links, and the database stays unchanged.

The routes come from the application itself. A route with an unknown parameter fails the test.
"""

import html
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Map, PathConverter, Rule, UnicodeConverter
from werkzeug.test import TestResponse

from petitions.clock import now
from petitions.domain.states import CollectorKind
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.moderation import Condition
from petitions.services.moderation import invalidations
from petitions.services.paper import collectors, kit_orders
from petitions.services.signing import confirming
from petitions.services.signing.signer_page import link_token
from petitions.services.staff import accounts
from petitions.web.i18n import LanguageConverter
from tests.support.effort import DATABASES, effort, note
from tests.support.factories import ANN, BASE_URL, CARLA, EVE, Keys, close_app, dump, make_app, miscounts
from tests.web.browsing import STAFF_PATHS, browser, link, mails, own_links, sign_all, sign_one, visit

METHODS = ("GET", "HEAD", "OPTIONS")
HEADERS = ({}, {"HX-Request": "true", "HX-Target": "main"}, {"Sec-Fetch-Site": "cross-site", "Purpose": "prefetch"})
KNOWN_CONVERTERS = {UnicodeConverter, PathConverter, LanguageConverter}
LINK = re.compile(r'\b(?:href|src|action|data-hx-\w+|hx-\w+)="([^"]*)"')
MOST = 600  # paths; a site that makes up new ones for ever would be a fault


@pytest.fixture
def app(database_url: str, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """Everything that can be switched on is: in demo mode there are pages more."""
    app = make_app(database_url, tmp_path, keys, demo=True, security_contact="mailto:security@example.org")
    yield app
    close_app(app)


@pytest.fixture
def tokens(app: Flask, campaign: PublicCampaign) -> list[str]:
    """Links that live: of Ann, who has not confirmed yet, and of Eve, who has; and links that nobody made."""
    client = browser(app)
    sign_all(client, ["river", "lake"], ANN)
    sign_one(client, "river", EVE)
    anns, eves = mails(app)
    client.post(link(eves))
    sign_one(client, "forest", EVE)  # waits in the outbox
    with app.app_context():
        facts = [confirming.open_link(link(mail).rpartition("/")[2]) for mail in (anns, eves)]
        own = [link_token(each) for each in facts]
        accounts.create_account(CARLA.name, CARLA.password)
        collectors.create(campaign.slug, CollectorKind.SCHOOL, "A school", 40, now(), None)
        kit_orders.set_open(campaign.slug, True, "command")
        invalidations.prepare_invalidation(campaign.slug, Condition(cases=("lake",)), "A try")
    mailed = [path.rpartition("/")[2] for mail in (anns, eves) for path in own_links(mail) if path.count("/") == 3]
    return [*mailed, *own, "nobody-made-this"]


def routes(url_map: Map, tokens: list[str]) -> set[str]:
    """The path of every route that can be opened, with every value that makes sense there."""
    values = {
        "lang": ["fr"],
        "campaign": ["water-2026", "nope"],
        "case": ["river", "nope"],
        "token": tokens,
        "digest": ["x"],
        "key": ["0"],
        "story": ["nope"],
        "name": ["css/site.css"],
        "language": ["fr"],
        "code": ["nope"],
        "place": ["texts", "cases/river", "nope"],
    }
    return {path for rule in url_map.iter_rules() if "GET" in (rule.methods or ()) for path in paths(rule, values)}


def paths(rule: Rule, values: dict[str, list[str]]) -> Iterator[str]:
    names = sorted(rule.arguments)
    for name in names:
        assert name in values, f"tell the crawler what <{name}> may be in {rule.rule}"
        assert type(rule._converters[name]) in KNOWN_CONVERTERS, f"what may <{name}> be in {rule.rule}?"  # noqa: SLF001 - Werkzeug has no public name for it
    for chosen in itertools.product(*(values[name] for name in names)):
        path = rule.rule
        for name, value in zip(names, chosen, strict=True):
            path = re.sub(rf"<(?:\w+:)?{name}>", value, path)
        assert "<" not in path, rule.rule
        yield path


def is_answer(answer: TestResponse) -> bool:
    """Whether this is no fault of the server; a document that is still being made comes later, on a busy machine."""
    is_in_making = answer.status_code == 503 and answer.request.path.endswith((".pdf", ".zip"))
    return answer.status_code < 500 or is_in_making


def crawl(client: FlaskClient, begin: set[str]) -> set[str]:
    """Open all of these paths, and whatever they lead to on this server; forms' addresses too, though by GET."""
    waiting, seen = sorted(begin), set(begin)
    while waiting:
        path = waiting.pop()
        answer = client.get(path)
        assert is_answer(answer), path
        found = LINK.findall(answer.text) if answer.mimetype == "text/html" else []
        for address in [*map(html.unescape, found), answer.headers.get("Location", "")]:
            whole = urlsplit(urljoin(BASE_URL + path, address))
            target = whole._replace(scheme="", netloc="", fragment="").geturl()
            if f"{whole.scheme}://{whole.netloc}" == BASE_URL and target not in seen:
                seen.add(target)
                waiting.append(target)
        assert len(seen) < MOST, "the site has no end"
    return seen


def carlas(app: Flask) -> FlaskClient:
    """A logged-in browser."""
    client = browser(app)
    login = {"name": CARLA.name, "password": CARLA.password}
    assert client.post("/admin/login", data=login).status_code == 303
    visit(client, "/admin/")
    return client


def opened_everything(
    app: Flask, tokens: list[str], kinds: Sequence[dict[str, str]] = HEADERS[: effort(2, 3)]
) -> tuple[int, list[str]]:
    """How many requests were made, and which tables are not what they were before."""
    begin = routes(app.url_map, tokens)
    clients = [browser(app), carlas(app)]
    with app.app_context():
        before = dump()
    number = 0
    for client in clients:
        everywhere = sorted(crawl(client, begin))
        for method, headers, path in itertools.product(METHODS, kinds, everywhere):
            assert is_answer(client.open(path, method=method, headers=headers)), path
            number += 1
    with app.app_context():
        after = dump()
        assert miscounts() == []
    return number, [table for table in before if before[table] != after[table]]


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_reading_pages_changes_nothing(app: Flask, tokens: list[str]) -> None:
    number, changed = opened_everything(app, tokens)
    assert changed == []
    database = "SQLite" if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"] else "Postgres"
    done = "a visitor and staff look at every route, with living links"
    note("GET", database, done, f"{number} requests, no row changed")


def test_every_kind_of_link_is_looked_at_while_it_lives(app: Flask, tokens: list[str]) -> None:
    client = browser(app)
    personal = re.compile(r"/fr/(confirm|mine|stop)/[^/]+")
    found = [path for path in routes(app.url_map, tokens) if personal.fullmatch(path)]
    alive = [path.split("/")[2] for path in found if client.get(path).status_code == 200]
    assert {kind: alive.count(kind) for kind in alive} == {"confirm": 2, "mine": 2, "stop": 2}
    assert "/confirm/" in client.get("/demo/mailbox/").text, "the crawler finds the links of mails by itself too"
    assert all(carlas(app).get(path).status_code == 200 for path in STAFF_PATHS)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_button_that_acts_when_it_is_only_looked_at_is_noticed(
    app: Flask, tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = app.view_functions["confirming.confirm_form"]

    def hasty(token: str) -> object:
        confirming.confirm_signer(token)
        return look(token=token)

    monkeypatch.setitem(app.view_functions, "confirming.confirm_form", hasty)
    _, changed = opened_everything(app, tokens, kinds=())
    assert "signatures" in changed


def test_a_route_that_the_crawler_does_not_know_fails_it(app: Flask, tokens: list[str]) -> None:
    app.url_map.add(Rule("/<lang:lang>/<flavour>/taste", endpoint="taste", methods=["GET"]))
    with pytest.raises(AssertionError, match="<flavour>"):
        routes(app.url_map, tokens)
