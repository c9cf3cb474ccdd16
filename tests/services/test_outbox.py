"""The outbox: each e-mail is sent once, tried again for three days, and deleted afterwards."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from petitions.clock import now, stopped_at
from petitions.db.transactions import reading, transaction, write_queue
from petitions.domain import sealing
from petitions.models import Message, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.keys.keyring import keyring
from petitions.services.mailing import outbox
from tests.support.factories import ANN, Keys, close_app, in_threads, make_app, newest, rows, sign

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def signer_id(campaign: PublicCampaign) -> int:
    """Ann, whose own mail is out of the way."""
    sign(campaign, ANN)
    for letter in outbox.lease(1):
        outbox.drop(letter.id)
    return int(newest(Signer).id)


def queue(
    signer_id: int, number: int = 1, when: datetime | None = None, payload: bytes | None = None, kind: str = "repeat"
) -> None:
    """Put `number` mails into the outbox."""
    sealed = payload or sealing.seal({"to": ANN.email}, [keyring().master_public])
    moment = when or now()
    letters = [
        outbox.NewMessage(kind, signer_id, "fr", sealed, f"{moment.isoformat()} {place}") for place in range(number)
    ]

    def write(connection: Any, items: Any) -> list[None]:
        outbox.queue(connection, letters, moment)
        return [None] * len(items)

    write_queue().submit(write, None)


def test_a_leased_mail_says_to_whom_it_goes(signer_id: int) -> None:
    queue(signer_id)
    [letter] = outbox.lease(10)
    assert (letter.kind, letter.signer_id, letter.locale, letter.attempts) == ("repeat", signer_id, "fr", 1)
    assert letter.recipient == {"to": ANN.email}
    assert ANN.email not in repr(letter)


def test_a_leased_mail_is_nobody_elses_until_the_lease_is_over(signer_id: int) -> None:
    begun = now()
    with stopped_at(begun):
        queue(signer_id)
        assert len(outbox.lease(10)) == 1
        assert outbox.lease(10) == []
    with stopped_at(begun + outbox.LEASE - timedelta(seconds=1)):
        assert outbox.lease(10) == []
    with stopped_at(begun + outbox.LEASE):
        [again] = outbox.lease(10)
    assert again.attempts == 2


def test_the_oldest_mails_go_first_and_only_as_many_as_asked_for(signer_id: int) -> None:
    begun = now()
    for minutes in (3, 1, 2):
        queue(signer_id, when=begun - timedelta(minutes=minutes))
    leased = [*outbox.lease(2), *outbox.lease(2)]
    assert [begun - letter.created_at for letter in leased] == [timedelta(minutes=number) for number in (3, 2, 1)]


def test_reminders_let_everything_else_go_before(signer_id: int) -> None:
    begun = now()
    with stopped_at(begun):
        queue(signer_id, 3, kind="confirm")
        for letter in outbox.lease(3):
            outbox.mark_sent(letter)
    with stopped_at(begun + outbox.REMIND_AFTER + timedelta(minutes=30)):
        queue(signer_id)
        assert [letter.kind for letter in outbox.lease(10)] == ["repeat", "reminder", "reminder", "reminder"]


def test_a_receipt_does_not_wait_like_a_reminder(signer_id: int) -> None:
    queue(signer_id, kind="confirm")
    outbox.mark_sent(outbox.lease(1)[0])
    queue(signer_id, 2, when=now() - timedelta(minutes=1))
    with transaction() as session:
        outbox.turn_into_receipts(session.connection(), [signer_id], now() - timedelta(minutes=2))
    assert [letter.kind for letter in outbox.lease(10)] == ["receipt", "repeat", "repeat"]


def test_a_clock_that_runs_to_the_end_of_time_queues_mails_still(signer_id: int) -> None:
    queue(signer_id, when=datetime(2150, 1, 1, tzinfo=UTC))
    assert newest(Message).lane == 2**31 - 1
    outbox.mend()
    assert newest(Message).lane < 2**30
    assert len(outbox.lease(1)) == 1


def test_a_mail_is_not_sent_before_it_is_due(signer_id: int) -> None:
    queue(signer_id, when=now() + timedelta(hours=1))
    assert outbox.lease(10) == []


def test_the_same_mail_queued_twice_is_one(signer_id: int) -> None:
    moment = now()
    queue(signer_id, when=moment)
    queue(signer_id, when=moment)
    assert len(outbox.lease(10)) == 1


def test_a_sent_mail_leaves_nothing(signer_id: int) -> None:
    queue(signer_id)
    [letter] = outbox.lease(1)
    outbox.mark_delayed(letter, "smtp_450")
    moment = now() + timedelta(hours=1)
    with stopped_at(moment):
        outbox.mark_sent(letter)

    assert rows(Message) == []


def test_a_sent_request_for_confirmation_becomes_the_one_reminder_before_its_address_is_wiped(signer_id: int) -> None:
    queue(signer_id, kind="confirm")
    [letter] = outbox.lease(1)
    outbox.mark_sent(letter)
    assert outbox.lease(10) == []
    with stopped_at(now() + timedelta(hours=71, minutes=1)):
        [reminder] = outbox.lease(10)
        assert (reminder.kind, reminder.recipient["to"]) == ("reminder", ANN.email)
        outbox.mark_sent(reminder)
    assert rows(Message) == []


def test_a_failed_mail_keeps_no_address_and_says_why(signer_id: int) -> None:
    queue(signer_id)
    [letter] = outbox.lease(1)
    outbox.mark_failed(letter.id, "smtp_550" + "x" * 100)

    row = newest(Message)
    assert (row.state, row.payload, row.failure[:8], len(row.failure)) == ("failed", None, "smtp_550", 40)
    assert outbox.lease(10) == []
    for days, number in ((6, 1), (8, 0)):
        with stopped_at(now() + timedelta(days=days)):
            outbox.purge()
        assert len(rows(Message)) == number


def test_a_delayed_mail_waits_a_minute_then_twice_as_long_each_time_up_to_an_hour(signer_id: int) -> None:
    moment = now()
    with stopped_at(moment):
        queue(signer_id)
    waits = []
    for _ in range(9):
        with stopped_at(moment):
            [letter] = outbox.lease(1)
            outbox.mark_delayed(letter, "smtp_450")
        waits.append(int((newest(Message).due_at - moment).total_seconds() // 60))
        with stopped_at(newest(Message).due_at - timedelta(seconds=1)):
            assert outbox.lease(1) == []
        moment = newest(Message).due_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert newest(Message).failure == "smtp_450"


def test_after_three_days_a_mail_is_given_up_and_its_address_forgotten(signer_id: int) -> None:
    begun = now()
    with stopped_at(begun):
        queue(signer_id)
    for hours, state in ((72, "queued"), (74, "failed")):
        with stopped_at(begun + timedelta(hours=hours)):
            [letter] = outbox.lease(1)
            outbox.mark_delayed(letter, "smtp_450")
        assert newest(Message).state == state
    assert newest(Message).payload is None


def test_a_mail_given_back_is_free_at_once_and_was_not_tried(signer_id: int) -> None:
    queue(signer_id, number=3)
    outbox.release(outbox.lease(3))
    assert [letter.attempts for letter in outbox.lease(3)] == [1, 1, 1]


def test_a_mail_that_cannot_be_opened_holds_up_nobody(signer_id: int, keys: Keys) -> None:
    _, stranger = sealing.new_identity()
    for payload in (b"damaged", sealing.seal({"to": "lost@example.org"}, [stranger])):
        queue(signer_id, when=now() - timedelta(hours=1), payload=payload)
    queue(signer_id)

    assert [letter.recipient["to"] for letter in outbox.lease(10)] == [ANN.email]
    unopened = rows(Message, Message.failure == "cannot_open")
    assert [(row.state, row.payload is None) for row in unopened] == [("queued", False)] * 2, "the key may come back"


def _take_all(app: Flask, database_url: str, folder: Path, keys: Keys, lease: Callable[[int], list[int]]) -> list[int]:
    """The ids that eight senders on two servers get, until nothing is left."""
    other = make_app(database_url, folder, keys)
    taken: list[int] = []

    def send(server: Flask) -> None:
        with server.app_context():
            while ids := lease(5):
                taken.extend(ids)

    raised = in_threads(app, [lambda server=server: send(server) for server in [app, other] * 4])
    close_app(other)
    assert raised == [None] * 8
    return taken


def test_eight_senders_on_two_servers_never_take_the_same_mail(
    app: Flask, signer_id: int, database_url: str, tmp_path: Path, keys: Keys
) -> None:
    queue(signer_id, number=80)
    taken = _take_all(app, database_url, tmp_path, keys, lambda most: [letter.id for letter in outbox.lease(most)])
    assert len(taken) == len(set(taken)) == 80


def test_senders_that_look_first_and_take_later_would_double(
    app: Flask, signer_id: int, database_url: str, tmp_path: Path, keys: Keys
) -> None:
    queue(signer_id, number=80)
    all_looked = threading.Barrier(8)
    looked: set[int] = set()

    def careless(most: int) -> list[int]:
        """The lease without its compare-and-set; once for each sender."""
        if threading.get_ident() in looked:
            return []
        is_free = Message.leased_until.is_(None) & (Message.state == "queued")
        with reading() as connection:
            ids = list(connection.scalars(select(Message.id).where(is_free).order_by(Message.id).limit(most)))
        looked.add(threading.get_ident())
        all_looked.wait(20)
        with transaction() as store:
            store.execute(update(Message).where(Message.id.in_(ids)).values(leased_until=now() + outbox.LEASE))
        return ids

    taken = _take_all(app, database_url, tmp_path, keys, careless)
    assert max(Counter(taken).values()) > 1
