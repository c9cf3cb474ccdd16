"""Abuse, seen from a browser: many signers succeed with and without JavaScript, nothing is lost, staff decide."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import altcha
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions.clock import now, stopped_at
from petitions.domain.states import SignatureState
from petitions.models import Collector, Invalidation, Limit, Signature, Signer
from petitions.queries import counts
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import proof_of_work, rate_limits
from petitions.services.moderation import holds
from petitions.services.signing import admission, entry_rate
from petitions.services.staff import accounts, second_person
from tests.support.factories import ANN, CARLA, EVE, Person, confirm, miscounts, newest, rows, sign
from tests.web.browsing import browser, logged_in, page_of, sign_all, sign_one, typed, visit
from tests.web.conftest import MakeDemo
from tests.web.page import Node

pytestmark = pytest.mark.usefixtures("campaign")

SIGN = "/fr/water-2026/cases/river/sign"


def pupil(number: int) -> Person:
    """One of many signers."""
    return Person("Pupil", f"No {number}", f"pupil{number}@example.org")


@pytest.fixture(autouse=True)
def _small_crowds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules with smaller numbers: these tests go to the limit again and again."""
    monkeypatch.setattr(admission, "NETWORK", rate_limits.Rule("network", 20, admission.WINDOW))
    monkeypatch.setattr(admission, "NETWORK_PROVEN", rate_limits.Rule("network-proven", 380, admission.WINDOW))
    monkeypatch.setattr(proof_of_work, "COST", 2)


@pytest.fixture
def crowded(app: Flask, campaign: PublicCampaign) -> FlaskClient:
    """A browser in a network from which as many signed as may without a proof."""
    client = browser(app)
    for number in range(admission.NETWORK.most):
        assert sign_one(client, "river", pupil(number)).status_code == 303
    return client


@pytest.fixture
def carla(app: Flask) -> FlaskClient:
    """Carla's browser, signed in and reading English."""
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(app)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    assert client.post("/admin/login", data={"name": CARLA.name, "password": CARLA.password}).status_code == 303
    return client


def press(client: FlaskClient, form: Node, **typed_in: Any) -> TestResponse:
    """Send the form as it stands on the page, with some fields typed into."""
    return client.post(form["action"], data={**form.fields(), **typed_in})


def signers(app: Flask) -> int:
    """How many signed."""
    with app.app_context():
        return len(rows(Signer))


# Many signers from one network


def test_above_the_threshold_the_form_comes_back_as_typed_with_a_puzzle_that_a_script_solves(
    app: Flask, crowded: FlaskClient
) -> None:
    page = page_of(sign_one(crowded, "river", EVE, newsletter="y"), 422)
    form = page.form("/cases/river/sign")
    assert form.field("email")["value"] == EVE.email
    assert "checked" in form.field("newsletter").attrs
    assert page.one(class_="problem", role="alert").text.startswith(
        "Nous vérifions que ce formulaire est envoyé par une personne"
    )
    assert crowded.get(form["data-solver"]).content_type.startswith("text/javascript")

    puzzle = altcha.Challenge.from_dict(json.loads(base64.b64decode(form["data-puzzle"])))
    solution = altcha.solve_challenge(puzzle)
    assert solution is not None
    brought = {"challenge": json.loads(base64.b64decode(form["data-puzzle"])), "solution": solution.to_dict()}
    proof = base64.b64encode(json.dumps(brought).encode()).decode()
    assert press(crowded, form, proof=proof).status_code == 303
    assert signers(app) == admission.NETWORK.most + 1
    assert sign_one(crowded, "river", ANN, proof=proof).status_code == 422, "spent"


