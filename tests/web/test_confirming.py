"""Confirmation pages: only the button acts, and they show nothing about other mailboxes."""

import html
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions.clock import now, stopped_at
from petitions.models import Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.keys.keyring import KEYRING
from petitions.services.limits import rate_limits
from petitions.services.signing.confirming import CODE_LIFETIME, LINK_LIFETIME
from tests.support.factories import ANN, BOB, EVE, dump, make_campaign, miscounts, rows
from tests.web.browsing import (
    body,
    browser,
    code,
    headers_of,
    link,
    mails,
    page_of,
    press,
    sign_all,
    sign_one,
    typed,
    visit,
)

pytestmark = pytest.mark.usefixtures("campaign")

CODE = "/fr/water-2026/code"
A_SECOND = timedelta(seconds=1)


@pytest.fixture
def token_page(app: Flask, campaign: PublicCampaign) -> str:
    """The link in Ann's mail: she signed for the river and the lake."""
    assert sign_all(browser(app), ["river", "lake"]).status_code == 303
    return link(mails(app)[-1])


def states(app: Flask) -> list[str]:
    """The state of each signature."""
    with app.app_context():
        assert miscounts() == []
        return [row.state for row in rows(Signature)]


def type_code(client: FlaskClient, email: str, digits: str) -> TestResponse:
    """Send address and code."""
    return client.post(CODE, data={"email": email, "code": digits})


# --- looking is not acting ---


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_changes_not_a_byte_on_any_page(app: Flask, token_page: str, method: str) -> None:
    client = browser(app)
    with app.app_context():
        before = dump()
    opened = []
    for rule in app.url_map.iter_rules():
        for values in (
            {"lang": "fr", "campaign": "water-2026", "case": "river", "token": token_page.rpartition("/")[2]},
            {"lang": "xx", "campaign": "nope", "case": "nope", "token": "nope"},
        ):
            given = {name: values.get(name, "x") for name in rule.arguments}
            with app.test_request_context():
                path = str(rule.build(given)[1]) if rule.build(given) else rule.rule  # type: ignore[index]
            opened.append(client.open(path, method=method).status_code)
    assert opened.count(200) >= 15
    assert not [status for status in opened if status >= 500]
    with app.app_context():
        assert dump() == before
    assert states(app) == ["pending", "pending"]


def test_a_mail_scanner_that_follows_every_link_signs_for_nobody(app: Flask, token_page: str) -> None:
    scanner = app.test_client()
    for word in body(mails(app)[0]).split() + body(mails(app)[0], "html").replace('"', " ").split():
        if word.startswith("http://localhost"):
            page = scanner.get(word.removeprefix("http://localhost"))
            assert page.status_code == 200
    assert states(app) == ["pending", "pending"]


# --- the button ---


def test_the_button_confirms_and_a_second_press_is_the_same(app: Flask, token_page: str, htmx: bool) -> None:
    client = browser(app, htmx=htmx)
    page = visit(client, token_page)
    assert page.one("ul", class_="names").text == "The river (fr) The lake (fr)"
    first = press(client, page.form(token_page))

    assert (first.status_code, first.location) == (303, token_page)
    assert "Set-Cookie" not in first.headers
    assert states(app) == ["confirmed", "confirmed"]
    with app.app_context():
        before = dump()
    with stopped_at(now() + timedelta(hours=1)):
        second = client.post(token_page)
        assert (second.status_code, second.location, second.data) == (303, first.location, first.data)
    with app.app_context():
        assert dump() == before
    assert client.get("/fr/").text.count("1 ") >= 1


def test_the_counts_move_with_the_confirmation_and_not_before(app: Flask, token_page: str) -> None:
    client = browser(app)
    counts = "/api/v1/campaigns/water-2026/counts.json"
    assert client.get(counts).json["total"] == {"confirmed": 0, "paper": 0, "letters": 0}
    client.post(token_page)
    assert client.get(counts).json["total"] == {"confirmed": 2, "paper": 0, "letters": 0}
    assert visit(client, "/en/").one(id="progress-river").text == "1 of 100 signatures"


def test_the_pages_behind_a_link_are_personal_and_speak_every_language_of_the_campaign(
    app: Flask, token_page: str
) -> None:
    client = browser(app)
    for confirmed in (False, True):
        for path in (token_page, token_page.replace("/fr/", "/en/")):
            response = client.get(path)
            page = page_of(response)
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "same-origin"
            assert page.one("meta", name="robots")["content"] == "noindex"
            assert page.one("html")["lang"] == path[1:3]
            assert ANN.first_name not in page.text
            assert ANN.email not in page.text
            assert [a["href"] for a in page.one("nav", class_="languages").all("a")] == [
                token_page,
                token_page.replace("/fr/", "/en/"),
            ]
        if not confirmed:
            client.post(token_page)
    assert client.get(token_page.replace("/fr/", "/de/")).status_code == 404


