"""The signer's own page: everything that its link allows, and nothing else."""

import json

import pytest

from petitions.db.base import db
from petitions.domain import decrypt_export
from petitions.errors import LinkUnknown, NameTaken, TooManyTries
from petitions.models import Signature, Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import rate_limits
from petitions.services.limits.mail_quota import PER_DAY, mailbox_key
from petitions.services.mailing import outbox, suppression
from petitions.services.privacy import exports
from petitions.services.signing import signer_page
from petitions.services.signing.confirming import confirm_signer
from tests.support.factories import (
    ANN,
    BOB,
    CONSENT,
    EVE,
    Keys,
    confirm,
    letters,
    miscounts,
    newest,
    rows,
    sign,
    token_of,
)
from tests.support.statements import statements

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def token(campaign: PublicCampaign) -> str:
    """The link to Ann's page; she signed for the river and the lake, and confirmed."""
    confirm(campaign, ANN, "river", "lake")
    return signer_page.link_token(signer_query.facts(newest(Signer).id))


def ask(campaign: PublicCampaign, address: str) -> None:
    """Ask for the links of an address, and let the worker look whom that concerns."""
    signer_page.request_link(address, "fr", campaign, "")
    [request] = [letter for letter in outbox.lease(100) if letter.kind == outbox.REQUEST]
    signer_page.answer_request(request)


def states() -> list[str]:
    assert miscounts() == []
    return sorted(row.state for row in rows(Signature))


def test_a_link_of_another_purpose_does_not_open_the_page(campaign: PublicCampaign) -> None:
    confirm_token = confirm(campaign, ANN, "river")
    with pytest.raises(LinkUnknown):
        signer_page.open_page(confirm_token)


def test_one_signature_is_taken_back_and_the_other_stays(campaign: PublicCampaign, token: str) -> None:
    signer_page.withdraw(token, [campaign.case("river").id])
    assert states() == ["confirmed", "withdrawn"]


def test_a_late_confirmation_does_not_undo_a_withdrawal(campaign: PublicCampaign, token: str) -> None:
    signer_page.withdraw(token, [case.id for case in campaign.cases])
    confirm_signer(token_of(newest(Signer).id))
    assert states() == ["withdrawn", "withdrawn"]


def test_what_was_taken_back_can_be_signed_again_and_waits_for_a_new_mail(campaign: PublicCampaign, token: str) -> None:
    signer_page.withdraw(token, [campaign.case("river").id])
    sign(campaign, ANN, "river")
    assert states() == ["confirmed", "pending"]
    assert len(letters()) == 2


def test_signing_more_counts_at_once(campaign: PublicCampaign, token: str) -> None:
    signer_page.sign_more(token, campaign, [campaign.case("forest")], CONSENT)
    assert states() == ["confirmed"] * 3


def test_a_corrected_name_is_the_one_that_is_delivered(campaign: PublicCampaign, token: str, keys: Keys) -> None:
    signer_page.correct_name(token, "Anne", "O’Connor")
    lines = exports.sealed_lines(campaign.slug, by="test")
    [person] = decrypt_export.opened(lines, [keys.section_private])
    assert (person["first_name"], person["last_name"], person["email"]) == ("Anne", "O’Connor", ANN.email)


def test_a_corrected_name_cannot_be_that_of_the_other_person_in_the_mailbox(
    campaign: PublicCampaign, token: str
) -> None:
    sign(campaign, BOB, email=ANN.email)
    with pytest.raises(NameTaken):
        signer_page.correct_name(token, BOB.first_name, BOB.last_name)


def test_news_and_language_are_as_the_signer_wants(token: str) -> None:
    signer_page.set_newsletter(token, True)
    signer_page.set_language(token, "en")
    assert (newest(Signer).newsletter, newest(Signer).locale) == (True, "en")
    signer_page.set_newsletter(token, False)
    assert newest(Signer).newsletter is False


def test_erasing_takes_back_forgets_and_kills_every_link(campaign: PublicCampaign, token: str) -> None:
    confirm_token = token_of(newest(Signer).id)
    signer_page.erase(token)
    person = newest(Signer)
    personal = (person.email_key, person.name_key, person.sealed, person.sealed_name, person.link_id)
    assert personal == (None,) * 5
    assert person.erased_at is not None
    assert states() == ["withdrawn", "withdrawn"]
    for dead in (token, confirm_token):
        with pytest.raises(LinkUnknown):
            signer_page.open_page(dead)
    sign(campaign, ANN, "river")  # and may come back as anybody may
    assert newest(Signer).id != person.id


def test_what_is_stored_is_given_out_whole_and_still_sealed(token: str) -> None:
    stored = signer_page.stored_data(token)
    assert [signature["state"] for signature in stored["signatures"]] == ["confirmed", "confirmed"]
    assert {signature["words"] for signature in stored["signatures"]} == {CONSENT}
    text = json.dumps(stored)
    assert ANN.email not in text
    assert ANN.last_name not in text


def test_the_link_is_mailed_to_signers_only(campaign: PublicCampaign, token: str) -> None:
    before = len(letters())
    sign(campaign, BOB, email="bob@example.org")  # and did not confirm
    for address in (EVE.email, "bob@example.org", "ann+evil@example.org", ANN.email.upper()):
        ask(campaign, address)
    assert letters()[before + 1 :] == [("mine", ANN.email.upper())]


def test_asking_writes_the_same_for_every_address(campaign: PublicCampaign, token: str) -> None:
    for address in (EVE.email, ANN.email):
        with statements(db.engine) as seen:
            signer_page.request_link(address, "fr", campaign, "")
        assert [text.partition(" ")[0] for text in seen if text.startswith("INSERT")] == ["INSERT"] * 2


def test_one_network_asks_only_so_often(campaign: PublicCampaign, token: str) -> None:
    for _ in range(rate_limits.ASKS.most):
        signer_page.request_link(ANN.email, "fr", campaign, "10.0.0.1")
    with pytest.raises(TooManyTries):
        signer_page.request_link(EVE.email, "fr", campaign, "10.0.0.1")
    signer_page.request_link(EVE.email, "fr", campaign, "10.0.0.2")


def test_asking_for_the_link_again_and_again_is_bounded_like_every_mail(campaign: PublicCampaign, token: str) -> None:
    for _ in range(20):
        ask(campaign, ANN.email)
    assert len(letters()) == PER_DAY


def test_a_stop_link_silences_one_mailbox_and_can_be_lifted(token: str) -> None:
    stop = suppression.stop_token(ANN.email)
    suppression.stop_by_token(stop)
    suppression.stop_by_token(stop)
    assert suppression.is_suppressed(f"  {ANN.email.upper()} ")
    assert not suppression.is_suppressed(EVE.email)
    suppression.lift(ANN.email)
    assert not suppression.is_suppressed(ANN.email)


def test_an_unsubscribe_link_cannot_be_forged() -> None:
    with pytest.raises(LinkUnknown):
        suppression.check_token("a" * 72)


def test_a_stop_link_works_only_for_the_mailbox_it_was_made_for(token: str) -> None:
    proof = suppression.stop_token(EVE.email)[40:]
    with pytest.raises(LinkUnknown):
        suppression.check_token(mailbox_key(ANN.email) + proof)
