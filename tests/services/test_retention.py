"""Retention: data is erased when it is due and not before, whatever the clock does; the counts stay."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import update

from petitions.clock import LONG_AGO, STOPPED, Boot, now, stopped_at
from petitions.db.transactions import transaction
from petitions.domain.retention import AFTER_DELIVERY, AFTER_END, MAIL_LIFETIME, PENDING_LIFETIME, Clock
from petitions.domain.states import SignatureState
from petitions.errors import CampaignRunning, LinkUnknown, NotFound
from petitions.models import Campaign, Count, Mark, Message, Signature, Signer
from petitions.queries import retention as rules
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign, catalogue
from petitions.services import ledger
from petitions.services.keys.keyring import keyring
from petitions.services.operations import restore
from petitions.services.privacy import retention
from petitions.services.signatures import signatures
from petitions.services.signing import confirming
from tests.support.factories import (
    ANN,
    BOB,
    EVE,
    Person,
    confirm,
    dump,
    make_campaign,
    miscounts,
    newest,
    rows,
    sign,
    token_of,
)

pytestmark = pytest.mark.usefixtures("context")

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NUMBERS = ("pending", "held", "confirmed", "withdrawn", "invalidated", "expired")


@pytest.fixture(autouse=True)
def _known_clock(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock was checked before: these tests begin with a trusted clock."""
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    with stopped_at(START):
        retention.trust_clock()


def run_at(moment: datetime, **machine: Any) -> retention.RunSummary:
    """The hourly run, at that moment."""
    with stopped_at(moment, **machine):
        return retention.run()


def close(at: datetime, slug: str = "water-2026") -> None:
    """Let the campaign end at that moment."""
    with transaction() as store:
        store.execute(update(Campaign).where(Campaign.slug == slug).values(closes_at=at, changed_at=now()))


def public(campaign: PublicCampaign) -> PublicCampaign:
    """The campaign as visitors see it now."""
    CATALOGUE_CACHE.of().forget()
    return catalogue().campaign(campaign.slug)


def has_key(slug: str) -> bool:
    """Whether the campaign's signers can still be compared."""
    return (keyring().instance / "campaign-keys" / slug).exists()


def states() -> list[str]:
    """Of all signatures."""
    return [row.state for row in rows(Signature)]


def known() -> list[bool]:
    """Whether each signer is still known."""
    return [row.sealed is not None for row in rows(Signer)]


def history() -> dict[datetime, tuple[int, ...]]:
    """What the hourly counts say."""
    hours: dict[datetime, tuple[int, ...]] = {}
    for row in rows(Count):
        before = hours.get(row.hour_at, (0,) * len(NUMBERS))
        hours[row.hour_at] = tuple(n + getattr(row, name) for n, name in zip(before, NUMBERS, strict=True))
    return hours


def test_the_words_of_the_mail_and_of_retention_agree() -> None:
    assert confirming.LINK_LIFETIME == PENDING_LIFETIME
    assert timedelta(days=365) >= AFTER_END > AFTER_DELIVERY


