"""R8: the mail server may be unreachable for hours: nothing is lost, and almost nothing is sent twice.

Each promise is a function that checks it. It is called with the correct code, and with a small wrong change, which it
must detect: a check that cannot fail proves nothing.
"""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from petitions import sending
from petitions.clock import now, stopped_at
from petitions.db.transactions import reading, transaction, write_queue
from petitions.mail import transports
from petitions.models import Message, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.sending import send_due
from petitions.services.mailing import outbox
from petitions.settings import SETTINGS
from tests.support.crowds import crowd, database_of, sign_all
from tests.support.effort import IS_LONG, effort, note
from tests.support.factories import ANN, BOB, EVE, Keys, close_app, make_app, miscounts, rows, sign
from tests.support.ports import free_port
from tests.support.smtp import MailServer, mail_server

pytestmark = pytest.mark.usefixtures("context")

NO_LIMIT = 10**6  # mails in a minute
# What a mood does to the server, and what the outbox then holds of a mail
MOODS: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "refuses connections": ({}, ("queued", "ConnectionRefusedError")),
    "busy": ({"answer_all": "450 busy"}, ("queued", "smtp_450")),
    "no room after the mail": ({"after_data": "452 full"}, ("queued", "smtp_452")),
    "no such mailbox": ({"answer_all": "550 unknown"}, ("failed", "smtp_550")),
    "hangs up": ({"hangs_up": True}, ("queued", "SMTPServerDisconnected")),
    "takes it and drops the connection": ({"drops": True}, ("queued", "SMTPServerDisconnected")),
    "hangs": ({"hangs": True}, ("queued", "SMTPServerDisconnected")),
}
PASSING = [mood for mood, (_, (state, _failure)) in MOODS.items() if state == "queued" and "takes" not in mood]


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server that is well, so far."""
    with mail_server() as running:
        yield running


@pytest.fixture
def servers(app: Flask, server: MailServer, database_url: str, tmp_path: Path, keys: Keys) -> Iterator[list[Flask]]:
    """Two servers of ours on one database, which send to `server`."""
    other = make_app(database_url, tmp_path, keys)
    for each in (app, other):
        send_to(each, server.url)
    yield [app, other]
    close_app(other)


def send_to(app: Flask, url: str) -> None:
    """Give `app` another mail server, and no limit."""
    chosen = SETTINGS.of(app)
    SETTINGS.put(app, replace(chosen, mail_url=url, mail_per_minute=NO_LIMIT))


def set_mood(app: Flask, server: MailServer, mood: str) -> None:
    """Let the mail server be as `mood` says."""
    fields, _ = MOODS.get(mood, ({}, None))
    server.answer_all, server.after_data = "", "250 OK"
    server.hangs_up = server.drops = server.hangs = False
    for name, value in fields.items():
        setattr(server, name, value)
    send_to(app, f"smtp://127.0.0.1:{free_port()}" if mood == "refuses connections" else server.url)


def drain(apps: list[Flask], senders: int = 4) -> None:
    """Send with several senders at once, until nothing is due any more. Some may die on the way."""
    raised: list[BaseException] = []

    def work(app: Flask) -> None:
        with app.app_context():
            try:
                while send_due():
                    pass
            except SystemExit:
                pass
            except BaseException as exc:
                raised.append(exc)

    threads = [threading.Thread(target=work, args=[app]) for app in (apps * senders)[:senders]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()  # however long it takes: twenty thousand mails are many
    assert raised == []


def arrivals(server: MailServer) -> dict[str, list[str]]:
    """The Message-IDs that came for each recipient."""
    found: dict[str, list[str]] = {}
    for number, address in enumerate(server.recipients):
        head = bytes(server.mails[number].content or b"").partition(b"\r\n\r\n")[0].decode("ascii")
        [line] = [line for line in head.split("\r\n") if line.lower().startswith("message-id:")]
        found.setdefault(address, []).append(line)
    return found


def waiting() -> int:
    """How many mails were not sent yet."""
    with reading() as connection:
        asked = select(func.count(Message.id)).where(Message.kind == "confirm", Message.state == "queued")
        return int(connection.scalar(asked) or 0)


# Signing goes on


def check_signing_goes_on(app: Flask, campaign: PublicCampaign, server: MailServer, patience: float) -> None:
    """While an e-mail hangs in the mail server, a signature is acknowledged."""
    sign(campaign, EVE)
    server.gate = gate = threading.Event()
    server.under_way.clear()

    def signs() -> None:
        with app.app_context():
            sign(campaign, ANN)
            sign(campaign, BOB)

    def sends() -> None:
        with app.app_context():
            send_due()

    sender, signer = threading.Thread(target=sends), threading.Thread(target=signs)
    sender.start()
    try:
        assert server.under_way.wait(20)
        signer.start()
        signer.join(patience)
        assert not signer.is_alive(), "signing waits for the mail server"
        assert sender.is_alive()
    finally:
        gate.set()
        sender.join(20)
        signer.join(20)
    assert miscounts() == []


def test_signing_does_not_wait_for_a_mail_server_that_hangs(
    app: Flask, campaign: PublicCampaign, server: MailServer
) -> None:
    send_to(app, server.url)
    check_signing_goes_on(app, campaign, server, 20)


def test_a_worker_that_sends_while_it_holds_the_writers_queue_is_noticed(
    app: Flask, campaign: PublicCampaign, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_to(app, server.url)
    honest = transports._Smtp.send  # noqa: SLF001 - a seeded bug replaces it

    def holding(self: Any, message: Any) -> None:
        def handle(_connection: Any, items: Any) -> list[None]:
            return [honest(self, item) for item in items]  # type: ignore[func-returns-value]

        write_queue().submit(handle, message)

    monkeypatch.setattr(transports._Smtp, "send", holding)  # noqa: SLF001 - a seeded bug replaces it
    with pytest.raises(AssertionError, match="signing waits"):
        check_signing_goes_on(app, campaign, server, 0.5)


@pytest.mark.parametrize("mood", MOODS)
def test_whatever_the_mail_server_does_everybody_is_recorded_and_no_mail_is_lost(
    app: Flask, campaign: PublicCampaign, server: MailServer, monkeypatch: pytest.MonkeyPatch, mood: str
) -> None:
    monkeypatch.setattr(transports, "SMTP_TIMEOUT", 0.2)
    set_mood(app, server, mood)
    number = effort(6, 60)
    people, moment = crowd(number), now()
    with stopped_at(moment):
        sign_all(campaign, people[: number // 2], "river")
        drain([app], 1)
        sign_all(campaign, people[number // 2 :], "river")
        drain([app], 1)
    assert len(rows(Signer)) == number
    assert miscounts() == []
    assert {(row.state, row.failure, row.payload is None) for row in rows(Message)} == {
        (*MOODS[mood][1], MOODS[mood][1][0] == "failed")
    }
    already = Counter(server.recipients)
    assert already.total() == 0 or mood.startswith("takes")

    set_mood(app, server, "well")
    with stopped_at(moment + outbox.FIRST_RETRY):
        drain([app], 2)
    final = Counter(server.recipients) - already
    expected = {} if mood == "no such mailbox" else dict.fromkeys((person.email for person in people), 1)
    assert final == expected
    assert {len(set(each)) for each in arrivals(server).values()} <= {1}, "a mail keeps its Message-ID"
    note("R8", database_of(app), f"{number} sign, mail server {mood}", "0 lost, signing unaffected")


# Everything leaves, once


def check_all_leave_once(
    servers: list[Flask], campaign: PublicCampaign, server: MailServer, number: int, moods: list[str]
) -> None:
    """The server is unwell in each way for a while; then all leave, each to its recipient, once."""
    people, moment = crowd(number), now()
    with stopped_at(moment):
        sign_all(campaign, people, "river")
    for mood in moods:
        for app in servers:
            set_mood(app, server, mood)
        with stopped_at(moment), pytest.MonkeyPatch.context() as patch:
            patch.setattr(transports, "SMTP_TIMEOUT", 0.2)
            for _ in range(3):
                send_due()
        moment += timedelta(hours=1)
    for app in servers:
        set_mood(app, server, "well")
    with stopped_at(moment), pytest.MonkeyPatch.context() as patch:
        patch.setattr(transports, "SMTP_TIMEOUT", 3600)
        server.gate = gate = threading.Event()  # one sender is slow: the others must not take what it holds
        first = threading.Thread(target=lambda: drain(servers, 1))
        server.under_way.clear()
        first.start()
        while first.is_alive() and not server.under_way.wait(0.05):
            pass
        try:
            drain(servers)
        finally:
            gate.set()
            first.join()
        drain(servers, 1)
    assert Counter(server.recipients) == Counter(person.email for person in people)
    assert waiting() == 0


def test_all_that_waited_leaves_once_when_the_mail_server_is_well_again(
    servers: list[Flask], campaign: PublicCampaign, server: MailServer
) -> None:
    number = effort(50, 20_000)
    check_all_leave_once(servers, campaign, server, number, PASSING)
    done = f"{number} mails wait while the mail server is unwell in {len(PASSING)} ways, then 5 senders on 2 servers"
    note("R8", database_of(servers[0]), done, "all arrived, 0 lost, 0 double")


def careless_lease(most: int) -> list[outbox.Leased]:
    """The lease that nobody checks."""
    with transaction() as store:
        store.execute(update(Message).values(leased_until=None))
    return HONEST_LEASE(most)


HONEST_LEASE = outbox.lease
BUGS: dict[str, tuple[str, Callable[..., Any]]] = {
    "a lease that is not checked": ("lease", careless_lease),
    "a delay that forgets": ("mark_delayed", lambda leased, failure: outbox.mark_failed(leased.id, failure)),
    "a delay that believes it was sent": ("mark_delayed", lambda leased, _failure: outbox.mark_sent(leased)),
    "a mail that is not marked": ("mark_sent", lambda leased: outbox.release([leased])),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_worker_that_loses_or_doubles_is_noticed(
    servers: list[Flask], campaign: PublicCampaign, server: MailServer, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    name, wrong = BUGS[bug]
    if name == "mark_sent":  # would go round for ever: it may do so a few times
        honest, left = outbox.mark_sent, iter(range(50))
        wrong = lambda leased: outbox.release([leased]) if next(left, None) is not None else honest(leased)  # noqa: E731
    monkeypatch.setattr(outbox, name, wrong)
    with pytest.raises(AssertionError):
        check_all_leave_once(servers, campaign, server, 24, ["busy"])


# Senders that die


def check_crashes(
    servers: list[Flask], campaign: PublicCampaign, server: MailServer, number: int, crashes: int
) -> None:
    """Senders die between the accepted mail and its mark; each death doubles one mail at most, under its old name."""
    people, moment = crowd(number), now()
    doomed = set(random.Random(8).sample(range(number), crashes))  # noqa: S311
    honest, seen, lock = outbox.mark_sent, iter(range(10**9)), threading.Lock()

    def die(leased: outbox.Leased) -> None:
        with lock:
            place = next(seen)
        if place in doomed:
            raise SystemExit
        honest(leased)

    with stopped_at(moment):
        sign_all(campaign, people, "river")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(outbox, "mark_sent", die)
        rounds = 0
        while waiting():
            with stopped_at(moment):
                drain(servers)
            moment += outbox.LEASE
            rounds += 1
            assert rounds <= crashes + 5, "mails stay behind"
    came = arrivals(server)
    assert sorted(came) == sorted(person.email for person in people), "none is lost"
    doubles = sum(len(each) - 1 for each in came.values())
    assert doubles <= crashes, f"{doubles} doubles for {crashes} crashes"
    assert {len(set(each)) for each in came.values()} == {1}, "a mail keeps its Message-ID"
    done = f"{number} mails, {crashes} senders die between the accepted mail and its mark"
    note("R8", database_of(servers[0]), done, f"0 lost, {doubles} double, Message-ID stable")


def test_each_sender_that_crashes_doubles_one_mail_at_most(
    servers: list[Flask], campaign: PublicCampaign, server: MailServer
) -> None:
    check_crashes(servers, campaign, server, effort(40, 2_000), effort(4, 100))


@pytest.mark.parametrize("bug", ["a Message-ID made fresh", "a mark that is forgotten at times"])
def test_a_worker_that_doubles_more_or_under_another_name_is_noticed(
    servers: list[Flask], campaign: PublicCampaign, server: MailServer, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    honest, mark, calls = sending.compose, outbox.mark_sent, iter(range(10**9))

    def fresh(*given: Any, **facts: Any) -> Any:
        return honest(*given, **{**facts, "message_id": uuid.uuid4().hex})

    def mark_at_times(leased: outbox.Leased) -> None:
        if next(calls) % 4:
            mark(leased)

    if bug == "a Message-ID made fresh":
        monkeypatch.setattr(sending, "compose", fresh)
    else:
        monkeypatch.setattr(outbox, "mark_sent", mark_at_times)
    with pytest.raises(AssertionError, match="Message-ID" if "Message-ID" in bug else "double"):
        check_crashes(servers, campaign, server, 24, 2)


# Later and later


def check_back_off(app: Flask, campaign: PublicCampaign, server: MailServer) -> None:
    """The tries of a mail to a busy server are 1, 2, 4 … minutes apart, an hour at most, for three days."""
    begun = now()
    with stopped_at(begun):
        sign(campaign, EVE)
    server.answer_all = "450 busy"
    last = 72 * 60 + 3  # minutes; then it is given up
    hourly = range(123, last + 1, 60) if IS_LONG else (123, 183, 243, last - 60, last)
    tries = [0, 1, 3, 7, 15, 31, 63, *hourly]
    for minute in sorted({*tries, *(minute - 1 for minute in (*tries[2:10], last)), last + 60}):
        with stopped_at(begun + timedelta(minutes=minute)):
            assert bool(send_due()) == (minute in tries), f"minute {minute}"
    assert {(row.state, row.payload) for row in rows(Message)} == {("failed", None)}


def test_a_busy_server_is_asked_after_a_minute_then_half_as_often_each_time_up_to_an_hour_for_three_days(
    app: Flask, campaign: PublicCampaign, server: MailServer
) -> None:
    send_to(app, server.url)
    check_back_off(app, campaign, server)
    found = "asked again after 1 min, doubling to 1 h, then given up"
    note("R8", database_of(app), "three days of a busy mail server, by an injected clock", found)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("LONGEST_RETRY", timedelta(hours=2)),
        ("FIRST_RETRY", timedelta(minutes=2)),
        ("GIVE_UP_AFTER", timedelta(hours=6)),
    ],
)
def test_another_pace_is_noticed(
    app: Flask,
    campaign: PublicCampaign,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    wrong: timedelta,
) -> None:
    send_to(app, server.url)
    monkeypatch.setattr(outbox, name, wrong)
    with pytest.raises(AssertionError):
        check_back_off(app, campaign, server)


# Addresses


def check_addresses_are_wiped(app: Flask, campaign: PublicCampaign, server: MailServer) -> None:
    """One mail is sent and later reminded of, one is refused for good, one is never answered: all are forgotten."""
    sent, refused, unanswered = crowd(3)
    begun = now()
    with stopped_at(begun):
        sign_all(campaign, [sent, refused, unanswered], "river")
    server.refused = {refused.email: "550 unknown", unanswered.email: "450 busy"}
    for hours in (0, 1, 72, 73):
        with stopped_at(begun + timedelta(hours=hours)):
            drain([app], 1)
    assert server.recipients == [sent.email] * 2, "the mail and its reminder"
    assert [row.payload for row in rows(Message)] == [None] * 2, "what was sent leaves not even a row"


def test_an_address_is_forgotten_once_its_mail_is_sent_refused_or_given_up(
    app: Flask, campaign: PublicCampaign, server: MailServer
) -> None:
    send_to(app, server.url)
    check_addresses_are_wiped(app, campaign, server)
    note("R8", database_of(app), "mails sent, refused for good, and given up", "no address left in the outbox")


@pytest.mark.parametrize("bug", ["sent", "refused", "given up"])
def test_an_address_that_stays_is_noticed(
    app: Flask, campaign: PublicCampaign, server: MailServer, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    send_to(app, server.url)

    def keep(message: Any, *_: Any) -> None:
        """What should be wiped stays."""
        with transaction() as store:
            number = getattr(message, "id", message)
            store.execute(update(Message).where(Message.id == number).values(state="failed"))

    if bug == "given up":
        monkeypatch.setattr(outbox, "GIVE_UP_AFTER", timedelta(days=900))
    else:
        monkeypatch.setattr(outbox, {"sent": "mark_sent", "refused": "mark_failed"}[bug], keep)
    with pytest.raises(AssertionError):
        check_addresses_are_wiped(app, campaign, server)
