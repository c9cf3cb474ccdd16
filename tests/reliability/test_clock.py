"""R10: a jump of the clock causes no wrong count, no lockout, no second e-mail, and no early erasure."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from petitions import clock
from petitions.clock import Boot, stopped_at
from petitions.db.transactions import transaction, write_queue
from petitions.domain import retention as policy
from petitions.domain.retention import Clock
from petitions.errors import CampaignClosed, LinkExpired, LinkUnknown, TooManyTries
from petitions.models import Message, Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.sending import send_due
from petitions.services.limits import mail_quota, proof_of_work, rate_limits
from petitions.services.mailing import outbox
from petitions.services.privacy import retention
from petitions.services.signatures import counting, signatures
from petitions.services.signing import confirming
from tests.support.crowds import database_of
from tests.support.effort import IS_LONG, effort, note
from tests.support.factories import (
    ANN,
    BOB,
    EVE,
    Person,
    letters,
    make_campaign,
    miscounts,
    newest,
    rows,
    sign,
    token_of,
)

pytestmark = pytest.mark.usefixtures("context")

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
START = datetime(2026, 12, 10, 9, 30, tzinfo=UTC)
BEGAN = START - 30 * DAY
JUMPS = [HOUR, -DAY, 400 * DAY, *((-HOUR, DAY, -400 * DAY) if IS_LONG else ())]
JUMPED_BY = "by an hour, a day or 400 days, forth or back"
RULES = (rate_limits.LOGIN_TRIES, rate_limits.CODE_TRIES, rate_limits.UNKNOWN_ORIGIN)


@contextmanager
def at(true: datetime, jump: timedelta = timedelta()) -> Iterator[None]:
    """The true time is `true`; the machine's clock, running since BEGAN, differs by `jump`."""
    with stopped_at(true + jump, Boot("machine", BEGAN + jump)):
        yield


def check_counts(campaign: PublicCampaign, jump: timedelta, number: int) -> None:
    """People sign, confirm, take back while the clock jumps and returns: the counts are what a recount gives."""
    moment = START
    for place in range(number):
        person = Person("Ann", str(place), f"p{place}@example.org")
        with at(moment, jump if place % 3 == 1 else timedelta()):
            sign(campaign, person)
        with at(moment, jump if place % 3 == 0 else timedelta()):
            signer_id = newest(Signer).id
            if abs(jump) < confirming.LINK_LIFETIME or place % 3 == 2:
                confirming.confirm_signer(token_of(signer_id))
            sign(campaign, person)
        with at(moment):
            assert miscounts() == []
            sign(campaign, person)
        moment += MINUTE
    assert len(rows(Signer)) == number, "each of them once"
    assert len(rows(Signature)) == 3 * number
    assert miscounts() == []


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_jump_of_the_clock_miscounts_nothing_and_nobody_signs_twice(
    app: Flask, campaign: PublicCampaign, jump: timedelta
) -> None:
    number = effort(6, 300)
    check_counts(campaign, jump, number)
    note(
        "R10", database_of(app), f"{number} sign and confirm while the clock jumps {JUMPED_BY}", "0 miscounts, 0 double"
    )


def test_a_count_that_is_kept_under_its_hour_alone_is_noticed(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, latest = counting.shift, [START - 1000 * DAY]

    def forgetful(connection: Any, changes: Any, moment: datetime) -> None:
        """The wrong change: what happens before the newest hour is thought to be counted already."""
        latest[0] = max(latest[0], clock.hour_of(moment))
        honest(connection, list(changes) if clock.hour_of(moment) == latest[0] else [], moment)

    monkeypatch.setattr(signatures.counting, "shift", forgetful)
    with pytest.raises(AssertionError):
        check_counts(campaign, HOUR, 4)


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)], ids=["spring", "autumn"])
def test_the_campaign_opens_and_closes_at_its_moment_over_a_change_to_summer_time_and_back(
    app: Flask, tmp_path: Path, month: int, day: int
) -> None:
    here = ZoneInfo("Europe/Luxembourg")
    opens, closes = (datetime(2026, month, day, hour, 30, tzinfo=here) for hour in (1, 3))
    plain = {"timezone": '"Europe/Luxembourg"', "opens_at": opens.isoformat(), "closes_at": closes.isoformat()}
    with stopped_at(opens):
        campaign = make_campaign(app, tmp_path / "night", slug="night", **plain)
    assert (campaign.opens_at, campaign.closes_at) == (opens.astimezone(UTC), closes.astimezone(UTC))
    lasts = closes.astimezone(UTC) - opens.astimezone(UTC)
    assert lasts == (HOUR if month == 3 else 3 * HOUR)
    for minute in range(-20, int(lasts / MINUTE) + 20, 10):
        with stopped_at(opens + MINUTE * minute):
            moment = opens.astimezone(UTC) + MINUTE * minute
        with stopped_at(moment):
            person = Person("Ann", "Day", f"{day}m{minute + 20}@example.org")
            if 0 <= minute < lasts / MINUTE:
                sign(campaign, person)
                confirming.confirm_signer(token_of(newest(Signer).id))
            else:
                with pytest.raises(CampaignClosed):
                    sign(campaign, person)
    assert miscounts() == []
    done = f"the clock change of month {month} in Luxembourg while a campaign opens and closes"
    note("R10", database_of(app), done, "at its moment, 0 miscounts")


