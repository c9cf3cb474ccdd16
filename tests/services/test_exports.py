"""Exports: encrypted; they contain every name as typed; no cell is run as a formula."""

import base64
import json
import logging
import secrets
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from petitions.clock import now, stopped_at
from petitions.db import bulk
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.domain.cells import safe_cell
from petitions.domain.decrypt_export import columns, opened, table
from petitions.domain.states import SignatureState
from petitions.models import Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.privacy.exports import sealed_lines, sealed_sample
from petitions.services.signing import confirming
from petitions.services.signing.signing import sign_cases
from petitions.settings import ROOT
from tests.support.data import lines_of
from tests.support.effort import DATABASES, effort
from tests.support.factories import (
    ANN,
    BOB,
    EVE,
    Keys,
    Person,
    confirm,
    make_campaign,
    make_entry,
    newest,
    sign,
    token_of,
)

Export = Callable[..., list[dict[str, str]]]

NAMES = [
    *((name, "") for name in lines_of("good_names.txt")),
    ("Sinéad", "O’Connor"),
    ("", "Şebnem Korur Fincancı"),
    ("José-María", "Núñez, “el Niño”"),
    ('quote"d', "semi;colon"),
]


@pytest.fixture
def exported(context: object, campaign: PublicCampaign, keys: Keys) -> Export:
    """A function that gives one of the campaign's lists as the section would open it."""

    def export(*identities: str, rows: str = "signature", purpose: str = "delivery") -> list[dict[str, str]]:
        signers = opened(sealed_lines(campaign.slug, by="test"), identities or [keys.section_private])
        heading = columns(rows, purpose)
        return [dict(zip(heading, row, strict=True)) for row in table(signers, rows, purpose)]

    return export


def agree(campaign: PublicCampaign, person: Person, *cases: str) -> None:
    """`person` signs, confirms, and wants news."""
    sign_cases(make_entry(campaign, person, *cases, newsletter=True))
    confirming.confirm_signer(token_of(newest(Signer).id))


def change(**values: object) -> None:
    """Change the newest signer's row behind everybody's back."""
    with transaction() as store:
        store.execute(update(Signer).where(Signer.id == newest(Signer).id).values(**values))


def test_names_and_addresses_come_back_byte_exact(campaign: PublicCampaign, exported: Export) -> None:
    people = [Person(*name, f"p{number}@Example.org") for number, name in enumerate(NAMES)]
    for person in people:
        agree(campaign, person, "river")

    found = [Person(row["first_name"], row["last_name"], row["email"]) for row in exported(purpose="newsletter")]
    key = lambda person: person.email  # noqa: E731
    assert sorted(found, key=key) == sorted(people, key=key), "in no order: the lines do not tell who came first"
    assert sorted((row["first_name"], row["last_name"]) for row in exported()) == sorted(NAMES)


def test_a_line_is_a_signer_and_names_nobody(context: object, campaign: PublicCampaign, keys: Keys) -> None:
    with stopped_at(datetime(2026, 12, 10, 9, 30, 15, 999, tzinfo=UTC)):
        confirm(campaign, ANN, "river", "lake")
    text, totals = sealed_lines(campaign.slug, by="test")
    assert json.loads(totals)["totals"]["river"] == {"confirmed": 1, "named": 1}
    line = json.loads(text)
    sealed = base64.b64decode(line.pop("sealed"))
    times = {"signed_on": "2026-12-10", "confirmed_on": "2026-12-10"}
    letters = [signature.pop("letter") for signature in line["signatures"]]
    assert line == {
        **sealing.bound_to(campaign.slug, newest(Signer).link_id),
        "locale": "fr",
        "newsletter": False,
        "sealed_name": None,
        **times,
        "signatures": [{"case": "river", **times}, {"case": "lake", **times}],
    }
    assert len({*letters}) == 2
    assert all(len(letter) == 64 for letter in letters)
    assert sealed == newest(Signer).sealed
    assert "Connor" not in text
    assert "ann@" not in text
    assert sealing.unseal(sealed, [keys.section_private])["email"] == ANN.email


def test_the_log_says_who_took_how_many_and_names_nobody(
    campaign: PublicCampaign, exported: Export, caplog: pytest.LogCaptureFixture
) -> None:
    confirm(campaign, ANN)
    with caplog.at_level(logging.INFO):
        exported()
    assert "export begun campaign=water-2026 by=test" in caplog.text
    assert "export ended campaign=water-2026 by=test signers=1 signatures=3" in caplog.text
    assert "Ann" not in caplog.text


