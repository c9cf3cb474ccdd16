"""The counts equal a recount at every moment, after actions in any order."""

import random
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from petitions.clock import hour_of, now, stopped_at
from petitions.db.transactions import write_queue
from petitions.errors import LinkUnknown
from petitions.models import Count, Signature, Signer
from petitions.queries import counts
from petitions.queries.catalogue import PublicCampaign
from petitions.services.signatures import counting, signatures
from petitions.services.signing import confirming, signing
from tests.support.factories import (
    ANN,
    CONSENT,
    Person,
    confirm,
    in_threads,
    make_entry,
    miscounts,
    newest,
    rows,
    sign,
    token_of,
)

pytestmark = pytest.mark.usefixtures("context")


class Life:
    """Random signers, and a pure model of what should become of them."""

    def __init__(self, campaign: PublicCampaign, seed: int) -> None:
        self.campaign = campaign
        self.random = random.Random(seed)  # noqa: S311 - no secret
        self.tokens: dict[str, str] = {}  # by person: the living link
        self.signed: dict[str, dict[str, str]] = {}  # by person: state by case
        self.confirmed: set[str] = set()
        self.gone: Counter[tuple[str, str]] = Counter()  # what erased people leave behind

    def step(self) -> None:
        """Let something happen."""
        name = f"person{self.random.randrange(12)}"
        act = self.random.choice((self.sign, self.sign, self.confirm, self.reject, self.more))
        if act == self.sign or name in self.tokens:
            act(name)

    def _some_cases(self) -> list[str]:
        slugs = [case.slug for case in self.campaign.cases]
        return self.random.sample(slugs, self.random.randint(1, len(slugs)))

    def sign(self, name: str) -> None:
        cases = self._some_cases()
        sign(self.campaign, Person(name, "Lee", f"{name}@example.org"), *cases)
        if name not in self.tokens:
            self.tokens[name], self.signed[name] = token_of(newest(Signer).id), {}
        for slug in cases:
            self.signed[name].setdefault(slug, "pending")

    def confirm(self, name: str) -> None:
        confirming.confirm_signer(self.tokens[name])
        self._confirmed(name)

    def more(self, name: str) -> None:
        cases = self._some_cases()
        confirming.sign_more(self.tokens[name], self.campaign, [self.campaign.case(slug) for slug in cases], CONSENT)
        for slug in cases:
            self.signed[name].setdefault(slug, "pending")
        self._confirmed(name)

    def _confirmed(self, name: str) -> None:
        waiting = [slug for slug, state in self.signed[name].items() if state == "pending"]
        self.signed[name].update(dict.fromkeys(waiting, "confirmed"))
        if waiting:
            self.confirmed.add(name)

    def reject(self, name: str) -> None:
        confirming.reject_signer(self.tokens[name])
        waiting = [slug for slug, state in self.signed[name].items() if state == "pending"]
        self.signed[name].update(dict.fromkeys(waiting, "withdrawn"))
        if name not in self.confirmed:
            self.gone.update(self.signed.pop(name).items())
            del self.tokens[name]

    def expected(self) -> dict[tuple[str, str], int]:
        """How many signatures there should be, by (case, state)."""
        return dict(self.gone + Counter(pair for mine in self.signed.values() for pair in mine.items()))


def stored(campaign: PublicCampaign) -> dict[tuple[str, str], int]:
    """How many signatures there are, by (case, state)."""
    slugs = {case.id: case.slug for case in campaign.cases}
    return dict(Counter((slugs[row.case_id], row.state) for row in rows(Signature)))


@pytest.mark.parametrize("seed", [1, 2])
def test_after_any_sequence_the_rows_are_as_a_pure_model_says_and_the_counts_as_the_rows(
    campaign: PublicCampaign, seed: int
) -> None:
    life = Life(campaign, seed)
    begun = now()
    for number in range(60):
        with stopped_at(begun + timedelta(minutes=17 * number)):
            life.step()
            assert miscounts() == [], f"after step {number}"
    assert stored(campaign) == life.expected()
    assert {state for _, state in life.expected()} == {"pending", "confirmed", "withdrawn"}, (
        "the walk must be a real one"
    )


def test_a_change_that_is_not_counted_is_noticed(campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = counting.shift

    def forgetful(connection: Any, changes: Iterable[counting.Change], when: Any) -> None:
        honest(connection, [change for change in changes if change[1] != "withdrawn"], when)

    monkeypatch.setattr(counting, "shift", forgetful)
    life = Life(campaign, seed=1)
    for _ in range(60):
        life.step()
    assert miscounts() != []


def test_sixteen_writers_and_a_reader_never_see_a_wrong_count(app: Flask, campaign: PublicCampaign) -> None:
    ended = threading.Event()
    seen: list[Any] = []

    def write(number: int) -> None:
        person = Person(f"writer {number}", "Lee", f"w{number}@example.org")
        for slug in ("river", "forest"):
            signing.sign_cases(make_entry(campaign, person, slug))
        for act in (confirming.confirm_signer, confirming.reject_signer):
            ids = [row.id for row in rows(Signer)]
            try:
                act(token_of(ids[number % 4 % len(ids)]))  # a few of them, each by several at once
            except LinkUnknown:
                continue

    def watch() -> None:
        while not ended.is_set():
            seen.append(miscounts())

    watcher = threading.Thread(target=lambda: in_threads(app, [watch]))
    watcher.start()
    try:
        raised = in_threads(app, [lambda number=number: write(number) for number in range(16)])
    finally:
        ended.set()
        watcher.join()
    assert raised == [None] * 16
    assert len(seen) > 3
    assert [wrong for wrong in seen if wrong] == []
    assert miscounts() == []


def test_a_transaction_that_fails_counts_nothing(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    signer, version = newest(Signer).id, campaign.case("river").letter_versions["fr"]

    def move_and_fail(connection: Any, _items: Any) -> list[None]:
        signatures.move(connection, [signer], "pending", "confirmed", now())
        signatures.add(connection, [(signer, 99_999, version, None, "direct")], [], now())  # no such case
        return [None]

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        write_queue().submit(move_and_fail, None)
    assert stored(campaign) == {(slug, "pending"): 1 for slug in ("river", "forest", "lake")}
    assert miscounts() == []


def test_each_hour_has_a_row_and_the_number_is_their_sum(campaign: PublicCampaign) -> None:
    begun = hour_of(now())
    for number in range(3):
        with stopped_at(begun + timedelta(hours=number, minutes=59)):
            confirm(campaign, Person(f"p{number}", "Lee", f"p{number}@example.org"), "river")

    assert [row.hour_at for row in rows(Count)] == [begun + timedelta(hours=number) for number in range(3)]
    assert counts.of_campaign(campaign.id).of(campaign.case("river").id).confirmed == 3


def test_changes_of_one_case_are_added_up_and_zero_stays_zero(campaign: PublicCampaign) -> None:
    river, forest = campaign.case("river").id, campaign.case("forest").id
    changes = [(river, "pending", 1), (river, "pending", 1), (river, "confirmed", -1), (forest, "letters", 5)]

    def shift_twice(connection: Any, _items: Any) -> list[None]:
        counting.shift(connection, changes, now())
        counting.shift(connection, changes, now())
        counting.shift(connection, [], now())
        return [None]

    write_queue().submit(shift_twice, None)
    found = counts.of_campaign(campaign.id)
    assert found.of(river) == counts.Numbers(pending=4, confirmed=-2)
    assert found.of(forest) == counts.Numbers(letters=10)
    assert found.of(campaign.case("lake").id) == counts.NOTHING