# Links


def check_links_die(campaign: PublicCampaign, jump: timedelta) -> None:
    """A link that ended stays dead once retention ran; and one made by a clock that ran ahead does not last longer."""
    with at(START):
        retention.trust_clock()
        sign(campaign, ANN)
        token = token_of(newest(Signer).id)
    over = START + confirming.LINK_LIFETIME + DAY
    with at(over):
        retention.trust_clock()
        retention.run()
    with at(over, jump), pytest.raises((LinkExpired, LinkUnknown)):
        confirming.open_link(token)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_link_that_ended_does_not_come_to_life_again(app: Flask, campaign: PublicCampaign, jump: timedelta) -> None:
    check_links_die(campaign, jump)
    note("R10", database_of(app), f"a link ended, then the clock jumps {JUMPED_BY}", "stays dead")


def test_a_retention_that_leaves_links_alive_is_noticed(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_erase", lambda *_: None)
    with pytest.raises(pytest.fail.Exception):
        check_links_die(campaign, -10 * DAY)


def test_a_link_made_while_the_clock_ran_far_ahead_expires_and_a_new_request_gives_a_valid_one(
    campaign: PublicCampaign,
) -> None:
    with at(START, 400 * DAY):
        sign(campaign, ANN)
    token = token_of(newest(Signer).id)
    with at(START + HOUR):
        with pytest.raises(LinkExpired):
            confirming.open_link(token)
        sign(campaign, ANN)
        assert len(letters()) == 2, "a new mail at once, not in 400 days"
        confirming.confirm_signer(token)
        assert miscounts() == []


# Mails


def check_mails_leave_once(campaign: PublicCampaign, jump: timedelta) -> None:
    """Mails are queued and sent while the clock jumps and returns: each leaves once, soon after the return."""
    sent: list[tuple[str, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "petitions.mail.transports._Folder.send", lambda _, mail: sent.append((mail["To"], mail["Subject"]))
        )
        with at(START):
            sign(campaign, ANN)
            send_due()
        with at(START + MINUTE, jump):
            sign(campaign, BOB, "river", locale="fr")
            sign(campaign, Person("Eve", "Moriarty", "late@example.net"))
            outbox.lease(1)  # whoever has this one dies
            send_due()
        with at(START + 2 * MINUTE, jump):
            sign(campaign, EVE)
        with at(START + HOUR):
            outbox.mend()
        for moment in (START + HOUR, START + HOUR + outbox.LEASE, START + 3 * HOUR):
            with at(moment):
                while send_due():
                    pass
    assert max(Counter(sent).values()) == 1, "nothing is sent twice"  # Bob's differ from Ann's by their number
    asked = [address for address, subject in sent if "reste" not in subject]  # a reminder may have come too early
    assert sorted(asked) == [ANN.email, ANN.email, EVE.email, "late@example.net"]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_no_mail_is_sent_twice_and_none_waits_for_a_clock_that_ran_ahead(
    app: Flask, campaign: PublicCampaign, jump: timedelta
) -> None:
    check_mails_leave_once(campaign, jump)
    done = f"mails are queued, leased and sent while the clock jumps {JUMPED_BY}, and returns"
    note("R10", database_of(app), done, "0 double, none waits longer than an hour and a lease")


def test_an_outbox_that_is_not_mended_is_noticed(campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "mend", lambda: None)
    with pytest.raises(AssertionError):
        check_mails_leave_once(campaign, DAY)


def test_mending_shortens_what_a_clock_ran_ahead_with_and_leaves_the_rest(campaign: PublicCampaign) -> None:
    for person, jump in ((EVE, 400 * DAY), (ANN, timedelta())):
        with at(START, jump):
            sign(campaign, person)
            for letter in outbox.lease(1):
                outbox.mark_sent(letter)
    with at(START + MINUTE):
        outbox.mend()
    eve, ann = rows(Message)
    assert (ann.created_at, ann.due_at) == (START, START + outbox.REMIND_AFTER)
    assert (eve.created_at, eve.due_at) == (START + MINUTE, START + MINUTE + outbox.REMIND_AFTER)


def test_a_clock_jump_gives_up_no_mail(campaign: PublicCampaign) -> None:
    with at(START):
        retention.trust_clock()
        sign(campaign, ANN)
    with at(START, 400 * DAY):
        [letter] = outbox.lease(1)
        outbox.mark_delayed(letter, "smtp_450")
    assert (newest(Message).state, newest(Message).payload is None) == ("queued", False)


# Limits


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_a_clock_jump_locks_nobody_out_for_longer_than_the_window(app: Flask, rule: rate_limits.Rule) -> None:
    for jump in JUMPS:
        check_limit(rule, jump)
    done = f"the limit {rule.kind} is reached while the clock jumps {JUMPED_BY}"
    note("R10", database_of(app), done, "nobody is locked out for longer than its window")


def check_limit(rule: rate_limits.Rule, jump: timedelta) -> None:
    """The limit is reached while the clock is wrong: on the corrected clock, the wait is one window at most."""
    with at(START, jump):
        for _ in range(rule.most):
            rate_limits.spend(rule, f"ann {jump}")
        with pytest.raises(TooManyTries):
            rate_limits.spend(rule, f"ann {jump}")
    step = rule.window / 8
    locked = [place for place in range(40) if _would_be_refused(rule, f"ann {jump}", START + place * step)]
    assert not locked or (locked[-1] - locked[0]) * step <= rule.window


def _would_be_refused(rule: rate_limits.Rule, who: str, moment: datetime) -> bool:
    with at(moment), transaction() as store:
        (number,) = rate_limits.use(store.connection(), rule, [rule.key(who)], clock.now())
        store.rollback()
        return number > rule.most


def test_a_limit_that_accepts_a_window_in_the_future_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "CLOCK_TOLERANCE", 10**9)
    with pytest.raises(AssertionError):
        check_limit(rate_limits.LOGIN_TRIES, DAY)


def test_the_budget_of_all_mails_is_not_locked_either() -> None:
    rule = rate_limits.Rule("outbound", 1, MINUTE)
    with at(START, 400 * DAY):
        assert rate_limits.reserve([rule], "all", 2) == 1
        assert rate_limits.reserve([rule], "all", 1) == 0
    with at(START):
        assert rate_limits.reserve([rule], "all", 1) == 1
        assert rate_limits.reserve([rule], "all", 1) == 0, "and it holds again"


@pytest.mark.parametrize("seconds", [0, 1, rate_limits.CLOCK_TOLERANCE])
def test_clocks_that_differ_by_a_minute_do_not_lift_a_limit(seconds: int) -> None:
    for place in range(rate_limits.LOGIN_TRIES.most):
        with at(START, timedelta(seconds=seconds * (place % 2))):
            rate_limits.spend(rate_limits.LOGIN_TRIES, "ann")
    with at(START), pytest.raises(TooManyTries):
        rate_limits.spend(rate_limits.LOGIN_TRIES, "ann")


def _take(email: str, number: int) -> list[bool]:
    def take(connection: Any, items: Any) -> list[list[bool]]:
        return [mail_quota.take(connection, [mail_quota.wanted(email)] * number, clock.now()) for _ in items]

    return write_queue().submit(take, None)


def check_slots(jump: timedelta) -> None:
    """A mailbox's slots are used while the clock is wrong: they are free a day after the next maintenance."""
    email = f"ann{jump.total_seconds():.0f}@example.org"
    with at(START, jump):
        assert _take(email, 4) == [True, True, True, False]
    with at(START + HOUR):
        mail_quota.purge()
    with at(START + HOUR + DAY):
        assert _take(email, 4) == [True, True, True, False]


def test_a_clock_jump_keeps_no_mailbox_from_its_mails_and_bombs_none(app: Flask) -> None:
    for jump in JUMPS:
        check_slots(jump)
    email = f"ann{HOUR.total_seconds():.0f}@example.org"
    with at(START + HOUR + DAY, -HOUR):  # set back by an hour, the slots of before still bind
        mail_quota.purge()
        assert _take(email, 1) == [False]
    done = f"a mailbox is full while the clock jumps {JUMPED_BY}"
    note("R10", database_of(app), done, "free again a day after the next tidying")


def test_slots_that_are_never_mended_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_quota, "purge", lambda: None)
    with pytest.raises(AssertionError):
        check_slots(2 * DAY)