def test_the_link_is_built_from_the_base_url_and_never_from_the_request(app: Flask) -> None:
    client = browser(app)
    sign_one(client, "river", base_url="http://localhost")
    client.post("/fr/water-2026/sign", data=typed(EVE, ["river"]), headers={"X-Forwarded-Host": "evil.example"})
    for mail in mails(app):
        assert "evil" not in body(mail)
        assert link(mail).startswith("/fr/confirm/")


def test_after_confirming_the_others_are_offered_and_count_at_once(app: Flask, token_page: str, htmx: bool) -> None:
    client = browser(app, htmx=htmx)
    client.post(token_page)
    rest = visit(client, token_page).form("/more")
    assert rest.fields() == {"cases": ["forest"]}
    answer = press(client, rest)

    assert (answer.status_code, answer.location) == (303, token_page)
    assert states(app) == ["confirmed"] * 3
    assert len(mails(app)) == 1, "no second mail: the mailbox is proven"
    page = visit(client, token_page)
    assert not [form for form in page.all("form") if form["action"].endswith("/more")]
    assert page.one("ul", class_="names").text == "The river (fr) The forest (fr) The lake (fr)"
    press(client, rest)
    assert states(app) == ["confirmed"] * 3


def test_pressing_for_the_rest_confirms_what_still_waits_too(app: Flask, token_page: str) -> None:
    assert browser(app).post(f"{token_page}/more", data={"cases": ["forest"]}).status_code == 303
    assert states(app) == ["confirmed"] * 3


@pytest.mark.parametrize("cases", [[], ["nope"], ["river\0"], ["x" * 10_000], ["lake"]])
def test_a_rest_that_is_none_changes_nothing(app: Flask, token_page: str, cases: list[str]) -> None:
    client = browser(app)
    client.post(token_page)
    assert client.post(f"{token_page}/more", data={"cases": cases}).status_code == 303
    assert states(app) == ["confirmed", "confirmed"]


def test_a_case_that_was_closed_meanwhile_is_neither_offered_nor_taken(
    app: Flask, tmp_path: Path, token_page: str
) -> None:
    client = browser(app)
    client.post(token_page)
    make_campaign(app, tmp_path / "campaign", states={"forest": "paused"})
    assert not [form for form in visit(client, token_page).all("form") if form["action"].endswith("/more")]
    assert client.post(f"{token_page}/more", data={"cases": ["forest"]}).status_code == 303
    assert states(app) == ["confirmed", "confirmed"]


def test_a_signature_that_waits_may_be_confirmed_when_the_campaign_is_over(
    app: Flask, tmp_path: Path, token_page: str
) -> None:
    make_campaign(app, tmp_path / "campaign", state='"closed"')
    client = browser(app)
    assert press(client, visit(client, token_page).form(token_page)).status_code == 303
    assert states(app) == ["confirmed", "confirmed"]


# --- it was not me ---


def test_it_was_not_me_takes_back_what_waits_and_forgets_it(app: Flask, token_page: str, htmx: bool) -> None:
    client = browser(app, htmx=htmx)
    answer = press(client, visit(client, token_page).form("/not-me"))

    assert (answer.status_code, answer.location) == (303, "/fr/water-2026/rejected")
    assert token_page.rpartition("/")[2] not in page_of(client.get(answer.location)).html
    assert states(app) == ["withdrawn", "withdrawn"]
    with app.app_context():
        [signer] = rows(Signer)
        assert (signer.sealed, signer.email_key, signer.name_key, signer.link_id) == (None, None, None, None)
    for gone in (client.get(token_page), client.post(token_page), client.post(f"{token_page}/not-me")):
        assert page_of(gone, 404)
    assert states(app) == ["withdrawn", "withdrawn"]


def test_it_was_not_me_does_not_touch_what_was_confirmed(app: Flask, token_page: str) -> None:
    client = browser(app)
    client.post(token_page)
    with stopped_at(now() + timedelta(minutes=11)):
        sign_one(client, "forest")
        client.post(f"{token_page}/not-me")
    assert sorted(states(app)) == ["confirmed", "confirmed", "withdrawn"]
    assert visit(client, token_page).one("ul", class_="names").text == "The river (fr) The lake (fr)"


