"""Confirmation: only the owner of the mailbox can confirm, repeatedly, and can reject as easily."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import minute_of, now, stopped_at
from petitions.domain import sealing
from petitions.errors import CampaignClosed, CodeWrong, LinkExpired, LinkUnknown, TooManyTries
from petitions.models import Message, Signature, Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.services.limits import rate_limits
from petitions.services.signing import confirming
from petitions.services.signing.confirming import (
    confirm_by_code,
    confirm_signer,
    open_link,
    reject_signer,
    sign_more,
)
from tests.support.factories import (
    ANN,
    BOB,
    CONSENT,
    EVE,
    code_of,
    confirm,
    dump,
    in_threads,
    make_campaign,
    miscounts,
    newest,
    rows,
    sign,
    token_of,
)

pytestmark = pytest.mark.usefixtures("context")


def states(campaign: PublicCampaign) -> dict[str, str]:
    """Each signed case of the newest signer, with its signature's state."""
    slugs = {case.id: case.slug for case in campaign.cases}
    mine = rows(Signature, Signature.signer_id == newest(Signer).id)
    return {slugs[row.case_id]: row.state for row in mine}


@pytest.fixture
def token(campaign: PublicCampaign) -> str:
    """The link of Ann, who signed for the river and the lake."""
    sign(campaign, ANN, "river", "lake")
    return token_of(newest(Signer).id)


def test_confirming_moves_everything_that_waits(campaign: PublicCampaign, token: str) -> None:
    moment = now() + timedelta(hours=1)
    with stopped_at(moment):
        confirm_signer(token)

    assert states(campaign) == {"river": "confirmed", "lake": "confirmed"}
    assert newest(Signer).confirmed_at == minute_of(moment)
    assert {row.confirmed_at for row in rows(Signature)} == {minute_of(moment)}
    assert miscounts() == []


def test_confirming_twice_is_the_same_as_once(token: str) -> None:
    confirm_signer(token)
    before = dump()
    with stopped_at(now() + timedelta(days=1)):
        confirm_signer(token)
    assert dump() == before


def test_confirming_one_person_of_a_mailbox_leaves_the_other_waiting(campaign: PublicCampaign, token: str) -> None:
    sign(campaign, BOB)
    confirm_signer(token)

    ann, bob = rows(Signer)
    assert ann.confirmed_at is not None
    assert bob.confirmed_at is None
    assert states(campaign) == dict.fromkeys(("river", "forest", "lake"), "pending")


def test_opening_the_link_changes_nothing(token: str) -> None:
    before = dump()
    assert len(open_link(token).pending) == 2
    assert dump() == before


def test_the_link_works_for_fourteen_days_after_the_last_mail(campaign: PublicCampaign, token: str) -> None:
    begun = newest(Signer).asked_at
    with stopped_at(begun + confirming.LINK_LIFETIME):
        open_link(token)
    with stopped_at(begun + confirming.LINK_LIFETIME + timedelta(seconds=1)):
        with pytest.raises(LinkExpired):
            confirm_signer(token)
        sign(campaign, ANN)
        confirm_signer(token)
    assert set(states(campaign).values()) == {"confirmed"}


@pytest.mark.parametrize("junk", ["", "x", "a" * 32, "!!!", "é" * 32, "=" * 32, "A" * 10_000, "a\ud800"])
def test_junk_is_a_link_to_nowhere(token: str, junk: str) -> None:
    with pytest.raises(LinkUnknown):
        open_link(junk)


def test_a_link_for_another_purpose_or_person_opens_nothing(campaign: PublicCampaign, token: str) -> None:
    ann = signer_query.facts(newest(Signer).id)
    sign(campaign, EVE)
    eve = newest(Signer).link_id
    secret = "a secret key that is only for tests"
    forged = [
        sealing.link_token(secret, "manage", ann.link_id),
        sealing.link_token("another secret", confirming.PURPOSE, ann.link_id),
        sealing.link_token(secret, confirming.PURPOSE, eve)[:21] + token[21:],
        sealing.link_token(secret, confirming.PURPOSE, bytes(16)),
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token + "A",
        f" {token}",
    ]
    for each in forged:
        with pytest.raises(LinkUnknown):
            open_link(each)
    assert open_link(token).id == ann.id


