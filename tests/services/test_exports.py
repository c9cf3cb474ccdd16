"""Handing over: the section gets every name as it was typed, and no spreadsheet runs it."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from petitions import sealing
from petitions.clock import stopped_at
from petitions.models import Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services import confirming
from petitions.services.exports import HEADER, csv_lines, opened_signatures, safe_cell
from petitions.services.signing import sign_cases
from tests.support.data import lines_of
from tests.support.factories import ANN, BOB, EVE, Keys, Person, confirm, make_entry, newest, sign, token_of

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
    """A function that gives the campaign's list as the section would open it."""

    def export(*identities: str) -> list[dict[str, str]]:
        lines = csv_lines(opened_signatures(campaign.slug, identities or [keys.section_private]))
        return list(csv.DictReader(io.StringIO("".join(lines), newline="")))

    return export


def test_names_and_addresses_come_back_byte_exact(campaign: PublicCampaign, exported: Export) -> None:
    people = [Person(*name, f"p{number}@Example.org") for number, name in enumerate(NAMES)]
    for person in people:
        confirm(campaign, person, "river")

    found = [Person(row["first_name"], row["last_name"], row["email"]) for row in exported()]
    assert found == people


def test_a_row_says_everything_that_the_section_needs(campaign: PublicCampaign, exported: Export) -> None:
    with stopped_at(datetime(2026, 12, 10, 9, 30, 15, 999, tzinfo=UTC)):
        entry = make_entry(campaign, ANN, "lake", locale="en", newsletter=True, birth_date=date(1985, 3, 27))
        sign_cases(entry)
        confirming.confirm_signer(token_of(newest(Signer).id))

    assert exported() == [
        {
            "case": "lake",
            "first_name": ANN.first_name,
            "last_name": ANN.last_name,
            "email": ANN.email,
            "birth_date": "1985-03-27",
            "language": "en",
            "newsletter": "yes",
            "signed_at": "2026-12-10T09:30:15+00:00",
            "confirmed_at": "2026-12-10T09:30:15+00:00",
        }
    ]


def test_each_signature_is_a_row_by_signer_and_in_the_order_of_the_cases(
    campaign: PublicCampaign, exported: Export
) -> None:
    for person in (ANN, EVE):
        confirm(campaign, person)
    found = [(row["first_name"], row["case"]) for row in exported()]
    assert found == [(name, case.slug) for name in ("Ann", "Eve") for case in campaign.cases]


def test_only_confirmed_signatures_are_handed_over(campaign: PublicCampaign, exported: Export) -> None:
    confirm(campaign, ANN, "river")
    sign(campaign, ANN, "lake")
    sign(campaign, BOB)
    sign(campaign, EVE)
    confirming.reject_signer(token_of(newest(Signer).id))

    assert [(row["first_name"], row["case"]) for row in exported()] == [("Ann", "river")]


def test_a_campaign_without_signatures_or_without_existence_is_an_empty_list(exported: Export, keys: Keys) -> None:
    assert exported() == []
    assert list(opened_signatures("no-such-campaign", [keys.section_private])) == []


def test_a_wrong_key_opens_nothing(campaign: PublicCampaign, exported: Export, keys: Keys) -> None:
    confirm(campaign, ANN)
    stranger, _ = sealing.new_identity()
    for identities in ([stranger], [keys.master_key], ["no key"]):
        with pytest.raises(sealing.CannotOpen):
            exported(*identities)
    assert len(exported(stranger, keys.section_private)) == 3


def test_a_reader_may_stop_half_way_and_signing_goes_on(campaign: PublicCampaign, exported: Export, keys: Keys) -> None:
    confirm(campaign, ANN)
    reader = opened_signatures(campaign.slug, [keys.section_private])
    next(reader)
    confirm(campaign, EVE)
    reader.close()
    assert len(exported()) == 6


def test_the_list_begins_with_a_heading() -> None:
    assert list(csv_lines(iter([]))) == [",".join(HEADER) + "\r\n"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_can_be_taken_for_a_formula(start: str) -> None:
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"
    lines = "".join(csv_lines(iter([(f"{start}1,2",)])))
    assert list(csv.reader(io.StringIO(lines, newline="")))[1] == [f"'{start}1,2"]


@pytest.mark.parametrize("harmless", ["", "Ann", "O’Connor", "'Abd", "1=1", "a@b.org", "李"])
def test_what_is_no_formula_is_left_alone(harmless: str) -> None:
    assert safe_cell(harmless) == harmless


def test_a_formula_in_a_name_is_defused_on_the_way_out(campaign: PublicCampaign, exported: Export) -> None:
    confirm(campaign, Person("-Ann", "=1+1", "ann@example.org"), "river")
    [row] = exported()
    assert (row["first_name"], row["last_name"]) == ("'-Ann", "'=1+1")
