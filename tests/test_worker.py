"""The worker: each queued e-mail is sent once, in the reader's language, in spite of failures."""

import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from petitions import clock, sending, worker
from petitions.clock import now, stopped_at
from petitions.db.transactions import transaction
from petitions.mail.transports import connected
from petitions.models import Campaign, Limit, Message, Signer
from petitions.queries import board
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign
from petitions.sending import send_due
from petitions.services.keys.keyring import settings
from petitions.services.mailing import outbox
from petitions.services.signing import confirming, signing
from petitions.settings import SETTINGS
from petitions.worker import Worker
from tests.support.factories import (
    ANN,
    BASE_URL,
    BOB,
    EVE,
    Keys,
    Person,
    close_app,
    confirm,
    make_app,
    newest,
    rows,
    sign,
    token_of,
)
from tests.support.ports import free_port
from tests.support.smtp import MailServer, mail_server

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A friendly mail server."""
    with mail_server() as running:
        yield running


@pytest.fixture
def mailing(app: Flask, server: MailServer) -> MailServer:
    """The mail server that our application sends to."""
    send_to(app, server.url)
    return server


def send_to(app: Flask, url: str, **over: Any) -> None:
    """Give `app` another transport."""
    now_set = SETTINGS.of(app)
    SETTINGS.put(app, replace(now_set, mail_url=url, **over))


def delivered(folder: Path) -> list[EmailMessage]:
    """The mails in the folder of the `file:` transport."""
    files = sorted((folder / "mailbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in files]  # type: ignore[misc]


def text_of(message: EmailMessage) -> str:
    """What a plain reader sees."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def state() -> list[tuple[str, str | None, int, bool]]:
    """State, failure, attempts of each mail, and whether its address is there; a reminder to come was sent once."""
    return [
        ("sent", row.failure, row.attempts, False)
        if row.kind == "reminder" and row.state == "queued"
        else (row.state, row.failure, row.attempts, row.payload is not None)
        for row in rows(Message)
    ]


def test_a_signer_gets_a_mail_whose_first_link_confirms(campaign: PublicCampaign, tmp_path: Path) -> None:
    sign(campaign, ANN, "river", "lake", locale="en")
    token = token_of(newest(Signer).id)
    assert send_due() == 1

    [message] = delivered(tmp_path)
    text = text_of(message)
    assert message["To"] == ANN.email
    assert message["Subject"] == "Please confirm your 2 signatures"
    assert message["Content-Language"] == "en"
    assert re.findall(r"https?://\S+", text)[0] == f"{BASE_URL}/en/confirm/{token}"
    assert f"{BASE_URL}/en/water-2026/code" in text
    assert "Ann" not in text.replace(ANN.email, ""), (
        "the server does not know the name, and a stranger may have typed it"
    )
    assert "- The river (en)\n- The lake (en)" in text.replace("\r", "")
    code = re.search(r"\b(\d{3}) (\d{3})\b", text)
    assert code
    assert confirming.confirm_by_code(campaign, ANN.email, code[1] + code[2]) == token
    assert state() == []
    assert send_due() == 0


def test_a_signer_who_confirmed_already_is_shown_what_counts(campaign: PublicCampaign, tmp_path: Path) -> None:
    confirm(campaign, ANN)
    with stopped_at(now() + signing.RESEND_AFTER):
        sign(campaign, ANN)
        assert send_due() == 2
    repeat = delivered(tmp_path)[-1]
    assert "The river (fr)" in text_of(repeat)
    assert "/fr/mine/" in text_of(repeat)
    assert "code" not in text_of(repeat).partition("http")[2].partition("\n")[0]


def test_two_people_of_one_mailbox_get_a_link_each(campaign: PublicCampaign, mailing: MailServer) -> None:
    sign(campaign, ANN)
    sign(campaign, BOB)
    assert send_due() == 2
    links = {re.findall(r"https?://\S+", text_of(mailing.message(number)))[0] for number in (0, 1)}
    assert links == {f"{BASE_URL}/fr/confirm/{token_of(row.id)}" for row in rows(Signer)}
    assert mailing.recipients == [ANN.email, ANN.email]