def test_the_code_of_the_mail_confirms_and_leads_to_the_link(campaign: PublicCampaign, token: str) -> None:
    assert confirm_by_code(campaign, ANN.email, code_of(newest(Signer).id)) == token
    assert set(states(campaign).values()) == {"confirmed"}


@pytest.mark.parametrize("email", ["ANN@example.ORG", " ann@example.org", "ann+x@example.org"])
def test_the_address_may_be_spelled_in_another_way(campaign: PublicCampaign, token: str, email: str) -> None:
    assert confirm_by_code(campaign, email, code_of(newest(Signer).id)) == token


def test_the_code_may_be_spaced_and_written_in_other_digits(campaign: PublicCampaign, token: str) -> None:
    code = code_of(newest(Signer).id)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in code)
    assert confirm_by_code(campaign, ANN.email, f" {code[:3]} - {code[3:]} ") == token
    assert confirm_by_code(campaign, ANN.email, arabic) == token


def test_each_person_of_a_mailbox_has_a_code_of_their_own(campaign: PublicCampaign, token: str) -> None:
    sign(campaign, BOB)
    bob = newest(Signer).id
    assert confirm_by_code(campaign, BOB.email, code_of(bob)) == token_of(bob) != token
    assert [row.confirmed_at is None for row in rows(Signer)] == [True, False]


def test_a_wrong_code_says_the_same_for_known_and_unknown_addresses(campaign: PublicCampaign, token: str) -> None:
    wrong = f"{(int(code_of(newest(Signer).id)) + 1) % 1_000_000:06d}"
    said = []
    for email in (ANN.email, "nobody@example.org"):
        with pytest.raises(CodeWrong) as refused:
            confirm_by_code(campaign, email, wrong)
        said.append(str(refused.value))
    assert said[0] == said[1]
    assert newest(Signer).confirmed_at is None


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef"])
def test_something_that_is_no_code_is_a_wrong_code(campaign: PublicCampaign, token: str, typed: str) -> None:
    with pytest.raises(CodeWrong):
        confirm_by_code(campaign, ANN.email, typed)


def test_after_five_tries_even_the_right_code_is_refused_until_tomorrow(campaign: PublicCampaign, token: str) -> None:
    code = code_of(newest(Signer).id)
    begun = now()
    with stopped_at(begun):
        for email in ("ann@example.org", "ANN@example.org", "Ann@example.org", "ann+1@example.org", "ann@example.org"):
            with pytest.raises(CodeWrong):
                confirm_by_code(campaign, email, "no code")
        with pytest.raises(TooManyTries) as refused:
            confirm_by_code(campaign, ANN.email, code)
    assert refused.value.details["seconds"] == 24 * 3600
    assert newest(Signer).confirmed_at is None

    with stopped_at(begun + rate_limits.CODE_TRIES.window):
        sign(campaign, ANN)  # the code is too old by now: a new mail brings it back to life
        assert confirm_by_code(campaign, ANN.email, code) == token


def test_an_old_code_is_refused_although_the_link_still_works(campaign: PublicCampaign, token: str) -> None:
    code, asked_at = code_of(newest(Signer).id), newest(Signer).asked_at
    with stopped_at(asked_at + confirming.CODE_LIFETIME + timedelta(seconds=1)):
        with pytest.raises(CodeWrong):
            confirm_by_code(campaign, ANN.email, code)
        confirm_signer(token)
    assert newest(Signer).confirmed_at is not None


def test_the_code_of_one_campaign_is_worth_nothing_in_another(
    app: Flask, campaign: PublicCampaign, token: str, tmp_path: Path
) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    with pytest.raises(CodeWrong):
        confirm_by_code(other, ANN.email, code_of(newest(Signer).id))


def test_the_holder_of_the_link_signs_more_and_it_counts_at_once(campaign: PublicCampaign, token: str) -> None:
    confirm_signer(token)
    sign_more(token, campaign, [campaign.case("forest")], CONSENT)
    assert set(states(campaign).values()) == {"confirmed"}
    assert len(states(campaign)) == 3
    assert len(rows(Message)) == 1, "no further mail is needed"
    assert miscounts() == []


def test_signing_more_confirms_what_still_waits(campaign: PublicCampaign, token: str) -> None:
    sign_more(token, campaign, [campaign.case("forest")], CONSENT)
    assert states(campaign) == dict.fromkeys(("river", "lake", "forest"), "confirmed")