def test_a_waiting_time_begun_by_a_clock_that_was_ahead_starts_again(campaign: PublicCampaign) -> None:
    with at(START, DAY):
        wait = proof_of_work.ask(campaign.id).wait
    with at(START):
        again = proof_of_work.ask(campaign.id, "", wait)
    assert again.seconds == proof_of_work.WAIT_SECONDS
    assert again.wait != wait


# Retention


def check_retention_refuses(campaign: PublicCampaign, jump: timedelta) -> None:
    """While the clock is wrong, nothing expires and nobody is erased; afterwards retention works again."""
    with at(START):
        retention.trust_clock()
        sign(campaign, ANN)
        assert retention.run().clock == Clock.TRUSTED
    with at(START + MINUTE, jump):
        for _ in range(3):
            done = retention.run()
            assert done.clock in (Clock.JUMPED, Clock.EARLIER)
        assert newest(Signer).erased_at is None
        assert {row.state for row in rows(Signature)} == {"pending"}
    with at(START + HOUR):
        assert retention.run().clock == Clock.TRUSTED
    assert miscounts() == []


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_retention_refuses_while_the_clock_is_untrusted(app: Flask, campaign: PublicCampaign, jump: timedelta) -> None:
    check_retention_refuses(campaign, jump)
    note("R10", database_of(app), f"retention after a jump {JUMPED_BY}", "refuses, and goes on when the clock is right")


def test_a_retention_that_accepts_every_clock_is_noticed(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "judged", lambda *_: Clock.TRUSTED)
    with pytest.raises(AssertionError):
        check_retention_refuses(campaign, 400 * DAY)
