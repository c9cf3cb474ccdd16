"""Abuse: many signers at once succeed, floods do not, and held and invalidated signatures are counted exactly."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import altcha
import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.db.transactions import transaction
from petitions.domain.states import CollectorKind
from petitions.errors import CollectorFaulty, NotFound, ProofNeeded, ReasonMissing, TooManyTries
from petitions.models import Collector, Hold, Invalidation, Limit, Signature, Signer
from petitions.queries import counts, signer
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.moderation import Condition
from petitions.services.limits import networks, proof_of_work, rate_limits
from petitions.services.moderation import holds, invalidations
from petitions.services.paper import collectors
from petitions.services.signatures import batch_updates
from petitions.services.signing import admission, confirming, entry_rate
from tests.support.factories import (
    ANN,
    BOB,
    EVE,
    Person,
    confirm,
    dump,
    in_threads,
    letters,
    make_campaign,
    miscounts,
    newest,
    rows,
    sign,
    together,
    token_of,
)

pytestmark = pytest.mark.usefixtures("context")

SCHOOL = "192.0.2.7"


def person(number: int) -> Person:
    """One of many signers."""
    return Person("Pupil", f"No {number}", f"pupil{number}@example.org")


def sign_as(campaign: PublicCampaign, number: int, **over: Any) -> Callable[[], None]:
    """Lets one of many sign for the river from the school."""
    return lambda: sign(campaign, person(number), "river", **{"network": SCHOOL, **over})


def waited(campaign: PublicCampaign, network: str = SCHOOL) -> str:
    """A token whose waiting time is over."""
    with stopped_at(now() - timedelta(seconds=proof_of_work.WAIT_SECONDS)):
        return proof_of_work.ask(campaign.id, network).wait


def worked(campaign: PublicCampaign, network: str = SCHOOL) -> str:
    """The solved challenge of a browser in this network."""
    return solved(proof_of_work.ask(campaign.id, network))


def solved(question: proof_of_work.Question) -> str:
    """What a browser brings back."""
    puzzle = altcha.Challenge.from_dict(json.loads(base64.b64decode(question.puzzle)))
    solution = altcha.solve_challenge(puzzle)
    assert solution is not None
    return altcha.Payload(puzzle, solution).to_base64()


def crowd(campaign: PublicCampaign, number: int, **over: Any) -> None:
    """So many different people sign from one network, one after the other."""
    for each in range(number):
        sign_as(campaign, each, **over)()


def make_collector(campaign: PublicCampaign, most: int = 40, **times: Any) -> str:
    """A school that staff made, whose code works now; gives the code."""
    begin = now()
    ends_at = times.get("closes_at", begin + timedelta(hours=1))
    return collectors.create(
        campaign.slug, CollectorKind.SCHOOL, "A school", most, times.get("opens_at", begin), ends_at
    )


def one_collector() -> Any:
    """The only collector."""
    [found] = rows(Collector)
    return found


def frozen(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let a hold begin after so many confirmations."""
    monkeypatch.setattr(holds, "CONFIRMING", rate_limits.Rule("confirming", most, holds.CONFIRMING.window))


def total(campaign: PublicCampaign) -> counts.Numbers:
    """The numbers of the whole campaign."""
    return counts.of_campaign(campaign.id).total


# The network's limit