def test_without_javascript_one_waits_and_presses_again(app: Flask, crowded: FlaskClient) -> None:
    form = page_of(sign_one(crowded, "river", EVE), 422).form("/sign")
    with stopped_at(now() + timedelta(seconds=10)):
        form = page_of(press(crowded, form), 422).form("/sign")
        assert 19 <= int(form["data-wait"]) <= 20, "who waits does not begin anew"
    with stopped_at(now() + timedelta(seconds=proof_of_work.WAIT_SECONDS + 1)):
        assert press(crowded, form).status_code == 303
    assert signers(app) == admission.NETWORK.most + 1


@pytest.mark.parametrize("network", ["198.51.100.7", "2001:db8::{:x}"])
def test_three_hundred_behind_one_address_sign_at_once_and_are_asked_for_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    monkeypatch.undo()
    client, statuses = browser(app), set()
    for number in range(300):
        client.environ_base["REMOTE_ADDR"] = network.format(number)
        statuses.add(sign_one(client, "river", pupil(number)).status_code)
    assert statuses == {303}
    assert signers(app) == 300


def test_many_who_have_no_javascript_wait_one_after_the_other_and_all_sign(app: Flask, crowded: FlaskClient) -> None:
    begun = now()
    forms = []
    for number in range(12):
        with stopped_at(begun):
            forms.append((begun, page_of(sign_one(crowded, "river", pupil(100 + number)), 422).form("/sign")))
    while forms:
        at, form = forms.pop(0)
        at += timedelta(seconds=int(form["data-wait"]))
        with stopped_at(at):
            answer = press(crowded, form)
        if answer.status_code != 303:
            forms.append((at, page_of(answer, 422).form("/sign")))
    assert signers(app) == admission.NETWORK.most + 12
    assert timedelta(seconds=proof_of_work.WAIT_SECONDS) < at - begun <= timedelta(seconds=200)