def test_who_shares_the_mailbox_keeps_their_own_signatures(app: Flask, token_page: str) -> None:
    client = browser(app)
    sign_one(client, "river", BOB)
    bobs = link(mails(app)[-1])
    assert bobs != token_page
    client.post(f"{token_page}/not-me")
    client.post(bobs)
    assert sorted(states(app)) == ["confirmed", "withdrawn", "withdrawn"]


# --- links that open nothing ---


def test_a_link_works_for_fourteen_days_and_then_says_that_it_is_too_old(app: Flask, token_page: str) -> None:
    client = browser(app)
    with app.app_context():
        begun = rows(Signer)[0].asked_at
    with stopped_at(begun + LINK_LIFETIME):
        assert visit(client, token_page)
    with stopped_at(begun + LINK_LIFETIME + A_SECOND):
        for gone in (
            client.get(token_page),
            client.post(token_page),
            client.post(f"{token_page}/more", data={"cases": ["forest"]}),
            client.post(f"{token_page}/not-me"),
        ):
            assert page_of(gone, 410).one("html")["lang"] == "fr"
    assert states(app) == ["pending", "pending"]


def test_signing_again_gives_an_old_link_new_life(app: Flask, token_page: str) -> None:
    client = browser(app)
    later = now() + LINK_LIFETIME + timedelta(days=1)
    with stopped_at(later):
        assert client.get(token_page).status_code == 410
        sign_all(client, ["river", "lake"])
        assert link(mails(app)[-1]) == token_page
        assert client.post(token_page).status_code == 303
    assert states(app) == ["confirmed", "confirmed"]


@pytest.mark.parametrize("change", ["cut", "longer", "other letter", "other row", "upper case", "binary"])
def test_a_link_that_is_off_by_one_letter_opens_nothing(app: Flask, token_page: str, change: str) -> None:
    before, _, token = token_page.rpartition("/")
    forged = {
        "cut": token[:-1],
        "longer": f"{token}A",
        "other letter": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "other row": "A" * 9 + ("w" if token[9] != "w" else "g") + token[10:],
        "upper case": token.swapcase(),
        "binary": "%00%ff" + token[2:],
    }[change]
    client = browser(app)
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/more"), ("POST", "/not-me")):
        answer = client.open(f"{before}/{forged}{path}", method=method, data={"cases": ["forest"]})
        page_of(answer, 404)
        assert token not in answer.text
    assert states(app) == ["pending", "pending"]


def test_links_of_another_installation_open_nothing_here(app: Flask, token_page: str) -> None:
    KEYRING.of(app).secret_key = "another secret"
    assert browser(app).get(token_page).status_code == 404


# --- the code ---


def test_the_code_from_the_mail_confirms_like_the_link(app: Flask, token_page: str, htmx: bool) -> None:
    client = browser(app, htmx=htmx)
    assert visit(client, CODE).form(CODE).field("code")["inputmode"] == "numeric"
    answer = type_code(client, ANN.email, code(mails(app)[0]))

    assert (answer.status_code, answer.location) == (303, token_page)
    assert states(app) == ["confirmed", "confirmed"]
    assert visit(client, answer.location)


@pytest.mark.parametrize("spelling", ["{}{}", "{} {}", "{}-{}", " {}\u00a0{} ", "{}\t{}"])
def test_the_code_may_be_spaced_and_the_address_spelt_as_one_likes(app: Flask, token_page: str, spelling: str) -> None:
    digits = code(mails(app)[0]).split()
    answer = type_code(browser(app), " Ann+Tag@EXAMPLE.org ", spelling.format(*digits))
    assert answer.location == token_page


def test_the_code_may_be_typed_with_the_digits_of_another_script(app: Flask, token_page: str) -> None:
    arabic = code(mails(app)[0]).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert type_code(browser(app), ANN.email, arabic).location == token_page


@pytest.mark.usefixtures("token_page")
def test_a_wrong_code_is_refused_with_what_was_typed(app: Flask, htmx: bool) -> None:
    client = browser(app, htmx=htmx)
    wrong = f"{(int(code(mails(app)[0]).replace(' ', '')) + 1) % 1_000_000:06d}"
    page = page_of(type_code(client, ANN.email, wrong), 422)

    assert page.one("div", class_="problem")["role"] == "alert"
    assert page.form(CODE).fields() == {"email": [ANN.email], "code": [wrong]}
    assert states(app) == ["pending", "pending"]