def test_a_row_for_delivery_says_everything_but_the_address(campaign: PublicCampaign, exported: Export) -> None:
    with stopped_at(datetime(2026, 12, 10, 9, 30, 15, 999, tzinfo=UTC)):
        sign_cases(make_entry(campaign, ANN, "lake", locale="en", newsletter=True, birth_date=date(1985, 3, 27)))
        confirming.confirm_signer(token_of(newest(Signer).id))
    row = {
        "case": "lake",
        "first_name": ANN.first_name,
        "last_name": ANN.last_name,
        "birth_date": "1985-03-27",
        "language": "en",
        "signed_on": "2026-12-10",
    }
    assert exported() == [row]
    del row["case"]
    assert exported(rows="signer") == [{"cases": "lake", **row}]


def test_a_signature_is_a_row_by_signer_and_in_the_order_of_the_cases(
    campaign: PublicCampaign, exported: Export
) -> None:
    for person in (ANN, EVE):
        confirm(campaign, person)
    found = [(row["first_name"], row["case"]) for row in exported()]
    signed = [(name, case.slug) for name in ("Ann", "Eve") for case in campaign.cases]
    assert found in (signed, signed[3:] + signed[:3])
    found = [(row["first_name"], row["cases"]) for row in exported(rows="signer")]
    assert sorted(found) == [(name, "river forest lake") for name in ("Ann", "Eve")]


def test_only_confirmed_signatures_are_delivered(campaign: PublicCampaign, exported: Export) -> None:
    confirm(campaign, ANN, "river")
    sign(campaign, ANN, "lake")
    sign(campaign, BOB)
    sign_cases(make_entry(campaign, EVE, newsletter=True))
    assert [(row["first_name"], row["case"]) for row in exported()] == [("Ann", "river")]
    assert exported(purpose="newsletter") == []
    confirming.reject_signer(token_of(newest(Signer).id))
    assert [(row["first_name"], row["case"]) for row in exported()] == [("Ann", "river")]


def test_the_newsletter_list_holds_those_who_agreed_and_nobody_else(campaign: PublicCampaign, exported: Export) -> None:
    confirm(campaign, ANN)
    agree(campaign, EVE)
    [row] = exported(purpose="newsletter")
    assert row.pop("agreed_on").startswith("2")
    assert row == {"email": EVE.email, "first_name": "Eve", "last_name": "Moriarty", "language": "fr"}


def test_who_took_all_signatures_back_may_still_want_news(campaign: PublicCampaign, exported: Export) -> None:
    agree(campaign, EVE)
    with transaction() as store:
        store.execute(update(Signature).values(state=SignatureState.WITHDRAWN))
    assert [row["email"] for row in exported(purpose="newsletter")] == [EVE.email]
    assert exported() == exported(rows="signer") == []


def test_a_corrected_name_takes_the_place_of_the_first(campaign: PublicCampaign, exported: Export, keys: Keys) -> None:
    agree(campaign, ANN, "river")
    change(sealed_name=sealing.seal({"first_name": "Anna", "last_name": "李"}, [keys.section_public]))
    [delivery], [news] = exported(), exported(purpose="newsletter")
    assert (delivery["first_name"], delivery["last_name"]) == ("Anna", "李")
    assert (news["first_name"], news["email"]) == ("Anna", ANN.email)


def test_an_erased_signer_is_not_delivered(campaign: PublicCampaign, exported: Export) -> None:
    confirm(campaign, ANN)
    change(sealed=None)
    assert exported() == []
    assert sealed_sample(campaign.slug, 5) == []


def test_a_campaign_without_signatures_or_without_existence_is_an_empty_list(exported: Export) -> None:
    assert exported() == []
    assert [json.loads(line) for line in sealed_lines("no-such-campaign", by="test")] == [{"totals": {}}]


def test_who_is_only_counted_is_named_to_nobody(app: Flask, tmp_path: Path, keys: Keys) -> None:
    with app.app_context():
        campaign = make_campaign(app, tmp_path / "some", slug="some", unnamed=["lake"])
        confirm(campaign, ANN)
        for person, wants_news in ((BOB, False), (EVE, True)):
            sign_cases(make_entry(campaign, person, "river", is_named=False, newsletter=wants_news))
            confirming.confirm_signer(token_of(newest(Signer).id))
        totals: dict[str, dict[str, int]] = {}
        signers = list(opened(sealed_lines("some", by="test"), [keys.section_private], totals))

    assert sorted(each["first_name"] for each in signers) == ["Ann", "Eve"], "Bob's line did not even leave sealed"
    delivered = list(table(signers, "signature", "delivery"))
    assert sorted(row[:2] for row in delivered) == [("forest", "Ann"), ("river", "Ann")]
    assert [row[0] for row in table(signers, "signer", "newsletter")] == [EVE.email]
    named = {case: (each["confirmed"], each["named"]) for case, each in totals.items()}
    assert named == {"river": (3, 1), "forest": (1, 1), "lake": (1, 0)}


