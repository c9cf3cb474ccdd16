"""Any request to any form gets an answer below 500 with all headers, and leaves no incomplete rows."""

import dataclasses
import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.datastructures import Headers
from werkzeug.routing import Rule

from petitions.clock import now
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.domain.identity import clean_email, clean_name
from petitions.domain.states import CollectorKind
from petitions.models import Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.moderation import Condition
from petitions.services.mailing import suppression
from petitions.services.moderation import invalidations
from petitions.services.paper import collectors, kit_orders
from petitions.services.signing import confirming, signer_page
from petitions.services.staff import accounts
from petitions.web.security import HEADERS
from tests.reliability.fuzzing import NASTY, Fuzzer, Request
from tests.support.effort import DATABASES, IS_LONG, effort, note
from tests.support.factories import (
    CARLA,
    Keys,
    Person,
    close_app,
    code_of,
    confirm,
    make_app,
    miscounts,
    newest,
    rows,
    sign,
    token_of,
)
from tests.web.browsing import browser
from tests.web.page import Page

SECRET = "only the mail service knows it"
SEED = 20_261_210
# Logging out leads to the login; passwords and the words of a key test cannot be guessed; there is one account;
# a running campaign is not delivered
# They need a password, a code, a number of a row, or a proof of work, which random fields never are
NEVER_TAKEN = {"admin.log_out", "admin.end_sessions", "admin.change_password", "admin.change_staff", "admin.invite"}
NEVER_TAKEN |= {"admin.prove_key", "admin.record_delivery", "admin.begin_second_factor", "admin.accept_invitation"}
NEVER_TAKEN |= {"admin.report_paper", "admin.verify_paper", "admin.change_case", "admin.save_text"}
NEVER_TAKEN |= {"letters.report", "donating.opened"}
FRESH_EVERY = 100  # requests; some of them erase the signers whose links they hold


