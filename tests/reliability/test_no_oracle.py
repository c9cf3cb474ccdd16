"""No oracle: whatever is known of an address, the answer is the same to the byte, and takes as long."""

import dataclasses
import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import Connection
from sqlalchemy.event import listen, remove
from werkzeug.test import TestResponse

from petitions import clock, sending
from petitions.db.transactions import reading, transaction
from petitions.models import Signer
from petitions.queries import signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import mail_quota, rate_limits
from petitions.services.mailing import suppression
from petitions.services.signing import signer_page
from petitions.services.staff import accounts
from petitions.web.public import signing as signing_view
from tests.support.effort import IS_LONG, effort, note
from tests.support.factories import CARLA, Keys, Person, close_app, confirm, make_app, newest, sign
from tests.web.browsing import STAFF_PATHS, browser, public_paths
from tests.web.page import Page

SAME = 0.005  # seconds between two medians that nobody can tell apart over a network
TRIES = 3  # another program may use this machine for a moment; a real difference shows each time
SECRET = "only the mail service knows it"


@pytest.fixture
def app(database_url: str, tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    app = make_app(database_url, tmp_path, keys, bounce_secret=SECRET)
    yield app
    close_app(app)


# --- the possible states of an address; each function brings a new address into one ---


def _withdrawn(campaign: PublicCampaign, person: Person) -> None:
    confirm(campaign, person)
    signer_page.withdraw(_own_token(), [case.id for case in campaign.cases])


def _own_token() -> str:
    return signer_page.link_token(signer.facts(newest(Signer).id))


def _suppressed(campaign: PublicCampaign, person: Person) -> None:
    confirm(campaign, person)
    suppression.suppress(person.email, "wanted")


def _blocked(campaign: PublicCampaign, person: Person) -> None:
    sign(campaign, person)
    with transaction() as store:
        mail_quota.take(store.connection(), [mail_quota.wanted(person.email)] * mail_quota.PER_DAY, clock.now())


def _full(campaign: PublicCampaign, person: Person) -> None:
    for number in range(campaign.signers_per_mailbox):
        sign(campaign, dataclasses.replace(person, last_name=f"Other {number}"))


def _erased(campaign: PublicCampaign, person: Person) -> None:
    confirm(campaign, person)
    signer_page.erase(_own_token())


STATES: dict[str, Callable[[PublicCampaign, Person], object]] = {
    "newcomer": lambda *_: None,
    "pending": sign,
    "confirmed": confirm,
    "withdrawn": _withdrawn,
    "suppressed": _suppressed,
    "blocked": _blocked,
    "full": _full,
    "erased": _erased,
}


def somebody(state: str, number: int) -> Person:
    """Names and addresses of one length, so that no answer is longer than another."""
    return Person("Ann", "Lee", f"{state:x<12}{number:06d}@example.org")


# --- who takes an address ---


def _sign_all(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/fr/water-2026/sign", data=dataclasses.asdict(person) | {"cases": ["river", "lake"]})


def _sign_one(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/fr/water-2026/cases/river/sign", data=dataclasses.asdict(person))


def _sign_in_frame(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/embed/fr/water-2026/sign", data=dataclasses.asdict(person) | {"cases": ["river", "lake"]})


def _sign_one_in_frame(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/embed/fr/water-2026/river/sign", data=dataclasses.asdict(person))


def _code(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/fr/water-2026/code", data={"email": person.email, "code": "000000"})


def _ask(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/fr/water-2026/mine", data={"email": person.email})


def _collect(client: FlaskClient, person: Person) -> TestResponse:
    fields = {"kind": "class", "title": "4B", "email": person.email}
    return client.post("/fr/water-2026/collectors/", data=fields)


def _bounce(client: FlaskClient, person: Person) -> TestResponse:
    return client.post("/api/v1/bounces", data={"email": person.email}, headers={"Authorization": f"Bearer {SECRET}"})


def _staff(client: FlaskClient, person: Person) -> TestResponse:
    form = Page(client.get("/admin/mails").text).form("/admin/mails")
    return client.post("/admin/mails", data={**form.fields(), "email": person.email})


def _help(client: FlaskClient, person: Person) -> TestResponse:
    form = Page(client.get("/admin/help").text).form("/admin/help")
    return client.post("/admin/help", data={**form.fields(), "email": person.email})


TAKERS: dict[str, Callable[[FlaskClient, Person], TestResponse]] = {
    "signing.sign": _sign_all,
    "signing.sign_case": _sign_one,
    "embed.sign": _sign_in_frame,
    "embed.sign_case": _sign_one_in_frame,
    "confirming.confirm_by_code": _code,
    "signer_page.send_link": _ask,
    "collecting.sign_up": _collect,
    "admin.change_suppression": _staff,
    "admin.send_own_link": _help,
    "api_bounces.bounced": _bounce,
}
# What strangers may send, in an order in which nothing changes what the next one finds; one form for many is enough
TIMED = ("confirming.confirm_by_code", "signer_page.send_link", "signing.sign")


def carlas(app: Flask, *, htmx: bool = False) -> FlaskClient:
    """A browser that is logged in, so that it may send every form."""
    client = browser(app, htmx=htmx)
    assert client.post("/admin/login", data=dataclasses.asdict(CARLA)).status_code == 303
    return client


@pytest.fixture(autouse=True)
def _no_limit_for_staff(monkeypatch: pytest.MonkeyPatch) -> None:
    """More requests of staff than on a day: the limit does not depend on the address."""
    monkeypatch.setattr(rate_limits, "HELP_DESK", dataclasses.replace(rate_limits.HELP_DESK, most=10_000))


@pytest.fixture
def carla(app: Flask) -> None:
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)


@pytest.mark.usefixtures("carla", "campaign")
def test_no_form_that_takes_an_address_is_forgotten_here(app: Flask) -> None:
    client, routes = carlas(app), app.url_map.bind("localhost")
    found = {"api_bounces.bounced"}  # has no form
    for path in (*public_paths("fr", "water-2026", "river"), *STAFF_PATHS, "/admin/login"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        for form in Page(answer.text).all("form"):
            if form.all("input", name="email"):
                found.add(routes.match(form["action"].partition("?")[0], method="POST")[0])
    assert found == TAKERS.keys()


# --- the same bytes ---


def told(answer: TestResponse, person: Person) -> tuple[object, ...]:
    """The whole answer, without the address itself, which the request contained."""
    headers = sorted((name, value) for name, value in answer.headers if name != "Set-Cookie")
    return answer.status_code, headers, answer.data.replace(person.email.encode(), b"THE ADDRESS")


def differences(app: Flask, campaign: PublicCampaign, taker: str, *, htmx: bool, number: int) -> list[str]:
    """The states that get another answer than a newcomer, in any of six tries."""
    client = carlas(app, htmx=htmx) if taker.startswith("admin") else browser(app, htmx=htmx)
    answers = {}
    for place, (state, prepare) in enumerate(STATES.items()):
        client.environ_base["REMOTE_ADDR"] = f"10.0.{number}.{place}"  # tries are limited for each network too
        person = somebody(state, number)
        with app.app_context():
            prepare(campaign, person)
        answers[state] = [told(TAKERS[taker](client, person), person) for _ in range(6)]
    assert answers["newcomer"][0][0] in (204, 303, 422)
    return [state for state in STATES if answers[state] != answers["newcomer"]]


@pytest.mark.usefixtures("carla")
def test_every_state_gets_the_same_bytes(app: Flask, campaign: PublicCampaign) -> None:
    kinds = [(taker, htmx) for taker in TAKERS for htmx in (False, True)]
    found = {
        (taker, htmx): differences(app, campaign, taker, htmx=htmx, number=number)
        for number, (taker, htmx) in enumerate(kinds)
    }
    assert {kind: states for kind, states in found.items() if states} == {}


def test_one_byte_more_is_noticed(app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    view = app.view_functions["confirming.confirm_by_code"]

    def talkative(campaign: str) -> Any:
        answer = view(campaign=campaign)
        if "confirmed" not in request.form["email"]:
            return answer
        return (answer[0] + " ", *answer[1:]) if isinstance(answer, tuple) else answer

    monkeypatch.setitem(app.view_functions, "confirming.confirm_by_code", talkative)
    assert differences(app, campaign, "confirming.confirm_by_code", htmx=False, number=0) == ["confirmed"]


def test_one_header_more_is_noticed(app: Flask, campaign: PublicCampaign) -> None:
    def mark(response: Response) -> Response:
        if "pending" in request.form.get("email", ""):
            response.headers["X-Known"] = "1"
        return response

    app.after_request_funcs.setdefault(None, []).append(mark)
    assert differences(app, campaign, "signer_page.send_link", htmx=True, number=0) == ["pending"]


# --- the same work afterwards: the worker's writes delay the next request ---


def commits_of_the_worker() -> int:
    """How often the worker commits until nothing waits."""
    with reading() as connection:
        engine = connection.engine
    commits: list[Connection] = []
    note_commit = commits.append  # one object, by which it is found again
    listen(engine, "commit", note_commit)
    try:
        while sending.send_due():
            pass
    finally:
        remove(engine, "commit", note_commit)
    return len(commits)


def test_the_worker_writes_as_often_for_every_state(app: Flask, campaign: PublicCampaign) -> None:
    for taker in ("signing.sign", "signer_page.send_link"):
        found = {}
        for number, (state, prepare) in enumerate(STATES.items()):
            client, person = browser(app), somebody(state, number)
            client.environ_base["REMOTE_ADDR"] = f"10.9.{number}.1"
            with app.app_context():
                prepare(campaign, person)
                commits_of_the_worker()
                assert TAKERS[taker](client, person).status_code == 303
                found[state] = commits_of_the_worker()
        assert set(found.values()) == {found["newcomer"]}, (taker, found)
        assert found["newcomer"] >= 2, "the looking is part of it"


# --- the same time ---


def medians(app: Flask, campaign: PublicCampaign, states: Sequence[str], begin: int) -> dict[tuple[str, str], float]:
    """How long people in each state wait for each answer, in turns; each has an address of their own."""
    number = effort(60, 500)
    crowds = {state: [somebody(state, begin + n) for n in range(number)] for state in states}
    with app.app_context():
        for state, crowd in crowds.items():
            for person in crowd:
                STATES[state](campaign, person)
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    gc.collect()
    gc.disable()
    try:
        for taker in TIMED:
            for n in range(number):
                for state in (*states[n % len(states) :], *states[: n % len(states)]):
                    client = browser(app)
                    client.environ_base["REMOTE_ADDR"] = f"10.{begin // 1000}.{n // 250}.{n % 250}"
                    before = time.perf_counter()
                    TAKERS[taker](client, crowds[state][n])
                    taken[taker, state].append(time.perf_counter() - before)
    finally:
        gc.enable()
    return {pair: statistics.median(times) for pair, times in taken.items()}


def gaps(
    app: Flask, campaign: PublicCampaign, states: Sequence[str], tries: int = TRIES
) -> dict[tuple[str, str], float]:
    """By how many seconds each state differs from a newcomer: the smallest of a few tries, if one is not enough."""
    smallest: dict[tuple[str, str], float] = {}
    for attempt in range(tries):
        found = medians(app, campaign, ["newcomer", *states], attempt * 1000)
        for (taker, state), seconds in found.items():
            apart = abs(seconds - found[taker, "newcomer"])
            smallest[taker, state] = min(apart, smallest.get((taker, state), apart))
        if max(smallest.values()) < SAME:
            break
    return smallest


def test_every_state_takes_the_same_time(app: Flask, campaign: PublicCampaign) -> None:
    states = [state for state in STATES if state != "newcomer"] if IS_LONG else ["confirmed"]
    found = gaps(app, campaign, states)
    assert {pair: seconds for pair, seconds in found.items() if seconds >= SAME} == {}
    database = "SQLite" if "sqlite" in app.config["SQLALCHEMY_DATABASE_URI"] else "Postgres"
    done = f"{effort(60, 500)} requests of newcomers and of each of {len(states)} states, {len(TIMED)} forms"
    note("who signed", database, done, f"same bytes; medians at most {max(found.values()) * 1000:.1f} ms apart")


def test_ten_milliseconds_more_for_those_who_are_known_are_noticed(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = signing_view.sign_cases

    def slower(entry: Any) -> None:
        real(entry)
        if entry.email.startswith("confirmed"):
            time.sleep(0.010)

    monkeypatch.setattr(signing_view, "sign_cases", slower)
    found = gaps(app, campaign, ["confirmed"], tries=1)
    assert found["signing.sign", "confirmed"] >= SAME
    assert found["signer_page.send_link", "confirmed"] < found["signing.sign", "confirmed"]