def test_a_payload_that_was_moved_to_another_row_or_campaign_is_refused(
    context: object, campaign: PublicCampaign, keys: Keys
) -> None:
    for person in (ANN, EVE):
        confirm(campaign, person)
    first, second = (json.loads(line) for line in list(sealed_lines(campaign.slug, by="test"))[:2])
    swapped = {**first, "sealed": second["sealed"]}
    elsewhere = {**first, "campaign": "other"}
    for line in (swapped, elsewhere):
        with pytest.raises(sealing.CannotOpen, match="1"):
            list(opened([json.dumps(line)], [keys.section_private]))
    assert len(list(opened([json.dumps(first)], [keys.section_private]))) == 1


def test_a_wrong_key_opens_nothing_and_any_of_several_keys_will_do(
    campaign: PublicCampaign, exported: Export, keys: Keys
) -> None:
    confirm(campaign, ANN)
    stranger, _ = sealing.new_identity()
    for identities in ([stranger], [keys.master_key], ["no key"]):
        with pytest.raises(sealing.CannotOpen, match="1"):
            exported(*identities)
    assert len(exported(stranger, keys.section_private)) == 3


@pytest.mark.parametrize("damaged", ["", "no json", "{}", "[]", "null", '{"sealed": 3}', '{"sealed": "AAAA"}'])
def test_a_damaged_line_is_named(damaged: str, keys: Keys) -> None:
    with pytest.raises(sealing.CannotOpen, match="1"):
        list(opened([damaged], [keys.section_private]))


def test_a_reader_may_stop_half_way_and_signing_goes_on(campaign: PublicCampaign, exported: Export) -> None:
    confirm(campaign, ANN)
    confirm(campaign, BOB)
    reader = sealed_lines(campaign.slug, by="test")
    next(reader)
    confirm(campaign, EVE)
    reader.close()
    assert len(exported()) == 9


def test_a_sample_is_drawn_among_all_and_no_larger_than_asked(context: object, campaign: PublicCampaign) -> None:
    for person in (ANN, BOB, EVE):
        confirm(campaign, person)
    assert len(sealed_sample(campaign.slug, 2)) == 2
    assert len({payload for _ in range(40) for payload in sealed_sample(campaign.slug, 1)}) == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_can_be_taken_for_a_formula(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("harmless", ["", "Ann", "O’Connor", "'Abd", "1=1", "a@b.org", "李"])
def test_what_is_no_formula_is_left_alone(harmless: str) -> None:
    assert safe_cell(harmless) == harmless


def fill(campaign: PublicCampaign, number: int) -> None:
    """`number` confirmed signers with one signature each, straight into the tables."""
    case, moment, payload = campaign.cases[0], now(), bytes(720)
    with transaction() as store:
        connection = store.connection()
        for start in range(0, number, 5000):
            ids = range(start + 1, min(start + 5000, number) + 1)
            row = (campaign.id, payload, "fr", False, moment, moment, moment)
            names = ("id", "link_id", "campaign_id", "sealed", "locale", "newsletter", "signed_at", "asked_at")
            signers = [(each, secrets.token_bytes(16), *row) for each in ids]
            bulk.insert(connection, Signer, (*names, "confirmed_at"), signers)
            columns = ("signer_id", "case_id", "state", "letter_version_id", "source", "signed_at", "confirmed_at")
            signed = [
                (each, case.id, "confirmed", case.letter_versions["fr"], "direct", moment, moment) for each in ids
            ]
            bulk.insert(connection, Signature, columns, signed)


MANY = effort(40_000, 100_000)
READER = """
import sys
from pathlib import Path
from petitions.factory import create_app
from petitions.services.privacy.exports import sealed_lines
from petitions.settings import Settings

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

url, instance, how, total = sys.argv[1:]
app = create_app(Settings(database_url=url, instance=Path(instance), mail_url="console:").completed())
with app.app_context():
    lines = sealed_lines("water-2026", by="test")
    if how == "at once":  # the seeded bug
        lines = iter(list(lines))
    at_10_000 = most = 0
    for number, line in enumerate(lines, 1):
        if number % 1000 == 0:
            most = max(most, megabytes())
        if number == 10_000:
            at_10_000 = most
assert number == int(total) + 1  # with the totals
print(at_10_000, most)
"""


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
def test_an_export_is_a_stream_however_many_signed(
    context: Flask, campaign: PublicCampaign, database_url: str, tmp_path: Path
) -> None:
    fill(campaign, MANY)
    at_10_000, most = memory(database_url, tmp_path, "stream")
    assert most - at_10_000 <= effort(8, 20)
    with_bug, _ = memory(database_url, tmp_path, "at once")
    assert with_bug - at_10_000 > 20


def memory(database_url: str, folder: Path, how: str) -> tuple[float, float]:
    """Megabytes that a process of its own holds after 10,000 signers, and at most."""
    words = [sys.executable, "-c", READER, database_url, str(folder), how, str(MANY)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    at_10_000, most = map(float, done.stdout.split())
    print(how, at_10_000, most)
    return at_10_000, most
