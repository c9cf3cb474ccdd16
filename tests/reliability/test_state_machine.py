"""R6: after random actions in random order, the database agrees with a simple model."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import delete

from petitions import clock
from petitions.db.transactions import transaction
from petitions.errors import CampaignClosed, LinkExpired, LinkUnknown, MailboxFull, NameTaken
from petitions.models import Count, Hold, Invalidation, Limit, MailSlot, Message, Signature, Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.moderation import Condition
from petitions.services.moderation import invalidations
from petitions.services.privacy import retention
from petitions.services.signatures import signatures
from petitions.services.signing import confirming, signer_page
from tests.support.effort import effort, note
from tests.support.factories import Person, miscounts, rows, sign, token_of

NAMES = ("Ann", "Bob", "Cleo")
MAILBOXES = ("ann@example.org", "eve@example.net")
CASES = ("river", "forest", "lake")
BEGIN = datetime(2026, 12, 1, 8, tzinfo=UTC)
SEQUENCES = effort(40, 10_000)
FORTNIGHT = timedelta(days=14)

people = st.builds(lambda name, mailbox: Person(name, "", mailbox), st.sampled_from(NAMES), st.sampled_from(MAILBOXES))
some_cases = st.lists(st.sampled_from(CASES), min_size=1, unique=True)
pauses = st.sampled_from([timedelta(seconds=1), timedelta(minutes=9), timedelta(minutes=30), timedelta(days=15)])


@dataclass
class Signed:
    """One signature as the model sees it."""

    state: str
    was: str = ""  # before it was struck
    struck_by: int = 0
    withdrawn_at: datetime | None = None


@dataclass
class Someone:
    """One signer as the model sees them."""

    mailbox: str
    name: str
    asked_at: datetime
    token: str = ""
    page: str = ""
    is_confirmed: bool = False
    is_erased: bool = False
    has_place: bool = False  # in the mailbox, since the first confirmation
    cases: dict[str, Signed] = field(default_factory=dict)

    def move(self, before: set[str], after: str, now: datetime, cases: list[str] | None = None) -> list[str]:
        """Change the state of some signatures; gives those that changed."""
        moved = [case for case, each in self.cases.items() if each.state in before and (cases is None or case in cases)]
        for case in moved:
            self.cases[case].state = after
            self.cases[case].withdrawn_at = clock.minute_of(now) if after == "withdrawn" else None
        return moved

    def ask(self, cases: list[str], now: datetime) -> None:
        """Sign again: what is new or was taken back waits."""
        new = [case for case in cases if case not in self.cases]
        again = self.move({"withdrawn", "expired"}, "pending", now, cases)
        self.cases |= {case: Signed("pending") for case in new}
        if new or again or now - self.asked_at >= timedelta(minutes=10):
            self.asked_at = clock.minute_of(now)

    def confirm(self, now: datetime) -> None:
        """The mailbox says yes."""
        if self.move({"pending"}, "confirmed", now):
            self.is_confirmed = self.has_place = True

    def forget(self, now: datetime) -> None:
        """Take everything back, and be nobody."""
        self.move({"pending", "confirmed", "invalidated"}, "withdrawn", now)
        self.is_erased, self.has_place = True, False


class Life(RuleBasedStateMachine):
    """Two mailboxes with three names between them, three cases, a clock that only goes on."""

    app: Flask
    campaign: PublicCampaign
    signers = Bundle("signers")
    struck = Bundle("struck")

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.known: dict[int, Someone] = {}
        self.stack = ExitStack()
        self.stack.enter_context(self.app.app_context())
        with transaction() as store:
            for table in (Message, Signature, Signer, Invalidation, Hold, Count, MailSlot, Limit):
                store.execute(delete(table))

    def teardown(self) -> None:
        """Leave the context."""
        self.stack.close()

    def expect(self, exc: type[Exception] | None, act: Callable[[], object]) -> None:
        """Do it at the model's time; it must fail as the model says."""
        with clock.stopped_at(self.now):
            if exc is None:
                act()
            else:
                with pytest.raises(exc):
                    act()

    def living(self, mailbox: str) -> list[int]:
        """The signers of a mailbox."""
        return [number for number, each in self.known.items() if each.mailbox == mailbox and not each.is_erased]

    def is_full_for(self, someone: Someone) -> bool:
        """Whether a confirmation would need a place that is not there."""
        places = sum(self.known[number].has_place for number in self.living(someone.mailbox))
        return not someone.has_place and places >= self.campaign.signers_per_mailbox

    @rule(pause=pauses)
    def wait(self, pause: timedelta) -> None:
        self.now += pause

    @rule(person=people)
    def sign_too_late(self, person: Person) -> None:
        closed = replace(self.campaign, state="closed")
        self.expect(CampaignClosed, lambda: sign(closed, person, cases=self.campaign.cases))

    @rule(target=signers, person=people, cases=some_cases)
    def sign(self, person: Person, cases: list[str]) -> Any:
        chosen = [self.campaign.case(case) for case in cases]
        self.expect(None, lambda: sign(self.campaign, person, cases=chosen))
        there = self.living(person.email)
        same = [number for number in there if self.known[number].name == person.first_name]
        if same:
            self.known[same[0]].ask(cases, self.now)
            return multiple()
        number = rows(Signer)[-1].id
        page = signer_page.link_token(signer_query.facts(number))
        someone = Someone(person.email, person.first_name, clock.minute_of(self.now), token_of(number), page)
        someone.cases = {case: Signed("pending") for case in cases}
        assert number not in self.known
        self.known[number] = someone
        return number

    def link_fails(self, someone: Someone) -> type[Exception] | None:
        """What the mail's link says."""
        if someone.is_erased:
            return LinkUnknown
        return LinkExpired if self.now - someone.asked_at > FORTNIGHT else None

    @rule(number=signers, receipt=st.booleans())
    def confirm(self, number: int, receipt: bool) -> None:
        someone = self.known[number]
        fails = self.link_fails(someone)
        if fails is None and "pending" in {each.state for each in someone.cases.values()} and self.is_full_for(someone):
            fails = MailboxFull
        self.expect(fails, lambda: confirming.confirm_signer(someone.token, wants_receipt=receipt))
        if fails is None:
            someone.confirm(self.now)

    @rule(number=signers)
    def say_it_was_not_me(self, number: int) -> None:
        someone = self.known[number]
        fails = self.link_fails(someone)
        self.expect(fails, lambda: confirming.reject_signer(someone.token))
        if fails is None:
            someone.move({"pending"}, "withdrawn", self.now)
            if not someone.is_confirmed:
                someone.forget(self.now)

    @rule(number=signers, cases=some_cases)
    def withdraw(self, number: int, cases: list[str]) -> None:
        someone = self.known[number]
        ids = [self.campaign.case(case).id for case in cases]
        self.expect(LinkUnknown if someone.is_erased else None, lambda: signer_page.withdraw(someone.page, ids))
        if not someone.is_erased:
            someone.move({"pending", "confirmed", "invalidated"}, "withdrawn", self.now, cases)

    @rule(number=signers, cases=some_cases, is_open=st.booleans())
    def add(self, number: int, cases: list[str], is_open: bool) -> None:
        someone = self.known[number]
        chosen = [self.campaign.case(case) for case in cases]
        campaign = self.campaign if is_open else replace(self.campaign, state="closed")
        fails = LinkUnknown if someone.is_erased else None if is_open else CampaignClosed
        asked_at, is_full = someone.asked_at, self.is_full_for(someone)
        if fails is None:
            someone.ask(cases, self.now)
            someone.asked_at = asked_at  # no mail goes out
            if is_full and "pending" in {each.state for each in someone.cases.values()}:
                fails = MailboxFull  # what was added waits
            else:
                someone.confirm(self.now)
        self.expect(fails, lambda: signer_page.sign_more(someone.page, campaign, chosen, "words"))

    @rule(number=signers, name=st.sampled_from(NAMES))
    def correct(self, number: int, name: str) -> None:
        someone = self.known[number]
        others = [self.known[each].name for each in self.living(someone.mailbox) if each != number]
        fails = LinkUnknown if someone.is_erased else NameTaken if name in others else None
        self.expect(fails, lambda: signer_page.correct_name(someone.page, name, ""))
        if fails is None:
            someone.name = name

    @rule(number=signers)
    def erase(self, number: int) -> None:
        someone = self.known[number]
        self.expect(LinkUnknown if someone.is_erased else None, lambda: signer_page.erase(someone.page))
        if not someone.is_erased:  # else retention was first, and what was struck stays struck
            someone.forget(self.now)

    @rule(target=struck, cases=some_cases)
    def invalidate(self, cases: list[str]) -> int:
        with clock.stopped_at(self.now):
            condition = Condition(cases=tuple(cases))
            number = invalidations.prepare_invalidation(self.campaign.slug, condition, "a test")
            invalidations.run_invalidation(number)
        for each in (someone.cases.get(case) for someone in self.known.values() for case in cases):
            if each is not None and each.state in ("pending", "confirmed"):
                each.was, each.struck_by, each.state = each.state, number, "invalidated"
        return number

    @rule(number=struck)
    def undo(self, number: int) -> None:
        with clock.stopped_at(self.now):
            invalidations.undo_invalidation(number)
        for each in (each for someone in self.known.values() for each in someone.cases.values()):
            if each.state == "invalidated" and each.struck_by == number:
                each.state = each.was

    @rule()
    def tidy(self) -> None:
        with clock.stopped_at(self.now):
            retention.trust_clock()
            retention.run()
        for someone in self.known.values():
            if someone.asked_at >= self.now - FORTNIGHT:
                continue
            someone.move({"pending"}, "expired", self.now)
            states = {each.state for each in someone.cases.values()}
            lately = [each for each in someone.cases.values() if each.withdrawn_at]
            is_fresh = any(each.withdrawn_at and each.withdrawn_at >= self.now - FORTNIGHT for each in lately)
            if "confirmed" not in states and not (someone.is_confirmed and ("invalidated" in states or is_fresh)):
                someone.is_erased, someone.has_place = True, False

    @invariant()
    def the_database_says_the_same(self) -> None:
        assert miscounts() == []
        names = {self.campaign.case(case).id: case for case in CASES}
        found: dict[int, dict[str, str]] = {}
        for row in rows(Signature):
            found.setdefault(row.signer_id, {})[names[row.case_id]] = row.state
        assert found == {
            number: {case: each.state for case, each in someone.cases.items()} for number, someone in self.known.items()
        }
        for row in rows(Signer):
            someone = self.known[row.id]
            assert (row.confirmed_at is not None, row.erased_at is not None, row.slot is not None) == (
                someone.is_confirmed,
                someone.is_erased,
                someone.has_place,
            )
            assert (row.email_key is None) == (row.sealed is None) == (row.link_id is None) == someone.is_erased

    @invariant()
    def a_mailbox_gets_three_mails_a_day(self) -> None:
        assert len(rows(MailSlot)) <= 3 * len(MAILBOXES)