def test_a_temporary_no_is_tried_again_with_the_same_message_id(campaign: PublicCampaign, mailing: MailServer) -> None:
    sign(campaign, ANN)
    mailing.refused[ANN.email] = "450 busy"
    moment = now()
    with stopped_at(moment):
        assert send_due() == 1
    assert state() == [("queued", "smtp_450", 1, True)]
    assert newest(Message).due_at == moment + outbox.FIRST_RETRY

    mailing.after_data = "451 later"
    mailing.refused.clear()
    with stopped_at(moment + outbox.FIRST_RETRY):
        assert send_due() == 1
    mailing.after_data = "250 OK"
    with stopped_at(moment + timedelta(hours=1)):
        assert send_due() == 1
    assert state() == [("sent", None, 3, False)]
    assert len(mailing.mails) == 1


def test_a_final_no_is_not_tried_again_and_the_address_is_forgotten(
    campaign: PublicCampaign, mailing: MailServer
) -> None:
    for person in (ANN, EVE):
        sign(campaign, person)
    mailing.refused[ANN.email] = "550 no such mailbox"
    assert send_due() == 2
    assert state() == [("failed", "smtp_550", 1, False), ("sent", None, 1, False)]
    with stopped_at(now() + timedelta(days=1)):
        assert send_due() == 0
    assert mailing.recipients == [EVE.email]


def test_a_server_that_is_away_delays_everything_and_loses_nothing(app: Flask, campaign: PublicCampaign) -> None:
    for person in (ANN, EVE):
        sign(campaign, person)
    send_to(app, f"smtp://127.0.0.1:{free_port()}")
    assert send_due() == 2
    assert state() == [("queued", "ConnectionRefusedError", 1, True)] * 2
    assert send_due() == 0, "not at once again"

    with mail_server() as server, stopped_at(now() + outbox.FIRST_RETRY):
        send_to(app, server.url)
        assert send_due() == 2
    assert sorted(server.recipients) == [ANN.email, EVE.email]
    assert state() == [("sent", None, 2, False)] * 2


def test_a_server_that_hangs_up_in_the_middle_is_a_delay(campaign: PublicCampaign, mailing: MailServer) -> None:
    sign(campaign, ANN)
    mailing.hangs_up = True
    assert send_due() == 1
    [(kind, failure, attempts, kept)] = state()
    assert (kind, attempts, kept) == ("queued", 1, True)
    assert failure == "SMTPServerDisconnected"


