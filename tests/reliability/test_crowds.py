"""R6, R7 and the mail quota under concurrency: counts always equal a recount, and no mailbox gets too many e-mails."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask

from petitions.db.transactions import transaction
from petitions.errors import DomainError
from petitions.models import Message, Signature, Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.moderation import Condition
from petitions.services.mailing import outbox
from petitions.services.moderation import invalidations
from petitions.services.signatures import signatures
from petitions.services.signing import confirming, signer_page
from tests.reliability.conftest import kind
from tests.support.effort import effort, note
from tests.support.factories import Person, in_threads, miscounts, rows, sign, start_threads, token_of

WRITERS = 16
ACTS = effort(1_200, 100_000)
Act = Callable[[random.Random, PublicCampaign], None]


def _somebody(chance: random.Random) -> Person:
    return Person("Ann", "", f"ann{chance.randrange(ACTS // 8)}@example.org")


def _known(chance: random.Random) -> int:
    """The number of a signer who is there, or will be."""
    return chance.randrange(1, max(2, ACTS // 8))


def _sign(chance: random.Random, campaign: PublicCampaign) -> None:
    sign(campaign, _somebody(chance), *chance.sample(["river", "forest", "lake"], chance.randint(1, 3)))


def _confirm(chance: random.Random, campaign: PublicCampaign) -> None:
    confirming.confirm_signer(token_of(_known(chance)))


def _page(chance: random.Random) -> str:
    return signer_page.link_token(signer_query.facts(_known(chance)))


def _withdraw(chance: random.Random, campaign: PublicCampaign) -> None:
    signer_page.withdraw(_page(chance), [campaign.case(chance.choice(["river", "forest", "lake"])).id])


def _add(chance: random.Random, campaign: PublicCampaign) -> None:
    signer_page.sign_more(_page(chance), campaign, campaign.cases, "words")


def _erase(chance: random.Random, campaign: PublicCampaign) -> None:
    signer_page.erase(_page(chance))


def _invalidate(chance: random.Random, campaign: PublicCampaign) -> None:
    condition = Condition(cases=(chance.choice(["river", "forest", "lake"]),))
    number = invalidations.prepare_invalidation(campaign.slug, condition, "a test")
    invalidations.run_invalidation(number)
    invalidations.undo_invalidation(number)


ACTS_OF_PEOPLE: list[tuple[Act, int]] = [(_sign, 40), (_confirm, 30), (_withdraw, 12), (_add, 12), (_erase, 5)]


def live(app: Flask, campaign: PublicCampaign, acts: int, after: Callable[[], None] = lambda: None) -> list[Any]:
    """Sixteen writers do `acts` acts; a reader compares all the while. Gives the mismatches it saw."""
    seen: list[Any] = []
    samples = [0]
    ended = threading.Event()

    def write(number: int) -> None:
        chance = random.Random(number)  # noqa: S311 - the same acts at every run
        for turn in range(acts // WRITERS):
            chosen = chance.choices([act for act, _ in ACTS_OF_PEOPLE], [weight for _, weight in ACTS_OF_PEOPLE])[0]
            if number == 0 and turn % 25 == 24:
                chosen = _invalidate
            with suppress(DomainError):  # nobody of that number yet, or erased meanwhile
                chosen(chance, campaign)
            after()

    def read() -> None:
        with app.app_context():
            while not ended.is_set():
                seen.extend(miscounts())
                samples[0] += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        raised = in_threads(app, [lambda number=number: write(number) for number in range(WRITERS)], patience=3_600)
    finally:
        ended.set()
        reader.join()
    assert [exc for exc in raised if exc is not None] == []
    return [samples[0], *seen]


def test_counts_equal_a_recount_at_every_moment(app: Flask, campaign: PublicCampaign, database_url: str) -> None:
    samples, *mismatches = live(app, campaign, ACTS)
    assert mismatches == []
    with app.app_context():
        assert miscounts() == []
        assert len({row.state for row in rows(Signature)}) >= 3, "much happened"
    done = f"{ACTS} acts by {WRITERS} writers: sign, confirm, withdraw, add, erase, invalidate, undo"
    note("R7", kind(database_url), done, f"0 mismatches in {samples} snapshots")


def test_counting_outside_the_transaction_is_found(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = signatures.counting.shift

    def note_only(_connection: Any, changes: Any, now: Any) -> None:
        waiting.append((list(changes), now))

    def count_later() -> None:
        while waiting:
            try:
                changes, now = waiting.pop()
            except IndexError:
                return
            with transaction() as store:
                shift(store.connection(), changes, now)

    waiting: list[Any] = []
    monkeypatch.setattr(signatures.counting, "shift", note_only)
    _, *mismatches = live(app, campaign, 320, count_later)
    assert mismatches


def test_thirty_two_confirmations_beside_a_withdrawal_end_in_one_state(app: Flask, campaign: PublicCampaign) -> None:
    for number in range(effort(4, 100)):
        with app.app_context():
            sign(campaign, Person("Ann", "", f"ann{number}@example.org"))
            signer_id = rows(Signer)[-1].id
            token, page = token_of(signer_id), signer_page.link_token(signer_query.facts(signer_id))
            ids = [case.id for case in campaign.cases]
        works: list[Callable[[], object]] = [lambda t=token: confirming.confirm_signer(t)] * 32  # type: ignore[misc]
        works.insert(number % 33, lambda p=page, i=ids: signer_page.withdraw(p, i))  # type: ignore[misc]
        assert in_threads(app, works) == [None] * 33
        with app.app_context():
            confirming.confirm_signer(token)  # a replay brings nothing back
            assert {row.state for row in rows(Signature, Signature.signer_id == signer_id)} == {"withdrawn"}
            assert miscounts() == []


def test_ten_thousand_posts_against_one_mailbox_are_three_mails(
    app: Flask, campaign: PublicCampaign, database_url: str
) -> None:
    posts = effort(480, 10_000)
    spellings = ("victim@gmail.com", "v.i.c.t.i.m@gmail.com", "victim+{}@gmail.com", "VICTIM@googlemail.com")

    def bomb(number: int) -> None:
        chance = random.Random(number)  # noqa: S311
        for turn in range(posts // WRITERS):
            email = chance.choice(spellings).format(turn)
            name = chance.choice(["Ann", "Bob", "Cleo", f"N{chr(97 + turn % 26)}"])
            sign(campaign, Person(name, "", email), chance.choice(["river", "forest", "lake"]))
            if turn % 7 == 0:
                signer_page.request_link(email, "fr", campaign, "")

    finished = start_threads(app, [lambda number=number: bomb(number) for number in range(WRITERS)], patience=3_600)
    assert finished() == [None] * WRITERS
    with app.app_context():
        while leased := outbox.lease(100):
            for request in (letter for letter in leased if letter.kind == outbox.REQUEST):
                signer_page.answer_request(request)
        assert len([row for row in rows(Message) if row.kind != outbox.BLANK]) <= 3
    note("mail limit", kind(database_url), f"{posts} posts against one mailbox, in four spellings", "at most 3 mails")