def test_above_the_hard_limit_what_was_typed_is_kept_and_the_answer_says_when(
    app: Flask, crowded: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MAX_TRIES", admission.NETWORK.most)
    answer = sign_one(crowded, "river", EVE)
    form = page_of(answer, 429).form("/sign")
    assert form.field("email")["value"] == EVE.email
    assert answer.headers["Retry-After"] == "600"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "data-puzzle" not in form.attrs


@pytest.mark.parametrize("refused", [422, 429])
def test_a_known_address_is_refused_as_an_unknown_one(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    with app.app_context():
        confirm(campaign, ANN)
    monkeypatch.setattr(entry_rate, "load", lambda _: 2.0)
    monkeypatch.setattr(admission, "MAX_TRIES", 9 if refused == 422 else 0)
    monkeypatch.setattr(proof_of_work, "ask", lambda *_, **__: proof_of_work.Question("{}", "a", 30))
    known, new = (sign_one(browser(app), "river", Person("A", "B", email)) for email in (ANN.email, "new@example.org"))
    assert known.status_code == new.status_code == refused
    assert known.headers == new.headers or {**known.headers, "Content-Length": ""} == {
        **new.headers,
        "Content-Length": "",
    }
    assert known.text.replace(ANN.email, "") == new.text.replace("new@example.org", "")


def spoofed(app: Flask, header: str | None) -> str:
    """The network that a signing with this header is counted for."""
    headers = {"X-Forwarded-For": header} if header else {}
    with app.app_context():
        before = {row.key for row in rows(Limit)}
    person = Person("A", "B", f"a{len(before)}@example.org")
    assert (
        browser(app).post(f"/fr/{DEMO}/cases/joel-paredes/sign", data=typed(person), headers=headers).status_code == 303
    )
    with app.app_context():
        new = [row.key for row in rows(Limit) if row.key.startswith("network:") and row.key not in before]
    return new[0] if new else "seen before"


DEMO = "write-for-rights-2024"


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_the_address_is_counted_from_the_right_by_exactly_our_hops(make_demo: MakeDemo, hops: int) -> None:
    app = make_demo(proxy_hops=hops)
    ours = [f"10.0.0.{number}" for number in range(1, hops)]  # what the outer proxies of ours add
    there = ", ".join(["198.51.100.7", *ours])
    assert spoofed(app, there) != "seen before"
    for forged in ("1.2.3.4", "1.2.3.4, 5.6.7.8", "unknown, ::1"):
        assert spoofed(app, f"{forged}, {there}") == "seen before", "what a visitor writes stands further left"
    assert spoofed(app, ", ".join(["198.51.100.8", *ours])) != "seen before"


def test_without_a_proxy_of_ours_the_header_is_worth_nothing(make_demo: MakeDemo) -> None:
    app = make_demo()
    assert spoofed(app, None) != "seen before"
    for forged in ("1.2.3.4", "1.2.3.4, 127.0.0.1"):
        assert spoofed(app, forged) == "seen before"


def test_forms_with_mistakes_are_answered_in_words_until_a_program_sends_them(app: Flask) -> None:
    client = browser(app)
    with stopped_at(now()):
        assert {sign_one(client, email="").status_code for _ in range(30)} == {422}, "who errs thirty times is helped"
        for number in range(rate_limits.INVALID.most):
            client.environ_base["REMOTE_ADDR"] = f"2001:db8:0:{number:x}::1"  # one line, many networks
            assert sign_one(client, email="").status_code == 422
        refused = sign_one(client, email="")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert sign_one(client, person=ANN).status_code == 303, "a form without mistakes is not limited by it"
        client.environ_base["REMOTE_ADDR"] = "192.0.2.1"
        assert sign_one(client, email="").status_code == 422
    with stopped_at(now() + rate_limits.INVALID.window):
        client.environ_base["REMOTE_ADDR"] = "2001:db8::1"
        assert sign_one(client, email="").status_code == 422


# Programs


@pytest.mark.parametrize("trap", [{"remark": "https://spam.example"}, {"elapsed": "7"}])
@pytest.mark.parametrize("send", [sign_one, lambda client, **over: sign_all(client, ["river"], **over)])
def test_what_a_program_may_have_filled_in_is_never_acknowledged_without_a_record(
    app: Flask, campaign: PublicCampaign, trap: dict[str, str], send: Callable[..., TestResponse]
) -> None:
    client = browser(app)
    page = page_of(send(client, **trap), 422)
    assert page.one(class_="problem", role="alert").text.endswith(
        "Rien n’a encore été enregistré. Attendez 30 secondes, puis appuyez de nouveau sur le bouton. "
        "La plupart des navigateurs le font pour vous."
    )
    assert signers(app) == 0
    assert press(client, page.form("/sign"), proof="").status_code == 422, "what was filled in comes back with the form"
    with stopped_at(now() + timedelta(seconds=proof_of_work.WAIT_SECONDS + 1)):
        assert press(client, page.form("/sign")).status_code == 303
    assert signers(app) == 1


@pytest.mark.parametrize("elapsed", ["", "2000", "soon", "-5", "٣", "9" * 40])
def test_a_page_that_does_not_know_how_long_it_took_is_fine(app: Flask, elapsed: str) -> None:
    assert sign_one(browser(app), elapsed=elapsed).status_code == 303
    assert signers(app) == 1


def test_nobody_sees_or_reaches_the_trap(app: Flask) -> None:
    trap = visit(browser(app), "/fr/water-2026/cases/river/").one("input", name="remark")
    assert (trap["tabindex"], trap["autocomplete"]) == ("-1", "off")
    assert {"data-1p-ignore", "data-bwignore", "data-lpignore", "data-form-type"} <= set(trap.attrs)
    assert any(node.get("aria-hidden") == "true" for node in trap.ancestors)


# Passes


def test_staff_make_a_collector_pupils_type_its_code_and_staff_end_it(
    app: Flask, carla: FlaskClient, crowded: FlaskClient
) -> None:
    form = visit(carla, "/admin/collectors").form("/admin/collectors")
    assert press(carla, form, title="Lycée\0 <b>", kind="school").status_code == 303
    page = visit(carla, "/admin/collectors")
    code = page.one("code").text
    with app.app_context():
        made = newest(Collector)
    assert (made.title, made.most, made.kind) == ("Lycée <b>", 40, "school")

    assert sign_one(crowded, "river", ANN, pass_code=" ".join(code.lower())).status_code == 303
    assert "1 / 40" in visit(carla, "/admin/collectors").text
    assert press(carla, page.form("/collectors/change"), act="end").status_code == 303
    assert code not in visit(carla, "/admin/collectors").text
    form = page_of(sign_one(crowded, "river", EVE, pass_code=code), 422).form("/sign")
    assert "open" in form.one("details").attrs
    assert "n’est plus valable ici" in form.one("details").text
    assert form.field("pass_code")["value"] == code


@pytest.mark.parametrize(
    "over",
    [
        {"most": "x"},
        {"most": "2001"},
        {"title": " "},
        {"opens_at": "tomorrow"},
        {"closes_at": "0001-01-01T00:00"},
        {"opens_at": "2026-05-02T10:00", "closes_at": "2026-05-02T09:00"},
    ],
)
def test_a_collector_that_makes_no_sense_comes_back_as_typed(
    app: Flask, carla: FlaskClient, over: dict[str, str]
) -> None:
    form = visit(carla, "/admin/collectors").form("/admin/collectors")
    page = page_of(press(carla, form, **{"title": "A school", "kind": "class", **over}), 422)
    assert page.one(class_="problem").text
    with app.app_context():
        assert rows(Collector) == []


def test_the_times_of_a_collector_are_those_of_the_campaigns_clock(app: Flask, carla: FlaskClient) -> None:
    form = visit(carla, "/admin/collectors").form("/admin/collectors")
    press(carla, form, title="A school", kind="class", opens_at="2030-07-01T10:00", closes_at="2030-07-01T12:30")
    with app.app_context():
        made = newest(Collector)
    assert made.closes_at - made.opens_at == timedelta(hours=2, minutes=30)
    assert "10:00" in visit(carla, "/admin/collectors").text


def test_a_short_link_brings_the_code_to_the_page_and_the_page_stays_the_same_for_all(app: Flask) -> None:
    client = browser(app)
    answer = client.get("/?pass=K7QM-2XBD")
    assert answer.headers["Location"].endswith("/fr/?pass=K7QM-2XBD")
    with_code, without = client.get("/fr/?pass=K7QM-2XBD"), client.get("/fr/")
    assert with_code.data == without.data
    assert with_code.headers["ETag"] == without.headers["ETag"]
    for odd in ("//evil.example", "a" * 21, "a b"):
        assert client.get("/", query_string={"pass": odd}).headers["Location"].endswith("/fr/")


def test_a_command_makes_a_collector(app: Flask, crowded: FlaskClient) -> None:
    said = app.test_cli_runner().invoke(args=["collector", "create", "A stall", "--most", "5"])
    assert said.exit_code == 0, said.output
    code = said.output.split(": ")[1].split(",")[0]
    assert sign_one(crowded, "river", ANN, pass_code=code).status_code == 303
    refused = app.test_cli_runner().invoke(args=["collector", "create", "A stall", "--most", "0"])
    assert refused.exit_code == 1


# Holds and invalidations


def test_a_hold_freezes_the_public_count_and_staff_let_it_count(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "CONFIRMING", rate_limits.Rule("confirming", 2, holds.CONFIRMING.window))
    visitor, address = browser(app), "/en/water-2026/cases/river/"
    with app.app_context():
        for number in range(3):
            confirm(campaign, pupil(number), "river")
    frozen = visit(visitor, address)
    assert "3 of 100 signatures · The count is being checked" in frozen.text
    with app.app_context():
        token = confirm(campaign, EVE, "river")
    assert visit(visitor, address).text == frozen.text
    assert "The count is being checked" in visitor.get("/en/water-2026/counts").text
    assert visit(visitor, f"/en/confirm/{token}").h1 == "Your signature counts. Thank you."

    board = visit(carla, "/admin/")
    assert "1 signature is held back." in board.text
    assert press(carla, board.form("/holds/count")).status_code == 303
    assert "4 of 100 signatures" in visit(visitor, address).text
    assert "checked" not in visit(visitor, address).text
    assert "held" not in visit(carla, "/admin/").text


def test_staff_count_invalidate_and_bring_back(app: Flask, campaign: PublicCampaign, carla: FlaskClient) -> None:
    with app.app_context():
        confirm(campaign, ANN)
        sign(campaign, EVE, "river")
    form = visit(carla, "/admin/invalidations").form("/admin/invalidations")
    page = page_of(press(carla, form, cases=["river"], kind="program"), 422)
    assert page.one(class_="problem").text.startswith("Give a reason.")
    form = page.form("/admin/invalidations")
    assert "checked" in form.one("input", name="cases", value="river").attrs
    assert "selected" in form.one("option", value="program").attrs
    assert press(carla, form, state="confirmed", kind="program", reason="A flood").status_code == 303

    page = visit(carla, "/admin/invalidations")
    assert "sent by a program" in page.all("th", scope="row")[0].text
    assert page.form("/run").one("button").text == "Invalidate this signature"
    refused = page_of(press(carla, page.form("/run"), password="not hers"), 422)
    refused.one(id=f"{refused.form('/run').one('input', name='password')['id']}-error")
    with app.app_context():
        assert counts.of_campaign(campaign.id).total.invalidated == 0, "the password comes first"
    press(carla, page.form("/run"), password=CARLA.password)
    with app.app_context():
        assert counts.of_campaign(campaign.id).total.invalidated == 1 == newest(Invalidation).struck
    form = visit(carla, "/admin/invalidations").form("/undo")
    assert press(carla, form).status_code == 422, "the password comes first"
    press(carla, form, password=CARLA.password)
    assert "Undone." in visit(carla, "/admin/invalidations").text
    with app.app_context():
        assert {row.state for row in rows(Signature)} == {SignatureState.CONFIRMED, SignatureState.PENDING}
        assert miscounts() == []


def test_many_signatures_are_invalidated_by_another_owner_than_who_prepared_it(
    app: Flask, campaign: PublicCampaign, carla: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_person, "FEW", 2)
    oona = logged_in(app, "oona")
    with app.app_context():
        confirm(campaign, ANN)
    for reason, cases in (("two", ["river", "lake"]), ("three", [])):
        press(carla, visit(carla, "/admin/invalidations").form("/admin/invalidations"), cases=cases, reason=reason)
    hint = "by another owner than the one who prepared it"
    page = visit(carla, "/admin/invalidations")
    assert page.text.count(hint) == 1
    three, two = page.all("form", action="/admin/invalidations/run")
    refused = page_of(press(carla, three, password=CARLA.password), 422)
    assert "Another owner has to agree first." in refused.text
    with app.app_context():
        assert counts.of_campaign(campaign.id).total.invalidated == 0
    assert press(carla, two, password=CARLA.password).status_code == 303, "few signatures"
    [three] = visit(oona, "/admin/invalidations").all("form", action="/admin/invalidations/run")
    assert press(oona, three, password=CARLA.password).status_code == 303
    with app.app_context():
        assert counts.of_campaign(campaign.id).total.invalidated == 3
        assert miscounts() == []


@pytest.mark.parametrize("number", ["", "x", "-1", "٣", "99", "9" * 30])
@pytest.mark.parametrize("act", ["invalidations/run", "invalidations/undo"])
def test_a_button_for_a_row_that_is_not_there_is_answered_404(carla: FlaskClient, act: str, number: str) -> None:
    token = visit(carla, "/admin/collectors").all("input", name="csrf_token")[0]["value"]
    assert (
        carla.post(
            f"/admin/{act}", data={"csrf_token": token, "number": number, "password": CARLA.password}
        ).status_code
        == 404
    )
