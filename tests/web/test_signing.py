"""Signing over HTTP: what people type, how it comes back, and that nothing is lost or doubled."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions.clock import now, stopped_at
from petitions.db.transactions import WRITE_QUEUE
from petitions.domain import decrypt_export
from petitions.domain.cells import safe_cell
from petitions.models import Message, Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.mailing.outbox import BLANK
from petitions.services.privacy import exports
from petitions.web.forms.words import REFUSALS
from tests.support.factories import ANN, BOB, EVE, Keys, Person, dump, in_threads, make_campaign, miscounts, rows
from tests.web.browsing import body, browser, headers_of, link, mails, page_of, press, sign_all, sign_one, typed, visit
from tests.web.page import Page

SIGN = "/fr/water-2026/sign"
ALL = ["river", "forest", "lake"]
A_YEAR_AGO = (now() - timedelta(days=365)).date()

GOOD_NAMES = {
    "curly apostrophe": "O’Connor",
    "straight apostrophe": "Wet'suwet'en",
    "Turkish": "Şebnem Korur Fincancı",
    "one Han letter": "李",
    "hyphen and accents": "José-María",
    "hyphen that does not break": "Jean\u2011Luc",
    "Arabic with vowel marks": "مَنَاهِل العُتَيْبِي",
    "Persian with a joiner": "محمد\u200cرضا",
    "Hebrew": "נטע ברזילי",
    "Vietnamese": "Đặng Đình Bách",
    "Devanagari": "श्रीमती प्रियंका",
    "Thai": "ศรีสุดา",
    "Greek": "Δημήτρης",
    "Cyrillic with initials": "Ф. М. Достоевский",
    "Georgian": "ნინო",
    "Korean": "박경석",
    "Hawaiian okina": "Kaʻahumanu",
    "Icelandic": "Þórður",
    "title and digit": "Dr. Ann 2",
    "a hundred letters": "ß" * 100,
    "two accents on one letter": "Nguye\u0302\u0303n".replace("e\u0302\u0303", "ễ"),
}
BAD_NAMES = {
    "NUL": ("An\0n", "name_has_sign"),
    "bidi override": ("\u202eAnn", "name_has_sign"),
    "bidi isolate": ("\u2066Ann\u2069", "name_has_sign"),
    "zero width space": ("A\u200bnn", "name_has_sign"),
    "byte order mark": ("A\ufeffnn", "name_has_sign"),
    "line break": ("Ann\r\nBcc: Eve", "name_has_sign"),
    "tab": ("An\tn", "name_has_sign"),
    "formula": ("=1+1", "name_has_sign"),
    "another formula": ("@SUM(1+1)*cmd|' /C calc'!A0", "name_has_sign"),
    "plus": ("+33 1", "name_has_sign"),
    "HTML": ("<b>Ann</b>", "name_has_sign"),
    "script": ('"><script>go()</script>', "name_has_sign"),
    "template": ("{{ 7*7 }}", "name_has_sign"),
    "emoji": ("Ann 😀", "name_has_sign"),
    "private use": ("Ann \ue000", "name_has_sign"),
    "link": ("https://evil.example/", "name_has_link"),
    "bare link": ("www.evil.example", "name_has_link"),
    "domain": ("win-money.com", "name_has_link"),
    "too many accents": ("Z\u0351\u036b\u0343\u036a\u0302", "name_has_marks"),
    "no letter": ("12345", "name_has_no_letter"),
    "101 letters": ("a" * 101, "name_too_long"),
    "10,000 letters": ("a" * 10_000, "name_too_long"),
}
GOOD_EMAILS = {
    "plain": "ann@example.org",
    "upper case": "ANN.Smith@Example.ORG",
    "plus tag": "ann+petition@example.org",
    "international domain": "ann@bücher.example.org",
    "international all over": "jörg@bücher.example.org",
    "punycode": "ann@xn--bcher-kva.example.org",
    "apostrophe": "o'connor@example.org",
    "Greek": "ανν@example.org",
}
BAD_EMAILS = {
    "no at": "ann.example.org",
    "two ats": "ann@home@example.org",
    "no host": "ann@",
    "no name": "@example.org",
    "host without a dot": "ann@localhost",
    "space inside": "an n@example.org",
    "IP literal": "ann@[127.0.0.1]",
    "NUL": "ann@example.org\0",
    "second header": "ann@example.org\r\nBcc: eve@example.net",
    "two addresses": "ann@example.org, eve@example.net",
    "name and address": "Ann <ann@example.org>",
    "bidi override": "\u202eann@example.org",
    "formula": "=cmd|' /C calc'!A0",
    "HTML": "<b>ann</b>@example.org",
    "quoted": '"ann smith"@example.org',
    "host with a hyphen in front": "ann@-example.org",
    "dots in a row": "ann..smith@example.org",
    "255 characters": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example.org",
    "10,000 characters": f"{'a' * 10_000}@example.org",
}


def says(page: Page, field: str, code: str) -> None:
    """The page refuses `field` beside it and in the summary, and the summary leads there."""
    error = page.one("p", class_="error").text
    summary = page.one("div", class_="problem")
    assert error == translated(page, code)
    assert summary["role"] == "alert"
    assert "tabindex" in summary.attrs
    assert "autofocus" in summary.attrs
    [to_field] = summary.all("a")
    assert to_field.text == error
    target = page.one(id=to_field["href"][1:])
    assert target["id"].endswith(f"-{field}")
    if target.tag == "input":
        assert target["aria-invalid"] == "true"
        assert page.one(id=f"{target['id']}-error").text == error


def translated(page: Page, code: str) -> str:
    """The sentence for a refusal: these tests read the English pages."""
    assert page.one("html")["lang"] == "en"
    return str(REFUSALS[code]._args[0])  # noqa: SLF001 - a lazy text without its translation


def post_bytes(client: FlaskClient, path: str, fields: dict[str, Any]) -> TestResponse:
    """Send fields whose values may be bytes, percent-encoded already."""
    pairs = [
        f"{name}={value.decode()}" if isinstance(value, bytes) else urlencode({name: value}, doseq=True)
        for name, value in fields.items()
    ]
    return client.post(path, data="&".join(pairs), content_type="application/x-www-form-urlencoded")


def nothing_is_stored(app: Flask) -> bool:
    """Whether nothing is stored, not even an incomplete signature."""
    with app.app_context():
        return not (rows(Signer) or rows(Signature) or rows(Message))


def exported(app: Flask, keys: Keys) -> list[dict[str, str]]:
    """What the section reads in the end, each cell as it will stand in the CSV."""
    heading = (*decrypt_export.NAMES, "email", "birth_date")
    with app.app_context():
        lines = list(exports.sealed_lines("water-2026", by="test"))
    signers = decrypt_export.opened(lines, [keys.section_private])
    return [
        {
            **{name: safe_cell(signer.get(name, "")) for name in heading},
            "case": signature["case"],
            "newsletter": "yes" if signer["newsletter"] else "no",
        }
        for signer in signers
        for signature in signer["signatures"]
    ]


# --- signing ---


@pytest.mark.usefixtures("campaign")
def test_one_case_is_signed_inline_or_not_by_the_same_answer(app: Flask, ann: FlaskClient) -> None:
    response = sign_one(ann, "river")

    assert (response.status_code, response.location) == (303, "/fr/water-2026/cases/river/thanks")
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    with app.app_context():
        [signature] = rows(Signature)
        assert (signature.state, signature.source) == ("pending", "direct")
        assert miscounts() == []
    [mail] = mails(app)
    assert mail["To"] == "ann@example.org"
    assert "The river (fr)" in body(mail)
    assert "The lake (fr)" not in body(mail)


@pytest.mark.usefixtures("campaign")
def test_all_cases_are_signed_by_pressing_the_button_as_the_page_offers_it(app: Flask, ann: FlaskClient) -> None:
    fields = visit(ann, "/fr/").form("/sign").fields()
    assert fields["cases"] == ALL
    response = ann.post(SIGN, data=fields | typed(ANN))

    assert (response.status_code, response.location) == (303, "/fr/water-2026/thanks")
    with app.app_context():
        assert len(rows(Signer)) == 1
        assert len(rows(Signature)) == 3
    [mail] = mails(app)
    assert all(f"The {case} (fr)" in body(mail) for case in ALL)


def test_only_those_ticked_are_signed(app: Flask, campaign: PublicCampaign, ann: FlaskClient) -> None:
    assert sign_all(ann, ["forest", "lake"]).status_code == 303
    with app.app_context():
        signed = {row.case_id for row in rows(Signature)}
    assert signed == {campaign.case("forest").id, campaign.case("lake").id}


@pytest.mark.usefixtures("campaign")
def test_a_case_named_twice_is_signed_once(app: Flask, ann: FlaskClient) -> None:
    assert sign_all(ann, ["river", "lake", "river", "river"]).status_code == 303
    with app.app_context():
        assert len(rows(Signature)) == 2


@pytest.mark.usefixtures("campaign")
def test_the_form_of_one_case_signs_that_case_whatever_else_is_sent(app: Flask, ann: FlaskClient) -> None:
    assert sign_one(ann, "river", cases=["lake", "nope"], state="confirmed", id="1").status_code == 303
    with app.app_context():
        [signature] = rows(Signature)
        assert signature.state == "pending"
    assert "The river (fr)" in body(mails(app)[0])


@pytest.mark.usefixtures("campaign")
def test_the_page_after_signing_may_be_shared(ann: FlaskClient, eve: FlaskClient) -> None:
    for response in (sign_one(ann), sign_all(ann, ALL)):
        page = visit(ann, response.location)
        assert ANN.first_name not in page.html
        assert ANN.email not in page.html
        assert "confirm/" not in page.html
        assert not re.search(r"[A-Za-z0-9_-]{32}", response.location)
        assert eve.get(response.location).data == page.html.encode()
        assert page.one("h2", autofocus=True)["tabindex"] == "-1"
        assert page.all(role="status")


@pytest.mark.usefixtures("campaign")
def test_reloading_the_page_after_signing_sends_nothing_again(app: Flask, ann: FlaskClient) -> None:
    response = sign_one(ann)
    with app.app_context():
        before = dump()
    for _ in range(3):
        assert ann.get(response.location).status_code == 200
    with app.app_context():
        assert dump() == before


@pytest.mark.usefixtures("campaign")
def test_the_address_of_the_form_can_be_opened(ann: FlaskClient) -> None:
    for path in (SIGN, "/fr/water-2026/cases/river/sign"):  # after a mistake the browser's bar shows it
        page = visit(ann, path)
        assert page.form(path).fields()["email"] == [""]


@pytest.mark.usefixtures("campaign")
def test_an_address_with_a_query_prefills_nothing(ann: FlaskClient) -> None:
    page = ann.get(f"{SIGN}?first_name=Eve&email=eve@example.net&newsletter=y&cases=river").data
    assert page == ann.get(SIGN).data


@pytest.mark.usefixtures("campaign")
def test_the_mail_speaks_the_language_of_the_page(app: Flask, ann: FlaskClient) -> None:
    assert ann.post("/en/water-2026/sign", data=typed(ANN, ["river"])).location == "/en/water-2026/thanks"
    [mail] = mails(app)
    assert link(mail).startswith("/en/confirm/")
    assert "The river (en)" in body(mail)
    assert '<html lang="en" dir="ltr">' in body(mail, "html")


@pytest.mark.usefixtures("campaign")
def test_news_are_sent_only_to_those_who_ticked_the_box(app: Flask, keys: Keys, ann: FlaskClient) -> None:
    sign_one(ann, "river", ANN, newsletter="y")
    sign_one(ann, "river", EVE)
    for mail in mails(app):
        ann.post(link(mail))
    wanted = {(ANN.email, "yes"), (EVE.email, "no")}
    assert {(row["email"], row["newsletter"]) for row in exported(app, keys)} == wanted


# --- what was wrong comes back as it was typed ---


@pytest.mark.usefixtures("campaign")
def test_a_mistake_costs_nobody_what_they_typed(app: Flask, ann: FlaskClient) -> None:
    data = typed(Person("李", "O’Connor <x>", "no address"), ["lake"], newsletter="y")
    page = page_of(ann.post(SIGN, data=data), 422)
    form = page.form(SIGN)

    for name in ("first_name", "last_name", "email"):
        assert form.field(name)["value"] == data[name]
    assert form.fields()["cases"] == ["lake"], "what was unticked stays unticked"
    assert form.fields()["newsletter"] == ["y"]
    assert [box["value"] for box in form.all("input", name="cases")] == ALL
    summary = page.one("div", class_="problem")
    assert [a["href"] for a in summary.all("a")] == ["#all-last_name", "#all-email"]
    assert nothing_is_stored(app)

    corrected = press(ann, form)  # still wrong
    assert corrected.status_code == 422
    again = form.fields() | {"last_name": ["O’Connor"], "email": ["ann@example.org"]}
    assert ann.post(SIGN, data=again).status_code == 303
    with app.app_context():
        assert len(rows(Signature)) == 1


@pytest.mark.usefixtures("campaign")
def test_news_that_were_not_asked_for_stay_unticked(ann: FlaskClient) -> None:
    form = page_of(sign_all(ann, ALL, email=""), 422).form(SIGN)
    assert "newsletter" not in form.fields()


@pytest.mark.usefixtures("campaign")
def test_the_form_of_one_case_comes_back_as_a_part_that_fits_where_it_was(ann: FlaskClient) -> None:
    opened = visit(ann, "/fr/water-2026/cases/river/").one("section", id="sign-river")
    page = page_of(sign_one(ann, "river", email="nope"), 422)
    returned = page.one("section", id="sign-river")

    form = returned.one("form")
    assert form["data-hx-target"] == form["data-hx-select"] == "#sign-river"
    assert opened.one("form").attrs == form.attrs
    assert form.field("first_name")["value"] == ANN.first_name
    assert page.h1 == "The river (fr)"


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("path", ["/en/water-2026/sign", "/en/water-2026/cases/river/sign"])
@pytest.mark.parametrize("blank", ["", "   ", "\t\n", "\u00a0", "\u3000"])
def test_each_field_that_must_be_filled_says_so(app: Flask, eve: FlaskClient, path: str, blank: str) -> None:
    for person, field, code in (
        (Person(blank, blank, ANN.email), "first_name", "name_missing"),
        (Person("Ann", "", blank), "email", "email_missing"),
    ):
        says(page_of(eve.post(path, data=typed(person, ["river"])), 422), field, code)
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "cases"])
def test_a_field_that_is_not_sent_at_all_is_like_an_empty_one(eve: FlaskClient, field: str) -> None:
    response = eve.post(SIGN, data={**typed(ANN, ["river"]), field: []})
    assert response.status_code == (303 if "name" in field else 422)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize(("first", "last"), [("Ann", ""), ("", "Ann"), ("Ann", "  ")])
def test_one_name_is_enough(app: Flask, eve: FlaskClient, first: str, last: str) -> None:
    assert sign_one(eve, "river", Person(first, last, ANN.email)).status_code == 303
    assert body(mails(app)[0]).startswith("Bonjour,"), "and no mail names anybody"


# --- names, addresses, dates, cases: good ones come back byte for byte ---


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("kind", GOOD_NAMES)
def test_a_good_name_comes_back_byte_for_byte(app: Flask, keys: Keys, eve: FlaskClient, kind: str) -> None:
    name = GOOD_NAMES[kind]
    form = page_of(sign_one(eve, "river", Person(name, name, "")), 422).form("/sign")
    assert (form.field("first_name")["value"], form.field("last_name")["value"]) == (name, name)
    assert form.field("first_name")["dir"] == "auto"

    assert sign_one(eve, "river", Person(name, name, ANN.email)).status_code == 303
    [mail] = mails(app)
    assert name not in body(mail) + body(mail, "html") + str(mail["To"])
    eve.post(link(mail))
    [row] = exported(app, keys)
    assert (row["first_name"], row["last_name"]) == (name, name)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("kind", BAD_NAMES)
def test_a_bad_name_is_refused_beside_its_field(app: Flask, eve: FlaskClient, kind: str) -> None:
    name, code = BAD_NAMES[kind]
    for path in ("/en/water-2026/sign", "/en/water-2026/cases/river/sign"):
        for field in ("first_name", "last_name"):
            page = page_of(eve.post(path, data=typed(ANN, ["river"], **{field: name})), 422)
            says(page, field, code)
            kept = page.form("/sign").field(field)["value"]
            # a browser's own parser drops NUL, and sends line breaks of a one-line field as one
            assert kept.replace("\r\n", "\n") == name.replace("\r\n", "\n")
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.parametrize("raw", [b"Ann%FF", b"%C3%28", b"%ED%A0%80", b"A%00nn", b"%F4%90%80%80"])
def test_a_name_that_is_no_text_is_refused(app: Flask, eve: FlaskClient, field: str, raw: bytes) -> None:
    page = page_of(post_bytes(eve, "/en/water-2026/sign", typed(ANN, ["river"], **{field: raw})), 422)
    says(page, field, "name_has_sign")
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
def test_a_name_is_kept_in_one_normal_form(app: Flask, keys: Keys, eve: FlaskClient) -> None:
    assert sign_one(eve, "river", Person("  Jose\u0301 ", "Mari\u0301a", ANN.email)).status_code == 303
    eve.post(link(mails(app)[0]))
    [row] = exported(app, keys)
    assert (row["first_name"], row["last_name"]) == ("José", "María")


@pytest.mark.usefixtures("campaign")
def test_a_cell_that_a_spreadsheet_would_run_is_text(app: Flask, keys: Keys, eve: FlaskClient) -> None:
    assert sign_one(eve, "river", Person("-Ann", "Lee", "+ann@example.org")).status_code == 303
    eve.post(link(mails(app)[0]))
    [row] = exported(app, keys)
    assert (row["first_name"], row["email"]) == ("'-Ann", "'+ann@example.org")


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("kind", GOOD_EMAILS)
@pytest.mark.parametrize("around", ["{}", "  {}\t", "\u00a0{}"], ids=["bare", "spaces", "no-break space"])
def test_a_good_address_gets_the_mail_as_it_was_typed(
    app: Flask, keys: Keys, eve: FlaskClient, kind: str, around: str
) -> None:
    address = GOOD_EMAILS[kind]
    form = page_of(sign_one(eve, "river", Person("<", "", around.format(address))), 422).form("/sign")
    assert form.field("email")["value"] == address
    assert form.field("email")["dir"] == "ltr"

    assert sign_one(eve, "river", Person("Ann", "", around.format(address))).status_code == 303
    [mail] = mails(app)
    [to] = mail["To"].addresses
    assert to.addr_spec == address
    eve.post(link(mail))
    [row] = exported(app, keys)
    assert row["email"] == address


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("kind", BAD_EMAILS)
def test_a_bad_address_is_refused_beside_its_field(app: Flask, eve: FlaskClient, kind: str) -> None:
    for path in ("/en/water-2026/sign", "/en/water-2026/cases/river/sign"):
        page = page_of(eve.post(path, data=typed(ANN, ["river"], email=BAD_EMAILS[kind])), 422)
        says(page, "email", "email_wrong")
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("raw", [b"ann\xff@example.org", b"ann@ex\xffample.org", b"ann\xed\xa0\x80@example.org"])
def test_an_address_that_is_no_text_is_refused(app: Flask, eve: FlaskClient, raw: bytes) -> None:
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in (("first_name", b"Ann"), ("email", raw), ("cases", b"river"))
    )
    answer = eve.post("/en/water-2026/sign", data=parts + b"--x--", content_type="multipart/form-data; boundary=x")
    says(page_of(answer, 422), "email", "email_wrong")
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("raw", [b"ann%FF", b"ann%ED%A0%80", b"%C3%28"])
def test_bytes_that_are_no_text_come_back_as_they_were_sent(app: Flask, eve: FlaskClient, raw: bytes) -> None:
    page = page_of(post_bytes(eve, "/en/water-2026/sign", typed(ANN, ["river"], email=raw)), 422)
    says(page, "email", "email_wrong")
    assert page.form("/sign").field("email")["value"].replace("(", "%28") == raw.decode()
    assert nothing_is_stored(app)


@pytest.fixture
def dated(app: Flask, tmp_path: Path) -> PublicCampaign:
    """The small campaign, which asks for the date of birth."""
    return make_campaign(app, tmp_path / "dated", asks_birth_date="true", languages=["fr", "en", "lb", "de"])


@pytest.mark.usefixtures("dated")
@pytest.mark.parametrize(
    "date",
    [
        *("27/03/1985", "27/3/1985", "27.03.1985", "27.3.1985", "27-3-1985", "27 3 1985", " 27/3/1985 "),
        *("1985-03-27", "27. 3. 1985"),
    ],
)
def test_a_date_of_birth_is_read_day_first_however_it_is_written(
    app: Flask, keys: Keys, eve: FlaskClient, date: str
) -> None:
    form = page_of(sign_one(eve, "river", email="", birth_date=date), 422).form("/sign")
    assert form.field("birth_date")["value"] == date, "it comes back as it was typed"
    assert sign_one(eve, "river", birth_date=date).status_code == 303
    eve.post(link(mails(app)[0]))
    [row] = exported(app, keys)
    assert row["birth_date"] == "1985-03-27"


@pytest.mark.usefixtures("dated")
@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("", "date_missing"),
        ("  ", "date_missing"),
        *((date, "date_wrong") for date in ("31/02/1985", "29.02.2023", "0/1/1985", "32.1.1985", "1/13/1985")),
        *((date, "date_wrong") for date in ("3/27/1985", "27/3", "1985", "27 March 1985", "27/3/1985/1", "--")),
        *((date, "date_wrong") for date in ("99999999999/1/1", "1" * 10_000, "=1+1", "<b>27</b>", "\u202e27/3")),
        ("1/1/1850", "date_too_old"),
        (f"{now() + timedelta(days=2):%d/%m/%Y}", "date_in_future"),
        (f"{now() + timedelta(days=2):%d.%m.%Y}", "date_in_future"),
        ("1/1/9999", "date_in_future"),
    ],
)
def test_an_impossible_date_of_birth_is_refused_beside_its_field(
    app: Flask, eve: FlaskClient, date: str, code: str
) -> None:
    page = page_of(eve.post("/en/water-2026/sign", data=typed(ANN, ["river"], birth_date=date)), 422)
    says(page, "birth_date", code)
    assert page.form("/sign").field("birth_date")["value"] == date
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("dated")
@pytest.mark.parametrize("language", ["fr", "en", "lb", "de"])
def test_the_example_of_a_date_is_one_that_is_taken(app: Flask, keys: Keys, eve: FlaskClient, language: str) -> None:
    path = f"/{language}/water-2026/sign"
    [example] = re.findall(r"\d+\D\d+\D\d+", visit(eve, path).one("p", id="all-birth_date-hint").text)
    response = eve.post(path, data=typed(ANN, ["river"], birth_date=example))

    assert response.status_code == 303, example
    eve.post(link(mails(app)[0]))
    [row] = exported(app, keys)
    assert row["birth_date"] == "1985-03-27"


@pytest.mark.usefixtures("campaign")
def test_a_date_of_birth_that_nobody_asked_for_is_not_kept(app: Flask, keys: Keys, eve: FlaskClient) -> None:
    assert sign_one(eve, "river", birth_date="27/3/1985").status_code == 303
    eve.post(link(mails(app)[0]))
    [row] = exported(app, keys)
    assert row["birth_date"] == ""


@pytest.mark.parametrize(
    ("cases", "code"),
    [
        ([], "cases_missing"),
        ([""], "case_unknown"),
        (["nope"], "case_unknown"),
        (["river", "nope"], "case_unknown"),
        (["RIVER"], "case_unknown"),
        (["river\0"], "case_unknown"),
        (["x" * 10_000], "case_unknown"),
        (["../../etc/passwd"], "case_unknown"),
        (["<b>river</b>"], "case_unknown"),
        (["secret"], "case_unknown"),
        (["river", "lake"], "case_closed"),
    ],
)
def test_a_case_that_cannot_be_signed_is_refused_and_the_others_stay_ticked(
    app: Flask, tmp_path: Path, eve: FlaskClient, cases: list[str], code: str
) -> None:
    states = {"lake": "closed", "secret": "hidden"}
    make_campaign(app, tmp_path / "campaign", cases=[*ALL, "secret"], states=states)
    page = page_of(eve.post("/en/water-2026/sign", data=typed(ANN, cases)), 422)

    says(page, "cases", code)
    ticked = page.form("/sign").fields().get("cases", [])
    assert ticked == [slug for slug in ("river", "forest") if slug in cases]
    assert page.form("/sign").field("email")["value"] == ANN.email
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
def test_what_is_no_form_at_all_is_refused_kindly(app: Flask, eve: FlaskClient) -> None:
    for data, kind in (
        (b"", "application/x-www-form-urlencoded"),
        (b'{"first_name": "Ann"}', "application/json"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"&&&=&=x&%&%zz=%zz", "application/x-www-form-urlencoded"),
        (b"--x\r\nnothing", "multipart/form-data; boundary=x"),
        (b"&".join(b"f%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded"),
    ):
        response = eve.post(SIGN, data=data, content_type=kind)
        assert response.status_code in (400, 413, 422), (kind, response.status_code)
        page_of(response, response.status_code)
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
def test_a_form_with_parts_is_a_form_too(app: Flask, eve: FlaskClient) -> None:
    response = eve.post(SIGN, data=typed(ANN, ["river"]), content_type="multipart/form-data")
    assert response.status_code == 303
    with app.app_context():
        assert len(rows(Signature)) == 1


# --- nothing is doubled ---


@pytest.mark.usefixtures("campaign")
def test_a_double_click_a_second_tab_and_the_back_button_add_nothing_twice(app: Flask, ann: FlaskClient) -> None:
    other_tab = browser(app)
    answers = [sign_all(ann, ["river", "lake"]) for _ in range(2)]
    answers += [sign_one(other_tab, "river"), sign_all(other_tab, ["lake", "river"]), sign_all(ann, ["river"])]

    assert {response.status_code for response in answers} == {303}
    with app.app_context():
        assert len(rows(Signer)) == 1
        assert len(rows(Signature)) == 2
        assert len(rows(Message, Message.kind != BLANK)) == 1
        assert miscounts() == []


@pytest.mark.usefixtures("campaign")
def test_sixteen_clicks_at_once_are_one(app: Flask) -> None:
    answers: list[int] = []
    raised = in_threads(app, [lambda: answers.append(sign_all(browser(app), ALL).status_code)] * 16)

    assert raised == [None] * 16
    assert answers == [303] * 16
    with app.app_context():
        assert (len(rows(Signer)), len(rows(Signature)), len(rows(Message, Message.kind != BLANK))) == (1, 3, 1)
        assert miscounts() == []


@pytest.mark.usefixtures("campaign")
def test_a_signer_who_adds_a_case_gets_a_mail_for_it(app: Flask, ann: FlaskClient) -> None:
    sign_one(ann, "river")
    assert len(mails(app)) == 1
    with stopped_at(now() + timedelta(minutes=11)):
        sign_one(ann, "lake")
        second = mails(app)[-1]
    with app.app_context():
        assert len(rows(Signer)) == 1
    assert link(second) == link(mails(app)[0]), "one signer has one link"
    assert len(mails(app)) == 2


@pytest.mark.usefixtures("campaign")
def test_two_people_share_a_mailbox_and_only_its_owner_learns_of_a_third(app: Flask, ann: FlaskClient) -> None:
    answers = [sign_one(ann, "river", person) for person in (ANN, BOB, Person("Carl", "O’Connor", ANN.email))]
    assert {(a.status_code, a.location, a.data) for a in answers} == {(303, answers[0].location, answers[0].data)}
    confirmed = [ann.post(link(mail)) for mail in mails(app)]
    assert [answer.status_code for answer in confirmed] == [303, 303, 409]
    assert "Signez avec une autre adresse" in confirmed[2].text


@pytest.mark.usefixtures("campaign")
def test_the_owner_of_the_mailbox_chooses_by_name_among_several_entries(app: Flask, ann: FlaskClient) -> None:
    for person in (EVE, ANN):
        sign_one(ann, "river", dataclasses.replace(person, email=ANN.email))
    eves, anns = mails(app)
    page = page_of(ann.get(link(eves)))
    assert page.form(link(eves)).field("first_name")
    wrong = ann.post(link(eves), data={"first_name": "Minnie", "last_name": "Mouse"})
    assert (wrong.status_code, "Personne de ce nom" in wrong.text) == (422, True)
    answer = ann.post(link(eves), data={"first_name": ANN.first_name, "last_name": ANN.last_name})
    assert (answer.status_code, answer.location) == (303, link(anns))
    with app.app_context():
        assert [row.state for row in rows(Signature)] == ["pending", "confirmed"]


@pytest.mark.usefixtures("campaign")
def test_an_outsider_cannot_find_out_who_has_signed_already(app: Flask, ann: FlaskClient) -> None:
    sign_all(ann, ALL)
    ann.post(link(mails(app)[0]))
    known, unknown = sign_all(ann, ALL, ANN), sign_all(ann, ALL, EVE)

    assert (known.status_code, known.data) == (unknown.status_code, unknown.data)
    assert headers_of(known) == headers_of(unknown)
    mistaken = [sign_all(ann, [], person).text for person in (ANN, EVE)]
    for person, page in zip((ANN, EVE), range(2), strict=True):
        for typed_in in (person.first_name, "O&#39;Connor", person.last_name, person.email):
            mistaken[page] = mistaken[page].replace(f'value="{typed_in}"', 'value=""')
    assert mistaken[0] == mistaken[1]


# --- when the server cannot take it now ---


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("path", [SIGN, "/fr/water-2026/cases/river/sign"])
def test_a_busy_server_says_so_and_keeps_what_was_typed(app: Flask, ann: FlaskClient, path: str) -> None:
    queue = WRITE_QUEUE.of(app)
    patience, queue.most_waiting = queue.most_waiting, 0  # as if two hundred were waiting
    response = ann.post(path, data=typed(ANN, ["lake"], newsletter="y"))
    page = page_of(response, 503)

    assert response.headers["Retry-After"] == "5"
    assert response.headers["Cache-Control"] == "no-store"
    assert page.one("div", class_="problem")["role"] == "alert"
    assert page.one("div", class_="problem").text
    form = page.form(path)
    for name, value in typed(ANN).items():
        assert form.field(name)["value"] == value
    assert form.fields()["newsletter"] == ["y"]
    assert form.fields().get("cases", ["lake"]) == ["lake"]
    assert nothing_is_stored(app)

    queue.most_waiting = patience
    assert press(ann, form).status_code == 303
    with app.app_context():
        assert len(rows(Signature)) == 1


@pytest.mark.usefixtures("campaign")
def test_too_much_text_is_413_and_not_read(app: Flask, ann: FlaskClient) -> None:
    response = sign_one(ann, "river", first_name="a" * 33_000)
    assert page_of(response, 413).text
    assert nothing_is_stored(app)


@pytest.mark.usefixtures("campaign")
def test_a_sender_that_hides_where_it_comes_from_is_slowed_down(app: Flask) -> None:
    script = app.test_client()  # neither Origin nor Sec-Fetch-Site
    script.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with stopped_at(begun):
        answers = [sign_one(script, "river", email="nope") for _ in range(21)]
    assert [answer.status_code for answer in answers] == [422] * 20 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 600
    page_of(answers[-1], 429)
    with stopped_at(begun + timedelta(minutes=11)):
        assert sign_one(script, "river", email="nope").status_code == 422
    assert sign_one(browser(app), "river").status_code == 303, "browsers are not meant"


def test_a_mistyped_host_is_asked_about_once_and_never_refused(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    slip = Person("Ann", "Lee", "ann@gmial.com")
    page = page_of(sign_one(client, person=slip), 422)
    assert "ann@gmail.com" in page.one(id="river-email-error").text
    form = page.form("/cases/river/sign")
    assert form.fields()["email"] == ["ann@gmial.com"]
    with app.app_context():
        assert rows(Signer) == []
    other = page_of(press(client, form, email="ann@hotmial.com"), 422)  # another slip is another question
    assert press(client, other.form("/cases/river/sign")).status_code == 303
    assert press(client, form, email="ann@gmail.com").status_code == 303
    assert [mail["To"] for mail in mails(app)] == ["ann@hotmial.com", "ann@gmail.com"]