def test_signing_more_twice_is_the_same_as_once(campaign: PublicCampaign, token: str) -> None:
    confirm_signer(token)
    for _ in range(2):
        sign_more(token, campaign, [campaign.case("forest"), campaign.case("forest"), campaign.case("river")], CONSENT)
    assert len(rows(Signature)) == 3
    assert miscounts() == []


def test_signing_more_needs_an_open_campaign_of_ones_own_and_a_case(
    app: Flask, campaign: PublicCampaign, token: str, tmp_path: Path
) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    over = make_campaign(app, tmp_path / "over", closes_at="2020-01-01T00:00:00Z")  # Ann's own, closed meanwhile
    for place, cases in ((other, other.cases), (over, over.cases), (campaign, ())):
        with pytest.raises(CampaignClosed):
            sign_more(token, place, cases, CONSENT)
    assert len(rows(Signature)) == 2


def test_not_me_erases_a_signer_who_never_confirmed(campaign: PublicCampaign, token: str) -> None:
    reject_signer(token)

    signer = newest(Signer)
    personal = (signer.email_key, signer.name_key, signer.sealed, signer.link_id)
    assert personal == (None, None, None, None)
    assert signer.erased_at is not None
    assert set(states(campaign).values()) == {"withdrawn"}
    assert rows(Message) == []
    assert miscounts() == []


def test_after_not_me_every_link_and_code_is_dead(campaign: PublicCampaign, token: str) -> None:
    code = code_of(newest(Signer).id)
    reject_signer(token)
    for act in (confirm_signer, reject_signer, open_link):
        with pytest.raises(LinkUnknown):
            act(token)
    with pytest.raises(LinkUnknown):
        sign_more(token, campaign, campaign.cases, CONSENT)
    with pytest.raises(CodeWrong):
        confirm_by_code(campaign, ANN.email, code)
    assert set(states(campaign).values()) == {"withdrawn"}


def test_after_not_me_the_real_owner_can_still_sign(campaign: PublicCampaign, token: str) -> None:
    reject_signer(token)
    sign(campaign, ANN)

    assert [row.erased_at is None for row in rows(Signer)] == [False, True]
    assert set(states(campaign).values()) == {"pending"}
    assert miscounts() == []


def test_not_me_does_not_touch_what_was_confirmed(campaign: PublicCampaign) -> None:
    token = confirm(campaign, ANN, "river")
    sign(campaign, ANN, "lake")  # somebody typed Ann's name and address
    reject_signer(token)

    assert states(campaign) == {"river": "confirmed", "lake": "withdrawn"}
    assert newest(Signer).erased_at is None
    assert open_link(token).confirmed == [campaign.case("river").id]
    assert miscounts() == []


def test_a_withdrawn_case_can_be_signed_again_by_the_signers_link(campaign: PublicCampaign) -> None:
    token = confirm(campaign, ANN, "river")
    sign(campaign, ANN, "lake")
    reject_signer(token)
    sign_more(token, campaign, [campaign.case("lake")], CONSENT)  # the confirmed page offers it
    assert states(campaign) == {"river": "confirmed", "lake": "confirmed"}


def test_a_no_that_comes_first_is_not_undone_by_a_yes_that_was_under_way(
    campaign: PublicCampaign, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = open_link(token)  # the yes has looked already
    reject_signer(token)
    monkeypatch.setattr(confirming, "open_link", lambda _token: seen)
    confirm_signer(token)
    sign_more(token, campaign, [campaign.case("forest")], CONSENT)

    assert states(campaign) == {"river": "withdrawn", "lake": "withdrawn"}
    assert newest(Signer).confirmed_at is None
    assert miscounts() == []


def test_thirty_two_yeses_and_a_no_at_once_end_in_one_legal_state(
    app: Flask, campaign: PublicCampaign, token: str
) -> None:
    works = [lambda: confirm_signer(token)] * 16 + [lambda: reject_signer(token)] + [lambda: confirm_signer(token)] * 16
    raised = in_threads(app, works)

    assert all(exc is None or isinstance(exc, LinkUnknown) for exc in raised)
    signer, signed = newest(Signer), set(states(campaign).values())
    assert (signer.erased_at is None, signed) in ((True, {"confirmed"}), (False, {"withdrawn"}))
    assert miscounts() == []
