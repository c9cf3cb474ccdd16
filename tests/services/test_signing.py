"""Signing: one row per person and case, one e-mail, whatever clients, networks and servers do."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import minute_of, now, stopped_at
from petitions.db.base import db
from petitions.domain import identity, sealing
from petitions.errors import CampaignClosed, MailboxFull, NameUnknown, NoRecipientKey
from petitions.models import Count, Message, Recipient, Signature, Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign
from petitions.services.signing import signer_page, signing
from petitions.services.signing.confirming import confirm_named, confirm_signer
from petitions.services.signing.signing import sign_cases
from tests.support.factories import (
    ANN,
    BOB,
    EVE,
    Keys,
    Person,
    add_section_key,
    close_app,
    confirm,
    in_threads,
    letters,
    make_app,
    make_campaign,
    make_entry,
    miscounts,
    newest,
    rows,
    sign,
    together,
    token_of,
)
from tests.support.statements import commits, statements

pytestmark = pytest.mark.usefixtures("context")

NINE = tuple(f"case-{number}" for number in range(1, 10))


@pytest.fixture
def nine(app: Flask, tmp_path: Path) -> PublicCampaign:
    """A campaign with nine cases."""
    return make_campaign(app, tmp_path / "nine", slug="nine", cases=NINE)


def test_a_new_person_gets_a_row_a_signature_for_each_case_and_one_mail(campaign: PublicCampaign) -> None:
    sign(campaign, ANN, "river", "lake")

    [signer] = rows(Signer)
    assert (signer.slot, signer.locale, signer.newsletter, signer.confirmed_at) == (None, "fr", False, None)
    signed = {(row.case_id, row.state, row.source) for row in rows(Signature)}
    assert signed == {(campaign.case(slug).id, "pending", "direct") for slug in ("river", "lake")}
    assert letters() == [("confirm", "ann@example.org")]
    assert miscounts() == []


def test_the_signature_points_at_the_words_that_were_read(campaign: PublicCampaign) -> None:
    sign(campaign, ANN, "river", locale="en")
    sign(campaign, EVE, "river", locale="de")  # not translated: Eve read the source language

    versions = campaign.case("river").letter_versions
    assert [row.letter_version_id for row in rows(Signature)] == [versions["en"], versions["fr"]]


def test_what_is_personal_is_sealed_to_the_section_and_comes_back_byte_exact(
    campaign: PublicCampaign, keys: Keys
) -> None:
    born = datetime(1985, 3, 27, tzinfo=UTC).date()
    fincanci = Person("Şebnem", "Korur Fincancı", "Sebnem@Example.ORG")
    sign(campaign, fincanci, birth_date=born)

    sealed = newest(Signer).sealed
    assert sealing.unseal(sealed, [keys.section_private]) == {
        **sealing.bound_to(campaign.slug, newest(Signer).link_id),
        "first_name": "Şebnem",
        "last_name": "Korur Fincancı",
        "email": "Sebnem@Example.ORG",
        "birth_date": "1985-03-27",
    }
    with pytest.raises(sealing.CannotOpen):
        sealing.unseal(sealed, [keys.master_key])


def test_nothing_of_the_name_or_the_address_is_readable_in_any_column(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)

    kept = "".join(str(tuple(row)) for model in (Signer, Signature, Message, Count) for row in rows(model)).lower()
    assert "example.org" not in kept
    assert "connor" not in kept


def test_the_same_person_again_is_the_same_signer(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    sign(campaign, ANN)

    assert len(rows(Signer)) == 1
    assert len(rows(Signature)) == 3
    assert letters() == [("confirm", "ann@example.org")]
    assert miscounts() == []


@pytest.mark.parametrize(
    "spelling",
    ["ANN@Example.org", " ann@example.org ", "ann@EXAMPLE.ORG"],
)
def test_spellings_of_one_address_are_one_signer(campaign: PublicCampaign, spelling: str) -> None:
    sign(campaign, ANN)
    sign(campaign, Person(ANN.first_name, ANN.last_name, spelling))

    assert len(rows(Signer)) == 1
    assert len(letters()) == 1


def test_a_tag_may_lead_to_another_person_so_each_spelling_waits_for_itself_and_one_counts(
    campaign: PublicCampaign,
) -> None:
    for address in (ANN.email, "ann+petition@example.org", "ann+more@example.org"):
        sign(campaign, Person(ANN.first_name, ANN.last_name, address), "river")
    assert [kind for kind, _ in letters()] == ["confirm"] * 3

    for row in rows(Signer):
        confirm_signer(token_of(row.id))
    assert [row.state for row in rows(Signature)] == ["confirmed", "confirmed", "invalidated"], "two places, as ever"
    facts = signer_query.facts(newest(Signer).id)
    assert facts.confirmed == [campaign.case("river").id], "whoever reads that mailbox learns nothing of the others"
    assert miscounts() == []


def test_google_does_not_see_dots_but_others_do(campaign: PublicCampaign) -> None:
    for address in ("a.nn@gmail.com", "ann@googlemail.com", "ann@example.org", "a.nn@example.org"):
        sign(campaign, Person("Ann", "Lee", address))

    assert len(rows(Signer)) == 3


@pytest.mark.parametrize(
    ("first_name", "last_name"),
    [("ANN", "o’connor"), ("Ann O’Connor", ""), ("  Ann ", " O’Connor"), ("", "ann o’connor")],
)
def test_spellings_of_one_name_are_one_person(campaign: PublicCampaign, first_name: str, last_name: str) -> None:
    sign(campaign, ANN)
    sign(campaign, Person(first_name, last_name, ANN.email))

    assert len(rows(Signer)) == 1


def test_two_people_may_share_a_mailbox_and_each_gets_a_mail(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    sign(campaign, BOB)

    for row in rows(Signer):
        confirm_signer(token_of(row.id))
    assert [row.slot for row in rows(Signer)] == [1, 2]
    assert {row.state for row in rows(Signature)} == {"confirmed"}
    assert letters() == [("confirm", "ann@example.org")] * 2


def test_a_third_person_is_recorded_and_learns_at_the_confirmation_that_the_mailbox_is_full(
    campaign: PublicCampaign,
) -> None:
    family = [Person(name, "O’Connor", ANN.email) for name in ("Ann", "Bob", "Eve")]
    assert [sign_cases(make_entry(campaign, person)) for person in family] == [None] * 3
    ann, bob, eve = (row.id for row in rows(Signer))
    confirm_signer(token_of(ann))
    confirm_signer(token_of(bob))
    with pytest.raises(MailboxFull):
        confirm_signer(token_of(eve))
    assert {row.state for row in rows(Signature, Signature.signer_id == eve)} == {"pending"}

    signer_page.erase(signer_page.link_token(signer_query.facts(ann)))
    confirm_signer(token_of(eve))
    assert {row.state for row in rows(Signature, Signature.signer_id == eve)} == {"confirmed"}
    assert miscounts() == []


def test_what_outsiders_enter_keeps_nobody_out(campaign: PublicCampaign) -> None:
    for name in ("Mickey", "Donald", "Goofy", "Daisy"):
        sign(campaign, Person(name, "Mouse", ANN.email))
    sign(campaign, ANN)
    assert len(letters()) == 3, "no more than three mails a day"

    stranger, ann = token_of(rows(Signer)[0].id), newest(Signer)
    assert signer_query.others_waiting(signer_query.facts(ann.id)) == 4
    with pytest.raises(NameUnknown):
        confirm_named(stranger, "Minnie", "Mouse")
    assert confirm_named(stranger, "ann", "o’connor") == token_of(ann.id), "any mail to the address will do"
    assert {row.state for row in rows(Signature, Signature.signer_id == ann.id)} == {"confirmed"}
    assert {row.state for row in rows(Signature, Signature.signer_id != ann.id)} == {"pending"}


def test_a_tag_cannot_use_up_the_mails_of_a_person(campaign: PublicCampaign) -> None:
    for number in range(4):
        sign(campaign, Person("Eve", "Moriarty", f"ann+{number}@example.org"))
    assert len(letters()) == 2
    sign(campaign, ANN)
    assert letters()[2:] == [("confirm", ANN.email)]


def test_the_campaign_says_how_many_may_share_a_mailbox(app: Flask, tmp_path: Path) -> None:
    alone = make_campaign(app, tmp_path / "alone", slug="alone", signers_per_mailbox="1")
    confirm(alone, ANN)
    sign(alone, BOB)
    with pytest.raises(MailboxFull):
        confirm_signer(token_of(newest(Signer).id))


def test_a_case_added_later_is_signed_and_asks_for_a_confirmation_again(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN, "river")
    sign(campaign, ANN, "river", "lake")

    states = {row.case_id: row.state for row in rows(Signature)}
    assert states == {campaign.case("river").id: "confirmed", campaign.case("lake").id: "pending"}
    assert [kind for kind, _ in letters()] == ["confirm", "confirm"]
    assert miscounts() == []


def test_asking_again_after_ten_minutes_sends_the_mail_again(campaign: PublicCampaign) -> None:
    begun = minute_of(now())
    with stopped_at(begun):
        sign(campaign, ANN)
    with stopped_at(begun + signing.RESEND_AFTER - timedelta(seconds=1)):
        sign(campaign, ANN)
    assert len(letters()) == 1

    with stopped_at(begun + signing.RESEND_AFTER):
        sign(campaign, ANN)
    assert letters() == [("confirm", "ann@example.org")] * 2
    assert newest(Signer).asked_at == minute_of(begun + signing.RESEND_AFTER)


def test_a_signer_who_confirmed_everything_gets_another_mail(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    with stopped_at(now() + signing.RESEND_AFTER):
        sign(campaign, ANN)

    assert [kind for kind, _ in letters()] == ["confirm", "repeat"]


def test_one_mailbox_gets_three_mails_a_day_over_all_campaigns(
    app: Flask, nine: PublicCampaign, tmp_path: Path
) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    begun = now()
    with stopped_at(begun):
        sign(other, ANN)
        for slug in NINE[:4]:
            sign(nine, ANN, slug)
    assert len(letters()) == 3
    assert len(rows(Signature)) == 3 + 4, "what was signed is kept even where no mail may leave"

    with stopped_at(begun + timedelta(hours=24)):
        sign(nine, ANN, NINE[5])
    assert len(letters()) == 4


def test_dots_that_change_nothing_get_a_mailbox_no_more_mails(nine: PublicCampaign) -> None:
    for address in ("ann@proton.me", "a.nn@proton.me", "an.n@proton.me", "a.n.n@proton.me"):
        sign(nine, Person("Ann", "Lee", address), NINE[0])

    assert len(rows(Signer)) == 4
    assert len(letters()) == 3


def test_mails_that_meet_in_one_batch_are_sent_up_to_the_limit(app: Flask, nine: PublicCampaign) -> None:
    addresses = ("ann@proton.me", "a.nn@proton.me", "an.n@proton.me", "a.n.n@proton.me")
    entries = [make_entry(nine, Person("Ann", "Lee", address), NINE[0]) for address in addresses]
    _sign_together(app, entries)

    assert len(letters()) == 3, "one mail too many must not cost the others theirs"


def test_a_closed_campaign_takes_nothing(app: Flask, tmp_path: Path) -> None:
    over = make_campaign(app, tmp_path / "over", slug="over", closes_at="2020-01-01T00:00:00Z")
    entry = make_entry(over, cases=[over.case("river")])
    with pytest.raises(CampaignClosed):
        sign_cases(entry)
    assert rows(Signer) == []


def test_an_entry_without_a_case_is_refused(campaign: PublicCampaign) -> None:
    with pytest.raises(CampaignClosed):
        sign_cases(make_entry(campaign, cases=[]))
    assert rows(Signer) == []


def test_a_case_named_twice_is_signed_once(campaign: PublicCampaign) -> None:
    sign(campaign, ANN, "river", "river")
    assert len(rows(Signature)) == 1


def test_without_a_key_to_seal_to_nothing_is_taken(app: Flask, campaign: PublicCampaign) -> None:
    with db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(Recipient.__table__.update().values(retired_at=now()))
    CATALOGUE_CACHE.of(app).forget()

    with pytest.raises(NoRecipientKey):
        sign(campaign, ANN)
    assert rows(Signer) == []


def test_campaigns_cannot_be_joined(app: Flask, campaign: PublicCampaign, tmp_path: Path) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    sign(campaign, ANN)
    sign(other, ANN)

    here, there = rows(Signer)
    assert here.email_key != there.email_key
    assert here.name_key != there.name_key


def test_a_double_click_that_lands_in_one_batch_is_one_signature_and_one_mail(
    app: Flask, campaign: PublicCampaign
) -> None:
    with commits(db.engine) as seen:
        _sign_together(app, [make_entry(campaign, ANN)] * 2)

    assert len(seen) == 2, "one for who held the queue, one for both clicks"
    assert len(rows(Signer)) == 1
    assert len(letters()) == 1
    assert miscounts() == []


def test_two_tabs_with_different_cases_in_one_batch_lose_nothing(app: Flask, campaign: PublicCampaign) -> None:
    _sign_together(app, [make_entry(campaign, ANN, "river"), make_entry(campaign, ANN, "lake")])

    assert len(rows(Signer)) == 1
    assert len(rows(Signature)) == 2
    assert miscounts() == []


def test_three_people_of_one_mailbox_who_confirm_in_one_batch_fill_two_places(
    app: Flask, campaign: PublicCampaign
) -> None:
    for name in ("Ann", "Bob", "Eve"):
        sign(campaign, Person(name, "O’Connor", ANN.email))
    tokens = [token_of(row.id) for row in rows(Signer)]
    raised = together(app, [lambda token=token: confirm_signer(token) for token in tokens])

    assert sorted(type(each).__name__ for each in raised) == ["MailboxFull", "NoneType", "NoneType"]
    assert sorted(row.slot or 0 for row in rows(Signer)) == [0, 1, 2]
    assert miscounts() == []


def _sign_together(app: Flask, entries: list[signing.Entry]) -> None:
    """All entries in one shared transaction."""
    raised = together(app, [lambda entry=entry: sign_cases(entry) for entry in entries])
    assert raised == [None] * len(entries)


def test_thirty_two_clicks_on_two_servers_are_one_row_and_one_mail(
    app: Flask, campaign: PublicCampaign, database_url: str, tmp_path: Path, keys: Keys
) -> None:
    other = make_app(database_url, tmp_path, keys)
    entry = make_entry(campaign, ANN)
    servers = [app, other] * 16

    def click(server: Flask) -> None:
        with server.app_context():
            sign_cases(entry)

    raised = in_threads(app, [lambda server=server: click(server) for server in servers])
    close_app(other)

    assert raised == [None] * 32
    assert len(rows(Signer)) == 1
    assert len(rows(Signature)) == 3
    assert letters() == [("confirm", "ann@example.org")]
    assert miscounts() == []


def test_a_family_that_confirms_on_two_servers_at_once_gets_its_two_places(
    app: Flask, campaign: PublicCampaign, database_url: str, tmp_path: Path, keys: Keys
) -> None:
    other = make_app(database_url, tmp_path, keys)
    for number in range(16):
        sign(campaign, Person(f"Child {number}", "Lee", ANN.email), "river")
    tokens = [token_of(row.id) for row in rows(Signer)]

    def arrive(server: Flask, token: str) -> None:
        with server.app_context():
            confirm_signer(token)

    works = [
        lambda server=server, token=token: arrive(server, token)
        for server, token in zip([app, other] * 8, tokens, strict=True)
    ]
    raised = in_threads(app, works)
    close_app(other)

    assert sum(each is None for each in raised) == 2
    assert {type(each) for each in raised if each} == {MailboxFull}
    assert sorted(row.slot for row in rows(Signer) if row.slot) == [1, 2]
    assert miscounts() == []


def test_signing_nine_asks_the_database_no_more_often_than_signing_one(nine: PublicCampaign) -> None:
    sign(nine, EVE)  # warms what is read once
    with statements(db.engine) as for_one:
        sign(nine, Person("One", "Case", "one@example.org"), NINE[0])
    with statements(db.engine) as for_nine:
        sign(nine, Person("Nine", "Cases", "nine@example.org"))

    assert len(rows(Signature)) == 9 + 1 + 9
    assert len(for_one) > 4, "the counter must count"
    assert len(for_nine) == len(for_one)


def test_the_statements_of_signing_are_few(campaign: PublicCampaign) -> None:
    sign(campaign, EVE)
    with statements(db.engine) as seen, commits(db.engine) as committed:
        sign(campaign, ANN)

    written = [text for text in seen if not text.startswith("BEGIN")]
    assert len(written) <= 6, written
    assert len(committed) == 1


def test_a_batch_costs_as_many_statements_as_one_signer(app: Flask, campaign: PublicCampaign) -> None:
    sign(campaign, EVE)
    with statements(db.engine) as for_one:
        sign(campaign, ANN)
    crowd = [make_entry(campaign, Person("A", f"Person {number}", f"p{number}@example.org")) for number in range(8)]
    with statements(db.engine) as for_eight:
        _sign_together(app, crowd)

    held = 1 if for_one[0].startswith("BEGIN") else 0  # SQLite's BEGIN for who held the queue
    assert len(for_eight) == len(for_one) + held
    assert len(rows(Signer)) == 10


def test_personal_data_never_shows_in_what_python_prints(campaign: PublicCampaign) -> None:
    entry = signing._seal(make_entry(campaign, ANN))  # noqa: SLF001 - what the queue gets
    assert "sealed" not in repr(entry)
    assert identity.mailbox(ANN.email) not in repr(entry)


def test_a_second_application_with_another_section_key_seals_to_both(
    app: Flask, campaign: PublicCampaign, keys: Keys
) -> None:
    deputy, public = sealing.new_identity()
    add_section_key(app, Keys(keys.secret_key, keys.master_key, deputy, public))
    sign(campaign, ANN)

    for private in (keys.section_private, deputy):
        assert sealing.unseal(newest(Signer).sealed, [private])["email"] == ANN.email