@pytest.mark.usefixtures("token_page")
@pytest.mark.parametrize(
    ("email", "digits", "field"),
    [
        ("", "123456", "email"),
        ("nope", "123456", "email"),
        ("ann@example.org", "", "code"),
        ("ann@example.org", "12345", "code"),
        ("ann@example.org", "1234567", "code"),
        ("ann@example.org", "abcdef", "code"),
        ("ann@example.org", "1" * 10_000, "code"),
        ("ann@example.org", "<b>12345</b>", "code"),
        ("a" * 10_000, "123456", "email"),
        ("ann@example.org\0", "123456", "email"),
    ],
)
def test_what_cannot_be_address_and_code_is_refused_beside_the_field(
    app: Flask, eve: FlaskClient, email: str, digits: str, field: str
) -> None:
    with app.app_context():
        before = dump()
    page = page_of(type_code(eve, email, digits), 422)
    assert page.one(id=f"code-{field}-error").text
    assert page.one("div", class_="problem").one("a")["href"] == f"#code-{field}"
    with app.app_context():
        assert dump() == before, "a slip of the pen costs no try"


@pytest.mark.usefixtures("token_page")
def test_the_page_for_codes_shows_an_outsider_nothing_about_an_address(app: Flask, eve: FlaskClient) -> None:
    confirmed = link(mails(app)[0])
    for already in (False, True):
        known, unknown = type_code(eve, ANN.email, "000 000"), type_code(eve, EVE.email, "000 000")
        assert known.status_code == unknown.status_code == 422
        assert known.text.replace(html.escape(ANN.email), "") == unknown.text.replace(html.escape(EVE.email), "")
        same = [
            {name: value for name, value in headers_of(answer) if name != "Content-Length"}
            for answer in (known, unknown)
        ]
        assert same[0] == same[1]
        if not already:
            eve.post(confirmed)


@pytest.mark.usefixtures("token_page")
def test_guessing_codes_ends_after_five_tries_for_known_and_unknown_alike(app: Flask, eve: FlaskClient) -> None:
    right = code(mails(app)[0])
    begun = now()
    with stopped_at(begun):
        for address in (ANN.email, EVE.email):
            tries = [type_code(eve, address, f"00000{n}") for n in range(5)]
            assert [answer.status_code for answer in tries] == [422] * 5
        for spelling in (ANN.email, "ANN+x@example.org", EVE.email):
            late = type_code(eve, spelling, right)
            assert late.status_code == 429
            page_of(late, 429)
    assert states(app) == ["pending", "pending"]
    with stopped_at(begun + timedelta(hours=24, seconds=1)):
        assert type_code(eve, ANN.email, right).status_code == 422, "and by then the code is too old"


@pytest.mark.usefixtures("token_page")
def test_guessing_for_many_addresses_ends_too(eve: FlaskClient) -> None:
    answers = [type_code(eve, f"somebody-{n}@example.org", "000 000").status_code for n in range(61)]
    assert answers == [422] * rate_limits.CODE_TRIES_NETWORK.most + [429]
    elsewhere = eve.post(
        CODE, data={"email": "x@example.org", "code": "000000"}, environ_base={"REMOTE_ADDR": "1.2.3.4"}
    )
    assert elsewhere.status_code == 422


def test_a_code_works_for_one_day(app: Flask, token_page: str) -> None:
    right = code(mails(app)[0])
    with app.app_context():
        begun = rows(Signer)[0].asked_at
    with stopped_at(begun + CODE_LIFETIME + A_SECOND):
        assert type_code(browser(app), ANN.email, right).status_code == 422
    assert states(app) == ["pending", "pending"]
    with stopped_at(begun + CODE_LIFETIME):
        assert type_code(browser(app), ANN.email, right).location == token_page


def test_each_of_two_in_one_mailbox_has_a_code_of_their_own(app: Flask, token_page: str) -> None:
    client = browser(app)
    sign_one(client, "river", BOB)
    bobs = next(mail for mail in mails(app) if link(mail) != token_page)
    assert type_code(client, BOB.email, code(bobs)).location == link(bobs)
    assert sorted(states(app)) == ["confirmed", "pending", "pending"]


def test_a_code_of_one_campaign_is_none_in_another(app: Flask, tmp_path: Path, token_page: str) -> None:
    make_campaign(app, tmp_path / "other", slug="other")
    answer = browser(app).post("/fr/other/code", data={"email": ANN.email, "code": code(mails(app)[0])})
    assert answer.status_code == 422
    assert states(app) == ["pending", "pending"]