@pytest.fixture
def app(database_url: str, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """Behind one proxy, so that X-Forwarded-For is read too; as in production, nothing is raised past the server."""
    app = make_app(database_url, tmp_path, keys, bounce_secret=SECRET, proxy_hops=1)
    app.testing = False
    yield app
    close_app(app)


@dataclasses.dataclass
class Answer:
    """What came back, wholly read."""

    status: int = 0
    headers: Headers = dataclasses.field(default_factory=Headers)
    body: bytes = b""


def call(app: Flask, request: Request) -> Answer:
    """Hand the request to the application as a server does, and read the answer to its end."""
    answer = Answer()

    def start(status: str, headers: list[tuple[str, str]], _why: Any = None) -> Callable[[bytes], object]:
        answer.status, answer.headers = int(status.split()[0]), Headers(headers)
        return io.BytesIO().write

    environ = {
        **request.environ,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    parts = app(environ, start)
    answer.body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    return answer


class Target:
    """The application's forms, and how to get as far as possible into each."""

    def __init__(self, app: Flask, campaign: PublicCampaign) -> None:
        self.app, self.campaign = app, campaign
        self.rules = sorted((rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())), key=str)
        self._number = 0
        with app.app_context():
            accounts.create_account(CARLA.name, CARLA.password)
            collectors.create(campaign.slug, CollectorKind.SCHOOL, "A school", 40, now(), None)
            kit_orders.set_open(campaign.slug, True, "command")
        self.refresh()

    def refresh(self) -> None:
        """Two more signers with valid links, a login, and signatures to invalidate."""
        self._number += 1
        client = browser(self.app)
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{self._number % 250}"
        assert client.post("/admin/login", data=dataclasses.asdict(CARLA)).status_code == 303
        cookie = client.get_cookie("petitions")
        assert cookie is not None
        self.cookie = f"petitions={cookie.value}"
        self.csrf = Page(client.get("/admin/mails").text).form("/admin/mails").fields()["csrf_token"][0]
        with self.app.app_context():
            waiting, known = (Person("Ann", name, f"{name}{self._number}@example.net") for name in ("waiting", "known"))
            sign(self.campaign, waiting)
            tokens = [token_of(newest(Signer).id)]
            self.code = {"email": waiting.email, "code": code_of(newest(Signer).id)}
            tokens.append(confirm(self.campaign, known))
            own = [signer_page.link_token(confirming.open_link(token)) for token in tokens]
            self.tokens = {"confirm": tokens, "mine": own, "stop": [suppression.stop_token(known.email)]}
            invalidations.prepare_invalidation(self.campaign.slug, Condition(cases=("lake",)), "A try")

    def path(self, rule: Rule, fuzzer: Fuzzer) -> bytes:
        """Where the rule is, mostly with values that exist."""
        kind = next((kind for kind in self.tokens if f"/{kind}/" in rule.rule), "confirm")
        values: dict[str, Sequence[str]] = {
            "lang": ["fr", "en"],
            "campaign": [self.campaign.slug],
            "case": ["river", "lake"],
            "token": self.tokens[kind],
            "place": ["cases/river", "texts"] if rule.endpoint.endswith("_text") else ["footer", "page"],
            "language": ["fr", "en"],
            "code": ["BCDFG"],
        }
        path = rule.rule.encode()
        for name in sorted(rule.arguments):
            value = fuzzer.dice.choice(values[name]).encode()
            if fuzzer.dice.random() < 0.1:
                value = fuzzer.dice.choice(NASTY) or b"x"
            path = re.sub(rb"<(?:\w+:)?%s>" % name.encode(), lambda _, value=value: value, path)
        return path

    def door(self, rule: Rule) -> tuple[dict[str, str], dict[str, str]]:
        """Fields and headers with which the request gets in."""
        if rule.rule.startswith("/admin/"):
            return {"csrf_token": self.csrf}, {"HTTP_COOKIE": self.cookie}
        if rule.endpoint == "confirming.confirm_by_code":
            return self.code, {}
        return {}, {"HTTP_AUTHORIZATION": f"Bearer {SECRET}"} if rule.rule.startswith("/api/") else {}


def faults(answer: Answer) -> list[str]:
    """What is wrong with an answer, whatever the request was."""
    found = [] if 200 <= answer.status < 500 else [f"status {answer.status}"]
    found += [f"{name} is missing" for name in HEADERS if len(answer.headers.getlist(name)) != 1]
    found += ["Cache-Control is missing"] if len(answer.headers.getlist("Cache-Control")) != 1 else []
    if answer.status >= 400 and answer.headers["Cache-Control"] != "no-store":
        found.append("a failure may be kept")
    return found


def fuzz(target: Target, number: int, rules: Sequence[Rule], caplog: pytest.LogCaptureFixture) -> tuple[Any, Any]:
    """The faults with the number of the request, and how often which status was answered."""
    fuzzer, found, statuses = Fuzzer(SEED), [], Counter[tuple[str, int]]()
    for place in range(number):
        if place % FRESH_EVERY == FRESH_EVERY - 1:
            target.refresh()
        rule = rules[place % len(rules)]
        given, headers = target.door(rule)
        caplog.clear()
        try:
            answer = call(target.app, fuzzer.request(target.path(rule, fuzzer), given, headers))
        except Exception as exc:
            found.append((place, rule.endpoint, f"raised {type(exc).__name__}"))
            continue
        is_through = answer.status < 400 and not answer.headers.get("Location", "").endswith("/admin/login")
        statuses[rule.endpoint, answer.status if is_through or answer.status >= 400 else 401] += 1
        wrong = faults(answer)
        said = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        found += [(place, rule.endpoint, each) for each in wrong + said]
        if rule.endpoint in {"admin.log_out", "admin.end_sessions"} and answer.status == 303:
            target.refresh()
    return found, statuses


def half_written(keys: Keys) -> list[str]:
    """Rows that say less, or other things, than a whole form says."""
    found = [f"miscount {each}" for each in miscounts()]
    signed = {row.signer_id for row in rows(Signature)}
    for row in rows(Signer):
        if row.id not in signed:
            found.append(f"signer {row.id} signed nothing")
        personal = (row.sealed, row.email_key, row.name_key, row.link_id)
        if (row.erased_at is None) != all(personal) or (row.erased_at is not None and any(personal)):
            found.append(f"signer {row.id} is half there")
        if row.sealed is not None:
            said = sealing.unseal(row.sealed, [keys.section_private])
            kept = (clean_name(said["first_name"]), clean_name(said["last_name"]), clean_email(said["email"]))
            if kept != (said["first_name"], said["last_name"], said["email"]):
                found.append(f"signer {row.id} is kept other than cleaned")
    return found


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_no_request_makes_the_server_fail(
    app: Flask, campaign: PublicCampaign, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    target, number = Target(app, campaign), effort(700, 20_000)
    found, statuses = fuzz(target, number, target.rules, caplog)
    assert found == []
    never = {rule.endpoint for rule in target.rules} - {endpoint for endpoint, status in statuses if status < 400}
    left = never - NEVER_TAKEN
    assert not left if IS_LONG else len(left) < len(target.rules) / 3, "forms are taken too, sometimes"
    with app.app_context():
        assert half_written(keys) == []
    database = "SQLite" if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"] else "Postgres"
    by_status = Counter({status: 0 for _, status in statuses})
    for (_, status), times in statuses.items():
        by_status[status] += times
    told = ", ".join(f"{times} x {status}" for status, times in sorted(by_status.items()))
    note("fuzz", database, f"{number} requests that no browser sends, to {len(target.rules)} forms", f"0 x 500; {told}")


def test_a_view_that_fails_on_one_byte_is_noticed(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    view = app.view_functions["signing.sign_case"]

    def brittle(**values: str) -> object:
        if "\0" in "".join(request.form.values()):
            raise ValueError("embedded null byte")
        return view(**values)

    monkeypatch.setitem(app.view_functions, "signing.sign_case", brittle)
    target = Target(app, campaign)
    rules = [rule for rule in target.rules if rule.endpoint == "signing.sign_case"]
    found, _ = fuzz(target, 60, rules, caplog)
    assert {what for _, _, what in found if what.startswith("status")} == {"status 500"}


def test_an_answer_without_its_headers_is_noticed(
    app: Flask, campaign: PublicCampaign, caplog: pytest.LogCaptureFixture
) -> None:
    def forget(response: Any) -> Any:
        if response.status_code == 422:
            del response.headers["Content-Security-Policy"]
        return response

    app.after_request_funcs[None].insert(0, forget)  # the last to be asked
    target = Target(app, campaign)
    found, _ = fuzz(target, 60, target.rules, caplog)
    assert {what for _, _, what in found} == {"Content-Security-Policy is missing"}


def test_a_signer_without_signatures_is_noticed(app: Flask, campaign: PublicCampaign, keys: Keys) -> None:
    with app.app_context():
        confirm(campaign)
        assert half_written(keys) == []
        with transaction() as store:
            store.query(Signature).delete()
            store.query(Signer).update({"email_key": None})
        said = half_written(keys)
    assert {"signer 1 signed nothing", "signer 1 is half there"} <= set(said)
    assert any(each.startswith("miscount") for each in said)