@pytest.fixture
def life(app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> type[Life]:
    """The machine on this test's database."""
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0)
    return type("Life", (Life,), {"app": app, "campaign": campaign})


def run(machine: type[Life], sequences: int, *, is_seeded: bool = False) -> None:
    """Live `sequences` lives; a seeded run need not explain itself."""
    phases = [Phase.generate] if is_seeded else [Phase.generate, Phase.shrink]
    chosen = settings(
        max_examples=sequences, stateful_step_count=20, phases=phases, deadline=None, derandomize=not is_seeded
    )
    if is_seeded:  # with this seed a bug is met soon; any other finds it too
        machine._hypothesis_internal_use_seed = 11  # type: ignore[attr-defined]  # noqa: SLF001 - hypothesis has no public name for it
    run_state_machine_as_test(machine, settings=chosen)  # type: ignore[no-untyped-call]


def test_the_database_agrees_with_a_plain_model(life: type[Life]) -> None:
    run(life, SEQUENCES)
    database = "postgres" if "postgresql" in str(life.app.config["SQLALCHEMY_DATABASE_URI"]) else "sqlite"
    note("R6", database, f"{SEQUENCES} sequences of up to 20 acts against a plain model", "no illegal state")


def _replayed(move: Callable[..., Any]) -> Callable[..., Any]:
    """The seeded bug: a confirmation that is sent again also confirms what was taken back."""

    def moved(connection: Any, ids: Any, before: str, after: str, *rest: Any) -> Any:
        if after == "confirmed":
            move(connection, ids, "withdrawn", after, *rest)
        return move(connection, ids, before, after, *rest)

    return moved


def _uncounted(move: Callable[..., Any]) -> Callable[..., Any]:
    """The seeded bug: a change of state that forgets the counts."""

    def moved(*arguments: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(signatures.counting, "shift", lambda *_: None)
            return move(*arguments)

    return moved


@pytest.mark.parametrize("bug", [_replayed, _uncounted])
def test_a_seeded_bug_is_found(life: type[Life], monkeypatch: pytest.MonkeyPatch, bug: Any) -> None:
    monkeypatch.setattr(signatures, "move", bug(signatures.move))
    with pytest.raises(AssertionError):
        run(life, 300, is_seeded=True)