def test_what_waits_expires_when_its_link_does(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        sign(campaign, ANN)
        token = token_of(newest(Signer).id)
    edge = START + PENDING_LIFETIME
    assert run_at(edge).expired == 0
    with stopped_at(edge):
        assert confirming.open_link(token).pending

    done = run_at(edge + SECOND)
    assert (done.expired, done.erased) == (3, 1)
    assert states() == ["expired"] * 3
    assert {row.expired_at for row in rows(Signature)} == {LONG_AGO}, "that it expired stays, when goes"
    assert known() == [False]
    assert miscounts() == []


def test_expiring_is_counted_in_its_own_hour_and_no_other(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        sign(campaign, ANN, "river")
    before = history()
    moment = START + 20 * DAY
    run_at(moment)
    assert history() == {**before, moment: (-1, 0, 0, 0, 0, 1)}


def test_asking_once_more_gives_another_fourteen_days(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        sign(campaign, ANN)
    with stopped_at(START + 10 * DAY):
        sign(campaign, ANN)
    run_at(START + 15 * DAY)
    assert states() == ["pending"] * 3
    run_at(START + 25 * DAY)
    assert states() == ["expired"] * 3


def test_an_expired_signer_can_sign_again_as_a_new_one(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        sign(campaign, ANN)
    run_at(START + 15 * DAY)
    sign(campaign, ANN)
    assert known() == [False, True]
    assert states() == ["expired"] * 3 + ["pending"] * 3


def test_a_signer_with_one_confirmed_case_is_kept_when_the_others_expire(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        confirm(campaign, ANN, "river")
        sign(campaign, ANN, "lake")
        sign(campaign, BOB, "lake")
    run_at(START + 15 * DAY)
    assert sorted(states()) == ["confirmed", "expired", "expired"]
    assert known() == [True, False]


def _put(signer: int, state: SignatureState) -> None:
    if state != SignatureState.PENDING:
        with transaction() as store:
            signatures.move(store.connection(), [signer], SignatureState.PENDING, state, now())


@pytest.mark.parametrize("is_confirmed", [True, False])
@pytest.mark.parametrize("news", [True, False])
@pytest.mark.parametrize("state", list(SignatureState))
def test_every_state_at_fourteen_days_and_at_the_end(
    campaign: PublicCampaign, state: SignatureState, news: bool, is_confirmed: bool
) -> None:
    with stopped_at(START):
        sign(campaign, ANN, newsletter=news)
        _put(newest(Signer).id, state)
        if is_confirmed:
            with transaction() as store:
                store.execute(update(Signer).values(confirmed_at=START))
    close(START + DAY)
    after = "expired" if state == "pending" else state

    run_at(START + 16 * DAY)
    assert states() == [after] * 3
    counts_on = state in ("held", "confirmed") or (is_confirmed and (news or state == "invalidated"))
    assert known() == [counts_on]
    assert miscounts() == []

    before = history()
    run_at(START + DAY + AFTER_END + SECOND)
    assert known() == [False]
    assert states() == [after] * 3
    assert history() == before
    assert not has_key(newest(Campaign).slug)
    assert miscounts() == []


def test_what_was_taken_back_lately_can_still_be_looked_at(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        confirm(campaign, ANN)
    with stopped_at(START + 20 * DAY), transaction() as store:
        connection = store.connection()
        signatures.move(connection, [newest(Signer).id], SignatureState.CONFIRMED, SignatureState.WITHDRAWN, now())
    run_at(START + 30 * DAY)
    assert known() == [True]
    run_at(START + 34 * DAY + SECOND)
    assert known() == [False]


def test_names_go_thirty_days_after_the_delivery_and_the_key_with_them(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        token = confirm(campaign, ANN)
        confirm(campaign, EVE)
    close(START + DAY)
    with stopped_at(START + 5 * DAY):
        retention.record_delivery(campaign.slug)
    over = START + 5 * DAY + AFTER_DELIVERY
    before = history()

    run_at(over - SECOND)
    assert known() == [True, True]
    with stopped_at(over - SECOND):
        assert public(campaign).erased_by == over
    done = run_at(over)
    assert (done.erased, done.keys) == (2, 1)
    assert known() == [False, False]
    assert (has_key(newest(Campaign).slug), newest(Campaign).erased_at) == (False, over)
    assert states() == ["confirmed"] * 6
    assert history() == before
    assert miscounts() == []
    with pytest.raises(LinkUnknown):
        confirming.open_link(token)
    assert run_at(over + HOUR).keys == 0


def test_a_second_click_does_not_put_the_date_off(campaign: PublicCampaign) -> None:
    close(START)
    for days in (1, 9):
        with stopped_at(START + days * DAY):
            retention.record_delivery(campaign.slug)
    assert newest(Campaign).handed_over_at == START + DAY


def test_a_second_click_on_a_campaign_without_a_date_does_not_either(app: Flask, tmp_path: Path) -> None:
    with stopped_at(START):
        make_campaign(app, tmp_path / "over", slug="over", state='"closed"')
    for days in (1, 9):
        with stopped_at(START + days * DAY):
            retention.record_delivery("over")
    assert newest(Campaign).handed_over_at == START + DAY


def test_a_delivery_while_people_sign_is_refused(campaign: PublicCampaign) -> None:
    with pytest.raises(CampaignRunning):
        retention.record_delivery(campaign.slug)
    with pytest.raises(NotFound):
        retention.record_delivery("nowhere")
    assert newest(Campaign).handed_over_at is None


def test_a_delivery_of_an_earlier_end_does_not_erase_those_who_signed_later(campaign: PublicCampaign) -> None:
    close(START)
    with stopped_at(START + DAY):
        retention.record_delivery(campaign.slug)
    close(START + 60 * DAY)  # it was opened once more
    with stopped_at(START + 20 * DAY):
        confirm(campaign, ANN)
    run_at(START + 61 * DAY)
    assert known() == [True]


def test_a_delivery_can_be_taken_back(campaign: PublicCampaign) -> None:
    close(START)
    with stopped_at(START + DAY):
        retention.record_delivery(campaign.slug)
        retention.undo_delivery(campaign.slug)
    assert newest(Campaign).handed_over_at is None


@pytest.mark.parametrize("state", ["closed", "archived", "draft"])
def test_without_a_closing_date_the_year_begins_when_it_was_seen_closed(
    app: Flask, campaign: PublicCampaign, tmp_path: Path, state: str
) -> None:
    with stopped_at(START):
        confirm(campaign, ANN)
    run_at(START + 400 * DAY)
    assert known() == [True], "it is open, and has no end"
    with transaction() as store:
        store.execute(update(Campaign).values(state=state))
    seen = START + 401 * DAY
    run_at(seen)
    with suppress(NotFound):  # the last line of make_campaign, for a draft; a change of its texts prolongs nothing
        make_campaign(app, tmp_path / "again", state=f'"{state}"', goal="7")
    run_at(seen + AFTER_END - SECOND)
    assert known() == [True]
    run_at(seen + AFTER_END)
    assert known() == [False]


def test_reopening_a_campaign_forgets_that_it_was_closed(campaign: PublicCampaign) -> None:
    for days, state in ((1, "closed"), (2, "open"), (3, "open")):
        with transaction() as store:
            store.execute(update(Campaign).values(state=state))
        run_at(START + days * DAY)
    assert [row for row in rows(Mark) if row.kind == "closed"] == []


def test_a_wrong_closing_date_erases_nobody_who_signed_after_it(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        confirm(campaign, ANN)
    close(datetime(2016, 12, 31, tzinfo=UTC))
    run_at(START + DAY)
    assert known() == [True]
    assert has_key(newest(Campaign).slug)


def test_the_key_of_a_campaign_that_nobody_signed_is_kept(campaign: PublicCampaign) -> None:
    close(datetime(2016, 12, 31, tzinfo=UTC))
    run_at(START + DAY)
    assert has_key(newest(Campaign).slug)


def test_one_campaign_is_erased_and_the_other_is_not(app: Flask, campaign: PublicCampaign, tmp_path: Path) -> None:
    other = make_campaign(app, tmp_path / "other", slug="other")
    with stopped_at(START):
        confirm(campaign, ANN)
        confirm(other, ANN)
    close(START + DAY)
    run_at(START + DAY + AFTER_END)
    assert known() == [False, True]
    assert [has_key(row.slug) for row in rows(Campaign)] == [False, True]


def test_no_mail_says_whom_it_is_for_after_three_days(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        sign(campaign, ANN)
    run_at(START + MAIL_LIFETIME)
    assert newest(Message).payload is not None
    assert run_at(START + MAIL_LIFETIME + SECOND).mails == 1
    assert rows(Message) == []


def test_the_dry_numbers_are_what_the_run_then_does(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        sign(campaign, ANN)
        confirm(campaign, EVE, "river")
        confirm(campaign, Person("Ida", "Lee", "ida@example.org"))
        with transaction() as store:
            store.execute(update(Signer).where(Signer.id == newest(Signer).id).values(newsletter=True))
    moment = START + 15 * DAY
    before = dump()
    [plan] = rules.plans(moment)
    said = rules.work(plan, moment)
    assert dump() == before
    assert (said.stored, said.expiring, said.forgetting, said.due, said.mails) == (3, 3, 1, 0, 3)
    assert said.never_exported == 1
    done = run_at(moment)
    assert (done.expired, done.erased, done.mails) == (3, 1, 2)  # one of the three mails went with its reader

    retention.note_export(campaign.slug, START + DAY)
    assert rules.work(plan, moment).never_exported == 0
    close(START)
    late = START + AFTER_END
    [plan] = rules.plans(late)
    assert rules.work(plan, late).due == 2 == run_at(late).erased


def test_interrupted_at_any_batch_it_goes_on_where_it_stopped(
    campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stopped_at(START):
        for number in range(7):
            sign(campaign, Person(f"P{number}", "Lee", f"p{number}@example.org"), "river")
        confirm(campaign, ANN, "river")
    close(START + DAY)
    monkeypatch.setattr(retention, "BATCH", 2)

    class Ends:
        """Ends the run before its batch number `most`."""

        def __init__(self, most: int) -> None:
            self.asked, self.most = count(), most

        def wait(self, _seconds: float) -> bool:
            return next(self.asked) >= self.most

    gone = []
    with stopped_at(START + DAY + AFTER_END):
        for _ in range(6):
            retention.run(Ends(2))  # type: ignore[arg-type]
            assert miscounts() == []
            gone.append(known().count(False))
            assert (not has_key(newest(Campaign).slug)) == (gone[-1] == 8)
        retention.run()
    assert gone[0] == 4, "two batches of two"
    assert known() == [False] * 8
    assert sorted(states()) == ["confirmed"] + ["expired"] * 7
    assert not has_key(newest(Campaign).slug)


def test_a_batch_that_fails_leaves_all_as_it_was(campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch) -> None:
    with stopped_at(START):
        sign(campaign, ANN)
    before = dump("marks.at")

    def fail(*_: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(retention, "erase_signers", fail)
    with pytest.raises(OSError, match="no space"):
        run_at(START + 13 * DAY + 47 * HOUR)
    assert dump("marks.at") == before


def test_erasing_the_same_people_from_two_servers_at_once(app: Flask, campaign: PublicCampaign) -> None:
    with stopped_at(START):
        for number in range(20):
            sign(campaign, Person(f"P{number}", "Lee", f"p{number}@example.org"), "river")
    with stopped_at(START + 15 * DAY):
        threads = [threading.Thread(target=lambda: _run_in(app)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        retention.run()
    assert states() == ["expired"] * 20
    assert known() == [False] * 20
    assert len(list(ledger.lines())) == 20
    assert miscounts() == []


def _run_in(app: Flask) -> None:
    with app.app_context():
        retention.run()


def test_the_key_comes_back_with_a_backup_and_is_destroyed_again(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        confirm(campaign, ANN)
    close(START + DAY)
    path = keyring().instance / "campaign-keys" / campaign.slug
    wrapped = path.read_bytes()
    run_at(START + DAY + AFTER_END)
    path.write_bytes(wrapped)
    with transaction() as store:
        store.execute(update(Campaign).values(erased_at=None))
    with stopped_at(START + DAY + AFTER_END + HOUR):
        restore.replay()
    assert not has_key(campaign.slug)
    assert newest(Campaign).erased_at is not None


def test_nobody_who_signed_meanwhile_loses_anything_by_a_replay(campaign: PublicCampaign) -> None:
    with stopped_at(START):
        confirm(campaign, ANN)
    with transaction() as store:
        line = {"what": ledger.KEY_DESTROYED, "campaign": campaign.slug}
        ledger.append(store.connection(), [line], START)
    restore.replay()
    assert has_key(newest(Campaign).slug)
    assert known() == [True]


# The clock


def jumped(by: timedelta, moment: datetime) -> retention.RunSummary:
    """A run at `moment` after the clock was set by `by`: the same machine seems to have started later."""
    return run_at(moment, machine=Boot(STOPPED.id, STOPPED.began_at + by))


@pytest.fixture
def old_entry(campaign: PublicCampaign) -> PublicCampaign:
    """Something that would be erased, once it is 14 days older."""
    with stopped_at(START):
        sign(campaign, ANN)
    return campaign


@pytest.mark.parametrize("by", [15 * DAY, 400 * DAY, 3650 * DAY])
def test_nothing_is_erased_while_the_clock_jumped(old_entry: PublicCampaign, by: timedelta) -> None:
    before = dump()
    for hours in range(5):  # and not later either: the run asks again each hour
        assert jumped(by, START + by + hours * HOUR).clock == Clock.JUMPED
    assert dump() == before
    assert run_at(START + 6 * HOUR).clock == Clock.TRUSTED, "the clock was set right again"
    assert states() == ["pending"] * 3


@pytest.mark.parametrize("by", [DAY, HOUR, 11 * timedelta(minutes=1)])
def test_a_small_jump_forward_is_noticed_too(old_entry: PublicCampaign, by: timedelta) -> None:
    edge = START + PENDING_LIFETIME - timedelta(minutes=1)
    assert run_at(edge).clock == Clock.TRUSTED
    assert jumped(by, edge + by).clock == Clock.JUMPED
    assert states() == ["pending"] * 3


@pytest.mark.parametrize("by", [DAY, HOUR, 3650 * DAY])
def test_an_earlier_clock_erases_nothing_and_spoils_nothing(old_entry: PublicCampaign, by: timedelta) -> None:
    before = dump()
    assert jumped(-by, START - by).clock == Clock.EARLIER
    assert run_at(START - by, machine=Boot("another start", START - by - HOUR)).clock == Clock.EARLIER
    assert dump() == before
    assert run_at(START + 15 * DAY).expired == 3


def test_a_clock_that_is_set_right_by_minutes_is_accepted(old_entry: PublicCampaign) -> None:
    assert jumped(timedelta(minutes=9), START + HOUR).clock == Clock.TRUSTED
    assert run_at(START + HOUR - timedelta(minutes=9)).clock == Clock.TRUSTED


def test_a_restart_within_two_days_is_no_reason_to_wait(old_entry: PublicCampaign) -> None:
    later = START + 47 * HOUR
    assert run_at(later, machine=Boot("second", later - HOUR)).clock == Clock.TRUSTED


def test_after_a_longer_pause_the_clock_must_run_true_for_an_hour(old_entry: PublicCampaign) -> None:
    later = START + 20 * DAY
    second = Boot("second", later - timedelta(minutes=5))
    for minutes in (0, 30, 59):
        done = run_at(later + timedelta(minutes=minutes), machine=second)
        assert (done.clock, done.expired) == (Clock.WAITING, 0)
    assert run_at(later + HOUR, machine=second).expired == 3


def test_a_start_with_a_wrong_clock_that_is_set_right_later_starts_the_hour_again(old_entry: PublicCampaign) -> None:
    wrong = START + 400 * DAY
    machine = Boot("second", wrong - timedelta(minutes=1))
    assert run_at(wrong, machine=machine).clock == Clock.WAITING
    right = START + 2 * DAY + HOUR
    machine = Boot("second", machine.began_at - (wrong - right) + HOUR)
    assert run_at(right + HOUR, machine=machine).clock == Clock.WAITING
    assert run_at(right + HOUR + timedelta(minutes=59), machine=machine).clock == Clock.WAITING
    assert run_at(right + 2 * HOUR, machine=machine).clock == Clock.TRUSTED
    assert states() == ["pending"] * 3


def test_the_very_first_run_only_looks(old_entry: PublicCampaign) -> None:
    with transaction() as store:
        store.execute(Mark.__table__.delete())
    later = START + 20 * DAY
    assert run_at(later).clock == Clock.WAITING
    assert run_at(later + HOUR).expired == 3


def test_a_person_can_say_that_the_clock_is_right(old_entry: PublicCampaign) -> None:
    later = START + 20 * DAY
    machine = Boot(STOPPED.id, STOPPED.began_at + 20 * DAY)
    assert run_at(later, machine=machine).clock == Clock.JUMPED
    with stopped_at(later, machine):
        retention.trust_clock()
        assert rules.clock_state() == Clock.TRUSTED
        assert retention.run().expired == 3


def test_an_untrusted_clock_is_logged(old_entry: PublicCampaign, caplog: pytest.LogCaptureFixture) -> None:
    jumped(15 * DAY, START + 15 * DAY)
    assert "retention waits clock=jumped" in caplog.text


@pytest.mark.parametrize("moment", ["2026-10-25T02:30", "2026-03-29T02:30"], ids=["back", "forward"])
def test_summer_time_neither_hastens_nor_delays(app: Flask, campaign: PublicCampaign, moment: str) -> None:
    here = ZoneInfo("Europe/Luxembourg")
    signed = datetime.fromisoformat(moment).replace(tzinfo=here).astimezone(UTC) - PENDING_LIFETIME
    with transaction() as store:
        store.execute(Mark.__table__.delete())
    with stopped_at(signed):
        retention.trust_clock()
        sign(campaign, ANN)
    with stopped_at((signed + PENDING_LIFETIME).astimezone(here)):
        assert retention.run().expired == 0
    with stopped_at((signed + PENDING_LIFETIME + SECOND).astimezone(here)):
        assert retention.run().expired == 3


def test_the_public_date_is_known_as_soon_as_an_end_is(campaign: PublicCampaign) -> None:
    assert campaign.erased_by is None
    close(START)
    with stopped_at(START - DAY):
        assert public(campaign).erased_by == START + AFTER_END