@pytest.fixture(autouse=True)
def _small_crowds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules with smaller numbers: these tests go to the limit again and again."""
    monkeypatch.setattr(admission, "NETWORK", rate_limits.Rule("network", 20, admission.WINDOW))
    monkeypatch.setattr(admission, "NETWORK_PROVEN", rate_limits.Rule("network-proven", 380, admission.WINDOW))
    monkeypatch.setattr(admission, "MAX_TRIES", 400)
    monkeypatch.setattr(proof_of_work, "COST", 2)


def test_a_whole_school_signs_from_one_address_without_knowing_of_a_code(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    for number in range(300):
        sign_as(campaign, number)()
    assert len(rows(Signer)) == 300


def test_a_few_sign_freely_and_then_a_proof_is_asked_for(campaign: PublicCampaign) -> None:
    crowd(campaign, admission.NETWORK.most)
    before = dump("limits.used")
    with pytest.raises(ProofNeeded):
        sign_as(campaign, 99)()

    assert dump("limits.used") == before, "nothing of the refused is kept"
    sign(campaign, person(99), "river", network="198.51.100.1")  # from elsewhere nothing is asked
    assert len(rows(Signer)) == admission.NETWORK.most + 1


def test_three_hundred_behind_one_address_all_sign_with_or_without_a_code(campaign: PublicCampaign) -> None:
    for number in range(admission.NETWORK.most):
        sign_as(campaign, number)()
    for number in range(admission.NETWORK.most, 300):
        with pytest.raises(ProofNeeded):
            sign_as(campaign, number)()
        sign_as(campaign, number, proof=worked(campaign))()
    code = make_collector(campaign, most=300)
    for number in range(300, 600):
        sign_as(campaign, number, collector_code=code)()

    assert len(rows(Signer)) == 600
    assert miscounts() == []


def test_above_the_hard_limit_nobody_signs_without_a_code_until_ten_minutes_later(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "NETWORK_PROVEN", rate_limits.Rule("network-proven", 3, admission.WINDOW))
    monkeypatch.setattr(admission, "NETWORK", rate_limits.Rule("network", 1, admission.WINDOW))
    begun = now()
    with stopped_at(begun):
        sign_as(campaign, 0)()
        for number in range(1, 4):
            sign_as(campaign, number, proof=worked(campaign))()
        with pytest.raises(TooManyTries) as refused:
            sign_as(campaign, 4, proof=worked(campaign))()
        assert refused.value.details["seconds"] == 600
        sign_as(campaign, 5, collector_code=make_collector(campaign))()
    with stopped_at(begun + admission.WINDOW):
        sign_as(campaign, 4)()
    assert len(rows(Signer)) == 6


def test_too_many_requests_are_refused(campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MAX_TRIES", 25)
    crowd(campaign, admission.NETWORK.most)
    for refusal in [ProofNeeded] * 5 + [TooManyTries] * 2:
        with pytest.raises(refusal):
            sign_as(campaign, 99)()


@pytest.mark.parametrize("run", [in_threads, together])
def test_the_limit_is_exact_over_64_threads(app: Flask, campaign: PublicCampaign, run: Any) -> None:
    networks.daily_key()  # or the first one would wait for what holds all others up
    raised = run(app, [sign_as(campaign, number) for number in range(64)])

    assert sum(exc is None for exc in raised) == admission.NETWORK.most == len(rows(Signer))
    assert sum(isinstance(exc, ProofNeeded) for exc in raised) == 64 - admission.NETWORK.most
    assert miscounts() == []


def test_known_and_unknown_addresses_count_and_are_refused_alike(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    crowd(campaign, admission.NETWORK.most - 1)
    sign(campaign, ANN, network=SCHOOL)
    for somebody in (ANN, EVE):
        with pytest.raises(ProofNeeded):
            sign(campaign, somebody, network=SCHOOL)


def test_the_network_is_kept_nowhere_and_named_otherwise_each_day(campaign: PublicCampaign) -> None:
    with stopped_at(now()):
        today = admission.prepare(campaign.id, SCHOOL, None, "")
        crowd(campaign, 1)
    with stopped_at(now() + timedelta(days=1)):
        tomorrow = admission.prepare(campaign.id, SCHOOL, None, "")
    assert set(today.networks.values()).isdisjoint(tomorrow.networks.values())
    kept = {row.key for row in rows(Limit) if row.key.startswith("network:")}
    assert kept == {f"network:{length}:{name}" for length, name in today.networks.items()}
    assert "192.0" not in str(dump())
    assert max(len(row.key) for row in rows(Limit)) <= 64


# The proof


def test_a_solved_puzzle_lets_one_in_and_only_once(campaign: PublicCampaign) -> None:
    crowd(campaign, admission.NETWORK.most)
    proof = worked(campaign)
    sign_as(campaign, 50, proof=proof)()
    with pytest.raises(ProofNeeded):
        sign_as(campaign, 51, proof=proof)()
    assert len(rows(Signer)) == admission.NETWORK.most + 1


def test_one_proof_that_many_send_at_once_counts_once(app: Flask, campaign: PublicCampaign) -> None:
    crowd(campaign, admission.NETWORK.most)
    proof = worked(campaign)
    raised = in_threads(app, [sign_as(campaign, 100 + number, proof=proof) for number in range(16)])
    assert sum(exc is None for exc in raised) == 1


def test_a_proof_for_another_campaign_or_of_yesterday_or_of_nobody_proves_nothing(
    app: Flask, campaign: PublicCampaign, tmp_path: Any
) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    puzzle, wait = worked(campaign), waited(campaign)
    assert proof_of_work.check(campaign.id, SCHOOL, puzzle) == proof_of_work.Proof(ANY, needs_place=False)
    assert proof_of_work.check(campaign.id, SCHOOL, wait) == proof_of_work.Proof(ANY, needs_place=True)
    for proof in (puzzle, wait):
        assert proof_of_work.check(other.id, SCHOOL, proof) is None
        assert proof_of_work.check(campaign.id, "198.51.100.9", proof) is None, "made for another network"
        assert proof_of_work.check(campaign.id, SCHOOL.replace(".7", ".8"), proof), (
            "a phone's address may change a little"
        )
        with stopped_at(now() + proof_of_work.LIFETIME + timedelta(seconds=1)):
            assert proof_of_work.check(campaign.id, SCHOOL, proof) is None
    later, seconds, nonce, tag = wait.split(".")
    forged = (f"{int(later) - 1}.{seconds}.{nonce}.{tag}", f"{later}.9.{nonce}.{tag}", f"{later}.0.{nonce}.{'0' * 32}")
    for proof in (*forged, "..", "...", "٣.a.b", "e30=", "x" * 5000, "☃"):
        assert proof_of_work.check(campaign.id, SCHOOL, proof) is None


def test_a_puzzle_whose_cost_was_changed_proves_nothing(campaign: PublicCampaign) -> None:
    question = proof_of_work.ask(campaign.id, SCHOOL)
    puzzle = json.loads(base64.b64decode(question.puzzle))
    puzzle["parameters"] |= {"cost": 1, "keyPrefix": ""}
    cheap = proof_of_work.Question(base64.b64encode(json.dumps(puzzle).encode()).decode(), "", 0)
    assert proof_of_work.check(campaign.id, SCHOOL, solved(cheap)) is None


def test_waiting_is_a_proof_too_but_not_before_its_time_and_not_twice(campaign: PublicCampaign) -> None:
    crowd(campaign, admission.NETWORK.most)
    begun = now()
    with stopped_at(begun):
        question = proof_of_work.ask(campaign.id, SCHOOL)
        assert question.seconds == proof_of_work.WAIT_SECONDS
    with stopped_at(begun + timedelta(seconds=10)):
        with pytest.raises(ProofNeeded):
            sign_as(campaign, 50, proof=question.wait)()
        again = proof_of_work.ask(campaign.id, SCHOOL, question.wait)
        assert (again.wait, again.seconds) == (question.wait, 20), "who waits does not begin anew"
    with stopped_at(begun + timedelta(seconds=proof_of_work.WAIT_SECONDS)):
        sign_as(campaign, 50, proof=question.wait)()
        with pytest.raises(ProofNeeded):
            sign_as(campaign, 51, proof=question.wait)()
        anew = proof_of_work.ask(campaign.id, SCHOOL, question.wait)
        assert anew.wait != question.wait, "a spent one is replaced: no dead end"


def test_sixty_tokens_of_one_network_are_no_sixty_proofs_and_each_waits_longer_than_the_one_before(
    campaign: PublicCampaign,
) -> None:
    crowd(campaign, admission.NETWORK.most)
    begun, most = now(), admission.WAITED.most
    with stopped_at(begun):
        tokens = [proof_of_work.ask(campaign.id, SCHOOL).wait for _ in range(60)]
    turns = []
    with stopped_at(begun + timedelta(seconds=31)):
        for number, token in enumerate(tokens):
            try:
                sign_as(campaign, 100 + number, proof=token)()
            except ProofNeeded as exc:
                turns.append(proof_of_work.ask(campaign.id, SCHOOL, token, seconds=exc.seconds))
        assert len(rows(Signer)) == admission.NETWORK.most + most
        assert [turn.seconds for turn in turns] == list(range(10, 10 * (61 - most), 10))
        with pytest.raises(ProofNeeded):  # not yet
            sign_as(campaign, 200, proof=turns[0].wait)()
        assert proof_of_work.ask(campaign.id, SCHOOL, turns[3].wait).wait == turns[3].wait, (
            "who waits does not begin anew"
        )
    with stopped_at(begun + timedelta(seconds=31 + 20)):
        for number, turn in enumerate(turns[:2]):
            sign_as(campaign, 200 + number, proof=turn.wait)()
        with pytest.raises(ProofNeeded):
            sign_as(campaign, 300, proof=turns[2].wait)()


def test_the_puzzle_costs_more_the_more_come_up_to_a_bound(campaign: PublicCampaign) -> None:
    prices = []
    for number in range(100):
        try:
            sign_as(campaign, number)()
        except ProofNeeded as exc:
            prices.append(exc.price)
    assert prices == sorted(prices)
    assert (prices[0], prices[40], prices[-1]) == (1, 9, admission.MAX_PRICE)
    dear = json.loads(base64.b64decode(proof_of_work.ask(campaign.id, SCHOOL, price=9).puzzle))
    assert dear["parameters"]["cost"] == 9 * proof_of_work.COST


# Networks within networks


@pytest.mark.parametrize(
    ("addresses", "most"),
    [
        ("2001:db8:0:{:x}::", 20),  # a network of /64 each, as a home line has 256 or 65,536 of them
        ("2001:db8:0:{:x}00::", 20),  # one of /56 each
        ("2001:db8:{:x}::", 99),  # one of /48 each: other people
        ("192.0.2.{}", 80),  # one IPv4 address each, of the same 256
        ("192.0.{}.1", 99),
    ],
)
def test_who_has_many_networks_may_not_do_more_than_who_has_one(
    campaign: PublicCampaign, addresses: str, most: int
) -> None:
    for number in range(99):
        try:
            sign_as(campaign, number, network=addresses.format(number))()
        except ProofNeeded:
            assert number >= most
    assert len(rows(Signer)) == most


def test_far_more_entries_than_usual_need_a_proof_wherever_they_are_from(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_rate, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(entry_rate, "ENTRIES", rate_limits.Rule("entries", 10, entry_rate.ENTRIES.window))
    begun = now().replace(minute=0)
    with stopped_at(begun):
        for number in range(11):
            sign_as(campaign, number, network=f"10.{number}.0.1")()
        with pytest.raises(ProofNeeded):
            sign_as(campaign, 20, network="10.20.0.1")()
        sign_as(campaign, 20, network="10.20.0.1", proof=worked(campaign, "10.20.0.1"))()
        sign_as(campaign, 21, network="10.21.0.1", collector_code=make_collector(campaign))()
    with stopped_at(begun + entry_rate.ENTRIES.window):
        sign_as(campaign, 22, network="10.22.0.1")()
    assert len(rows(Signer)) == 14
    monkeypatch.setattr(entry_rate, "TIMES_USUAL", 1_000)  # much came in the last hours, too
    with stopped_at(begun + timedelta(hours=2)):
        for number in range(23, 45):
            sign_as(campaign, number, network=f"10.{number}.0.1")()


# Passes


def test_a_code_lifts_the_limit_and_marks_its_signers(campaign: PublicCampaign) -> None:
    crowd(campaign, admission.NETWORK.most)
    code = make_collector(campaign)
    for number in range(3):
        sign_as(campaign, 100 + number, collector_code=code)()
    assert [row.collector_id for row in rows(Signer)][-4:] == [None, *[one_collector().id] * 3]
    assert one_collector().used == 3


@pytest.mark.parametrize("run", [in_threads, together])
def test_as_many_use_a_code_as_it_says_and_not_one_more(app: Flask, campaign: PublicCampaign, run: Any) -> None:
    crowd(campaign, admission.NETWORK.most)
    code = make_collector(campaign, most=7)
    raised = run(app, [sign_as(campaign, 100 + number, collector_code=code) for number in range(32)])

    assert sum(exc is None for exc in raised) == 7
    assert sum(isinstance(exc, ProofNeeded) for exc in raised) == 25
    assert one_collector().used == 7 == sum(row.collector_id is not None for row in rows(Signer))
    sign_as(campaign, 200, collector_code=code, proof=waited(campaign))()  # a full code is no wall,
    assert sum(row.collector_id is not None for row in rows(Signer)) == 8  # and credits all the same


def test_who_signs_case_by_case_takes_one_place_but_a_full_code_shows_nobody_who_came(
    campaign: PublicCampaign,
) -> None:
    crowd(campaign, admission.NETWORK.most)
    code = make_collector(campaign, most=2)
    for slug in ("river", "forest", "lake"):
        sign(campaign, ANN, slug, network=SCHOOL, collector_code=code)
    sign(campaign, BOB, network=SCHOOL, collector_code=code)  # the same mailbox, and another person
    assert one_collector().used == 2
    for somebody in (ANN, EVE):
        with pytest.raises(ProofNeeded):
            sign(campaign, somebody, network=SCHOOL, collector_code=code)


def test_a_code_that_is_over_not_yet_open_ended_of_another_campaign_or_made_up_lifts_nothing(
    app: Flask, campaign: PublicCampaign, tmp_path: Any
) -> None:
    crowd(campaign, admission.NETWORK.most)
    hour = timedelta(hours=1)
    ended = make_collector(campaign)
    collectors.end(one_collector().id, "command")
    other = make_campaign(app, tmp_path / "other", slug="other")
    useless = [
        *("BCDFX", ended, make_collector(other)),
        make_collector(campaign, opens_at=now() - 2 * hour, closes_at=now() - hour),
        make_collector(campaign, opens_at=now() + hour, closes_at=now() + 2 * hour),
    ]
    for code in useless:
        with pytest.raises(ProofNeeded):
            sign_as(campaign, 99, collector_code=code)()
    assert sum(row.used for row in rows(Collector)) == 0


@pytest.mark.parametrize("over", [{"title": " "}, {"most": 0}, {"most": 2001}, {"minutes": 0}, {"title": "x" * 121}])
def test_a_collector_that_makes_no_sense_is_not_made(campaign: PublicCampaign, over: dict[str, Any]) -> None:
    said = {"title": "A school", "most": 40, "minutes": 60} | over
    begin, kind = now(), CollectorKind.SCHOOL
    ends_at = begin + timedelta(minutes=said["minutes"])
    with pytest.raises(CollectorFaulty):
        collectors.create(campaign.slug, kind, said["title"], said["most"], begin, ends_at)
    assert rows(Collector) == []


# Programs


@pytest.mark.parametrize("network", [SCHOOL, ""])
def test_what_a_program_may_have_filled_in_needs_a_proof_and_is_recorded_with_it(
    campaign: PublicCampaign, network: str
) -> None:
    with pytest.raises(ProofNeeded):
        sign(campaign, ANN, network=network, is_automatic=True)
    assert rows(Signer) == [] == rows(Signature)
    assert letters() == []
    sign(campaign, ANN, network=network, is_automatic=True, proof=waited(campaign, network))
    sign(campaign, BOB, network=network, is_automatic=True, collector_code=make_collector(campaign))
    assert len(rows(Signer)) == 2


def test_who_fills_in_a_hidden_field_or_takes_no_time_may_be_a_program() -> None:
    assert admission.is_automatic("x", None)
    assert admission.is_automatic("", 19)
    assert not admission.is_automatic("", 20)
    assert not admission.is_automatic("", None)


# Holds


def test_a_flood_of_confirmations_is_held_and_counting_it_is_exact(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen(monkeypatch, most=5)
    for number in range(6):
        confirm(campaign, person(number))
    assert counts.of_campaign(campaign.id).is_on_hold
    seen = total(campaign)
    for number in range(6, 10):
        token = confirm(campaign, person(number))
        assert len(confirming.open_link(token).confirmed) == 3, "their signers need not know"

    assert total(campaign).signatures == seen.signatures == 18
    assert total(campaign).held == 12
    assert miscounts() == []
    assert holds.count_held(campaign.slug) == 12
    assert (total(campaign).confirmed, total(campaign).held) == (30, 0)
    assert not counts.of_campaign(campaign.id).is_on_hold
    assert miscounts() == []
    confirm(campaign, person(10))
    assert total(campaign).confirmed == 33, "after the look it counts again at once"
    assert [row.reason for row in rows(Hold)] == ["many_confirmed"]


def test_what_is_usual_is_no_flood(campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = now()
    with stopped_at(begun - timedelta(hours=3)):
        for number in range(100, 172):  # 72 in six hours: on average two in ten minutes
            confirm(campaign, person(number), "river")
    frozen(monkeypatch, most=2)
    monkeypatch.setattr(holds, "TIMES_USUAL", 2)
    with stopped_at(begun):
        for number in range(5):
            confirm(campaign, person(number), "river")
            assert counts.of_campaign(campaign.id).is_on_hold == (number == 4), "two times two, and one more"


def test_pressing_the_button_often_is_one_confirmation_and_a_school_with_a_code_none(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen(monkeypatch, most=3)
    token = confirm(campaign)
    for _ in range(5):
        confirming.confirm_signer(token)
    code = make_collector(campaign)
    for number in range(5):
        sign_as(campaign, number, collector_code=code)()
        confirming.confirm_signer(token_of(newest(Signer).id))
    assert not counts.of_campaign(campaign.id).is_on_hold


def test_two_thousand_are_the_threshold() -> None:
    assert (holds.CONFIRMING.most, holds.TIMES_USUAL, holds.USUAL_HOURS) == (2_000, 20, 6)


def test_confirming_beside_the_end_of_a_hold_leaves_nothing_held(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as store:
        store.add(Hold(campaign_id=campaign.id, reason="many_confirmed", began_at=now()))
    tokens = []
    for number in range(24):
        sign(campaign, person(number))
        tokens.append(token_of(newest(Signer).id))
    works: list[Callable[[], object]] = [lambda t=token: confirming.confirm_signer(t) for token in tokens]
    works.insert(12, lambda: holds.count_held(campaign.slug))
    assert in_threads(app, works) == [None] * 25
    assert (total(campaign).confirmed, total(campaign).held) == (72, 0)
    assert miscounts() == []


def test_a_campaign_that_is_not_there_has_nothing_to_count() -> None:
    with pytest.raises(NotFound):
        holds.count_held("nothing")


# Invalidations


@pytest.fixture
def signed(campaign: PublicCampaign) -> PublicCampaign:
    """A campaign with signatures in each state that can be invalidated, of several sources and times."""
    begun = now() - timedelta(hours=2)
    with stopped_at(begun):
        confirm(campaign, ANN)
        sign(campaign, EVE, "river", source="embed")
    with stopped_at(begun + timedelta(hours=1)):
        sign(campaign, person(1), "river", "forest", collector_code=make_collector(campaign))
        confirming.confirm_signer(token_of(newest(Signer).id))
        with transaction() as store:
            store.add(Hold(campaign_id=campaign.id, reason="many_confirmed", began_at=now()))
        confirm(campaign, person(2), "lake")
        sign(campaign, person(3))
    return campaign


def states() -> list[tuple[Any, ...]]:
    """All that says in which state the signatures are."""
    return dump()["signatures"]


@pytest.mark.parametrize(
    ("condition", "number"),
    [
        (Condition(), 3 + 1 + 2 + 1 + 3),
        (Condition(cases=("river",)), 4),
        (Condition(cases=("river", "lake"), state="confirmed"), 3),
        (Condition(state="held"), 1),
        (Condition(state="pending"), 4),
        (Condition(source="embed"), 1),
        (Condition(collector_id=1), 2),
        (Condition(signed_from=now() - timedelta(minutes=90)), 6),
        (Condition(signed_until=now() - timedelta(minutes=90)), 4),
        (Condition(source="share"), 0),
    ],
)
def test_what_was_previewed_is_invalidated_and_the_undoing_restores_every_row(
    signed: PublicCampaign, monkeypatch: pytest.MonkeyPatch, condition: Condition, number: int
) -> None:
    monkeypatch.setattr(batch_updates, "SIGNERS_AT_ONCE", 2)
    before, counted = states(), total(signed)
    invalidation = invalidations.prepare_invalidation(signed.slug, condition, "A flood from one address book")
    assert newest(Invalidation).previewed == number
    assert states() == before, "a preview strikes nothing"

    assert invalidations.run_invalidation(invalidation) == number == newest(Invalidation).struck
    assert total(signed).invalidated == number
    assert {row.invalidation_id for row in rows(Signature) if row.state == "invalidated"} <= {invalidation}
    assert miscounts() == []
    assert invalidations.run_invalidation(invalidation) == 0

    assert invalidations.undo_invalidation(invalidation) == number
    assert states() == before
    assert total(signed) == counted
    assert miscounts() == []
    assert invalidations.run_invalidation(invalidation) == 0, "undone is undone"
    assert states() == before


def test_the_condition_comes_back_as_it_was_said() -> None:
    said = Condition(
        cases=("a", "b"), signed_from=now(), signed_until=now(), source="embed", collector_id=3, state="held"
    )
    for condition in (said, Condition()):
        assert Condition.from_json(json.loads(json.dumps(condition.as_json()))) == condition


def test_without_a_reason_nothing_is_written_down(signed: PublicCampaign) -> None:
    with pytest.raises(ReasonMissing):
        invalidations.prepare_invalidation(signed.slug, Condition(), "  ")
    assert rows(Invalidation) == []


def test_another_campaign_is_not_touched_although_its_cases_are_named_alike(
    app: Flask, signed: PublicCampaign, tmp_path: Any
) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    confirm(other, ANN)
    number = invalidations.prepare_invalidation(other.slug, Condition(cases=("river",)), "A test")
    assert invalidations.run_invalidation(number) == 1
    assert total(signed).invalidated == 0
    assert miscounts() == []


def test_signers_of_another_campaign_between_ours_are_not_touched(
    app: Flask, signed: PublicCampaign, tmp_path: Any
) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    confirm(other, ANN)
    confirm(signed, person(50), "river")
    confirm(other, person(51), "river")
    before = total(signed)
    number = invalidations.prepare_invalidation(other.slug, Condition(), "A test")
    assert invalidations.run_invalidation(number) == 4
    assert total(signed) == before
    assert invalidations.undo_invalidation(number) == 4
    assert miscounts() == []


def test_what_is_signed_after_the_preview_is_not_invalidated(signed: PublicCampaign) -> None:
    number = invalidations.prepare_invalidation(signed.slug, Condition(), "A flood")
    sign(signed, person(7), "river")
    assert invalidations.run_invalidation(number) == newest(Invalidation).previewed
    assert newest(Signature).state == "pending"


def test_a_run_started_twice_invalidates_once(app: Flask, signed: PublicCampaign) -> None:
    number = invalidations.prepare_invalidation(signed.slug, Condition(), "A flood")
    assert in_threads(app, [lambda: invalidations.run_invalidation(number)] * 4) == [None] * 4
    assert newest(Invalidation).struck == newest(Invalidation).previewed == 10
    assert miscounts() == []


def test_an_invalidated_signature_cannot_be_confirmed_until_it_is_brought_back(campaign: PublicCampaign) -> None:
    sign(campaign, ANN, "river")
    token = token_of(newest(Signer).id)
    number = invalidations.prepare_invalidation(campaign.slug, Condition(), "A flood")
    invalidations.run_invalidation(number)
    confirming.confirm_signer(token)
    assert signer.facts(newest(Signer).id).confirmed == []
    invalidations.undo_invalidation(number)
    confirming.confirm_signer(token)
    assert total(campaign).confirmed == 1
    assert miscounts() == []


def test_an_invalidation_that_is_not_there_cannot_run() -> None:
    for act in (invalidations.run_invalidation, invalidations.undo_invalidation):
        with pytest.raises(NotFound):
            act(7)