def test_a_mail_that_left_but_was_not_noted_leaves_again_under_the_same_name(
    campaign: PublicCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(campaign, ANN)
    moment = now()
    with monkeypatch.context() as crash, stopped_at(moment):
        crash.setattr(outbox, "mark_sent", lambda _id: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send_due()
    [first] = delivered(tmp_path)
    with stopped_at(moment + outbox.LEASE):
        assert send_due() == 1
    [second] = delivered(tmp_path)
    assert first["Message-ID"] == second["Message-ID"]
    assert state() == [("sent", None, 2, False)]


def test_a_signer_who_was_erased_meanwhile_gets_no_mail(campaign: PublicCampaign, tmp_path: Path) -> None:
    sign(campaign, ANN)
    token = token_of(newest(Signer).id)
    [letter] = outbox.lease(1)
    confirming.reject_signer(token)
    with connected(settings().mail_url) as transport:
        sending.send_one(transport, letter, settings())
    assert state() == []
    assert delivered(tmp_path) == []


def test_one_mail_that_cannot_be_made_does_not_stop_the_others(
    campaign: PublicCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (ANN, EVE):
        sign(campaign, person)
    honest = sending.compose

    def stumble(kind: str, locale: str, to: str, **facts: Any) -> EmailMessage:
        if to == ANN.email:
            raise RuntimeError("a template is broken")
        return honest(kind, locale, to, **facts)

    monkeypatch.setattr(sending, "compose", stumble)
    assert send_due() == 2
    assert state() == [("queued", "not_made", 1, True), ("sent", None, 1, False)]
    assert [message["To"] for message in delivered(tmp_path)] == [EVE.email]


def test_a_batch_is_bounded_and_the_rest_waits_for_the_next_one(campaign: PublicCampaign, tmp_path: Path) -> None:
    for number in range(sending.BATCH + 3):
        sign(campaign, Person("P", str(number), f"p{number}@example.org"), "river")
    assert [send_due(), send_due(), send_due()] == [sending.BATCH, 3, 0]
    assert len(delivered(tmp_path)) == sending.BATCH + 3


def test_mails_leave_no_faster_than_allowed(app: Flask, campaign: PublicCampaign, tmp_path: Path) -> None:
    for person in (ANN, EVE):
        sign(campaign, person)
    send_to(app, f"file:{tmp_path / 'mailbox'}", mail_per_minute=1)
    assert send_due() == 1
    assert send_due() == 0, "the budget of this minute is spent"
    with stopped_at(now() + timedelta(minutes=2)):
        assert send_due() == 1


@pytest.mark.parametrize("flooder", ["2001:db8:0:{:x}::1", "198.51.100.{}"])
def test_an_honest_signers_mail_leaves_within_a_minute_while_one_line_floods(
    app: Flask, campaign: PublicCampaign, tmp_path: Path, flooder: str
) -> None:
    send_to(app, f"file:{tmp_path / 'mailbox'}", mail_per_minute=12)
    begun = now()
    with stopped_at(begun):
        for number in range(100):
            sign(campaign, Person("F", str(number), f"f{number}@example.org"), network=flooder.format(number))
        sign(campaign, EVE, network="203.0.113.7")
        assert send_due() == 12, "and the budget of this minute is spent"
        assert EVE.email in {message["To"] for message in delivered(tmp_path)}
        sign(campaign, ANN, network="203.0.113.8")
        assert send_due() == 0
    with stopped_at(begun + timedelta(minutes=1)):
        assert send_due() == 12
        assert ANN.email in {message["To"] for message in delivered(tmp_path)}
    for minute in range(2, 10):
        with stopped_at(begun + timedelta(minutes=minute)):
            while send_due():
                pass
    assert len(delivered(tmp_path)) == 102, "the others' mails leave, too"


def test_who_is_stopped_finishes_the_mail_under_way_and_gives_the_others_back(
    campaign: PublicCampaign, tmp_path: Path
) -> None:
    for number in range(3):
        sign(campaign, Person("P", str(number), f"p{number}@example.org"))
    ended = threading.Event()
    ended.set()
    sending.Sender(ended).send_due()
    assert len(delivered(tmp_path)) == 1
    assert sorted(state()) == [("queued", None, 0, True), ("queued", None, 0, True), ("sent", None, 1, False)]
    assert send_due() == 2, "at once, without waiting for a lease to end"


def test_two_servers_send_each_mail_once(
    app: Flask, campaign: PublicCampaign, mailing: MailServer, database_url: str, tmp_path: Path, keys: Keys
) -> None:
    people = [Person("P", str(number), f"p{number}@example.org") for number in range(50)]
    for person in people:
        sign(campaign, person, "river")
    other = make_app(database_url, tmp_path, keys, mail_url=mailing.url, mail_per_minute=60_000)
    send_to(app, mailing.url, mail_per_minute=60_000)
    workers = [Worker(app), Worker(other)]
    threads = [each.start() for each in workers]
    _wait_until(lambda: {each[0] for each in state()} == {"sent"})
    for each, thread in zip(workers, threads, strict=True):
        each.stop()
        thread.join(20)
        assert not thread.is_alive()
    close_app(other)
    assert sorted(mailing.recipients) == sorted(person.email for person in people)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_sender_that_is_busy_at_the_end_does_not_wait_for_more(
    app: Flask, mailing: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_to(app, mailing.url, mail_connections=2)
    is_busy, may_go = threading.Event(), threading.Event()

    def slow(sender: sending.Sender) -> int:
        if threading.current_thread().name.startswith("sender-"):
            is_busy.set()
            may_go.wait(20)
        return 0

    monkeypatch.setattr(sending.Sender, "send_due", slow)
    worker = Worker(app)
    thread = worker.start()
    assert is_busy.wait(20)
    worker.stop()
    threading.Timer(1.5, may_go.set).start()  # the others have ended by then
    thread.join(20)
    assert not thread.is_alive()


def _wait_until(is_done: Any) -> None:
    """Give others up to twenty seconds."""
    pause = threading.Event()
    for _ in range(400):
        if is_done():
            return
        pause.wait(0.05)
    raise AssertionError("that never happened")


def test_no_failure_ends_the_loop(
    app: Flask,
    campaign: PublicCampaign,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sign(campaign, ANN)
    honest, calls = sending.Sender.send_due, []

    def fail_first(sender: sending.Sender) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the database was away")
        return honest(sender)

    monkeypatch.setattr(worker, "PAUSE", 0.01)
    monkeypatch.setattr(sending.Sender, "send_due", fail_first)
    running = Worker(app)
    thread = running.start()
    _wait_until(lambda: state()[-1][0] == "sent")
    running.stop()
    thread.join(20)
    assert "worker failed" in caplog.text
    assert len(delivered(tmp_path)) == 1


def test_the_worker_runs_maintenance_regularly(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction() as store:
        store.add(Limit(key="login:old", used=1, ends_at=0))
    running = Worker(app)
    running.maintain()
    assert len(rows(Limit)) == 1
    monkeypatch.setattr(worker, "MAINTENANCE_SECONDS", -1.0)
    running.maintain()
    assert rows(Limit) == []


def test_nobody_is_named_in_the_log(
    app: Flask, campaign: PublicCampaign, mailing: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = Person("Kanariénvogel", "Zwitscher", "canary@example.org")
    sign(campaign, canary, "river")
    token = token_of(newest(Signer).id)
    mailing.refused[canary.email] = f"550 <{canary.email}> Zwitscher unknown"
    send_due()
    with stopped_at(now() + timedelta(minutes=11)):
        sign(campaign, canary)
        mailing.refused[canary.email] = f"450 <{canary.email}> Zwitscher busy"
        send_due()
    send_to(app, f"smtp://user:hush@127.0.0.1:{free_port()}")
    with stopped_at(now() + timedelta(hours=1)):
        send_due()
    confirming.reject_signer(token)
    ours = [record for record in caplog.records if not record.name.startswith("mail.")]  # the test's own mail server
    written = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text}" for record in ours)
    for event in ("mail undeliverable", "mail delayed", "mail server unreachable"):
        assert event in written
    for secret in ("canary", "anari", "zwitscher", token.lower(), "hush"):
        assert secret not in written.lower()


def test_once_all_is_confirmed_a_request_that_still_waits_is_not_sent(campaign: PublicCampaign, tmp_path: Path) -> None:
    sign(campaign, ANN)
    confirming.confirm_signer(token_of(newest(Signer).id))
    send_due()
    assert delivered(tmp_path) == []
    assert state() == []
    assert board.outbox().failed == 0, "staff need not look at it"


def test_a_mail_of_a_campaign_that_went_back_to_draft_waits_for_it(
    app: Flask, campaign: PublicCampaign, tmp_path: Path
) -> None:
    sign(campaign, ANN)
    moment = now()
    _set_state(app, "draft")
    with stopped_at(moment):
        send_due()
    assert state() == [("queued", "not_found", 1, True)]
    _set_state(app, "open")
    with stopped_at(moment + outbox.FIRST_RETRY):
        send_due()
    assert len(delivered(tmp_path)) == 1
    assert state() == [("sent", None, 2, False)]


def _set_state(app: Flask, chosen: str) -> None:
    with transaction() as store:
        store.execute(update(Campaign).values(state=chosen, changed_at=now()))
    CATALOGUE_CACHE.of(app).forget()


def test_the_mail_about_a_full_mailbox_contains_no_name(campaign: PublicCampaign, tmp_path: Path) -> None:
    third = Person("Eve", "Moriarty", ANN.email)
    for person, has_confirmed in ((ANN, False), (BOB, False), (third, False), (ANN, True), (third, True)):
        if person is third:
            send_due()
            for old in (tmp_path / "mailbox").glob("*.eml"):
                old.unlink()
            with stopped_at(now() + timedelta(days=1 + has_confirmed)):
                sign(campaign, third, locale="en")
                send_due()
            [message] = delivered(tmp_path)
            html = message.get_body(("html",))
            assert html is not None
            for text in (text_of(message), str(html.get_content())):
                assert "Hello," in text
                assert "Eve" not in text
                assert "Moriarty" not in text
        elif has_confirmed:
            confirming.confirm_signer(token_of(rows(Signer)[0].id))
        else:
            sign(campaign, person)


def test_a_mail_whose_lease_may_end_is_not_begun(
    campaign: PublicCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [Person("P", str(number), f"p{number}@example.org") for number in range(3)]
    for person in people:
        sign(campaign, person)
    begun, honest = now(), sending.send_one

    def slowly(*given: Any) -> bool:
        honest(*given)
        clock._source = lambda: begun + outbox.LEASE - outbox.LEASE_MARGIN + timedelta(seconds=1)  # noqa: SLF001 - the clock and the end are set from outside
        return True

    monkeypatch.setattr(sending, "send_one", slowly)
    with stopped_at(begun):
        assert send_due() == 1, "a server this slow has time for one"
    assert sorted(state()) == [("queued", None, 0, True), ("queued", None, 0, True), ("sent", None, 1, False)]
    assert len(delivered(tmp_path)) == 1


@pytest.mark.parametrize(
    "task", ["retention.run", "truncate_log", "outbox.mend", "mail_quota.purge", "rate_limits.purge"]
)
def test_each_regular_task_is_done_when_its_time_has_come_and_not_before(
    app: Flask, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    done: list[tuple[Any, ...]] = []
    monkeypatch.setattr(f"petitions.worker.{task}", lambda *given: done.append(given))
    seconds = [0.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: seconds[0])
    running = Worker(app)
    first, every = (
        (worker.TRUNCATE_EVERY,) * 2
        if task == "truncate_log"
        else (worker.FIRST_MAINTENANCE_SECONDS, worker.MAINTENANCE_SECONDS)
    )
    for moment, times in ((first - 1, 0), (first + 1, 1), (first + 2, 1), (first + every + 2, 2)):
        seconds[0] = moment
        running.maintain()
        assert len(done) == times
    if task == "retention.run":
        assert done == [(running._ended,)] * 2, "it stops between two batches when the worker is stopped"  # noqa: SLF001 - the clock and the end are set from outside


def test_stopping_a_worker_waits_for_the_mail_being_sent(
    app: Flask, campaign: PublicCampaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        sign(campaign, Person("P", str(number), f"p{number}@example.org"))
    honest, under_way, may_go = sending.send_one, threading.Event(), threading.Event()

    def slowly(*given: Any) -> bool:
        under_way.set()
        assert may_go.wait(20)
        return honest(*given)

    monkeypatch.setattr(sending, "send_one", slowly)
    running = Worker(app)
    thread = running.start()
    assert under_way.wait(20)
    threading.Timer(0.2, may_go.set).start()
    running.finish(20)
    assert not thread.is_alive()
    assert len(delivered(tmp_path)) == 1
    assert sorted(state()) == [("queued", None, 0, True), ("queued", None, 0, True), ("sent", None, 1, False)]
