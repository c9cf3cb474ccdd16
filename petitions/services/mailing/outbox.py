"""The outbox: queues e-mails, leases them to one sender at a time, and records the result."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select, update

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import reading, transaction, write_queue
from petitions.domain import sealing
from petitions.domain.retention import Clock
from petitions.domain.states import MessageState
from petitions.errors import Busy
from petitions.models import Message
from petitions.queries.retention import clock_state
from petitions.services.keys.keyring import keyring
from petitions.services.limits import mail_quota

LEASE = timedelta(minutes=10)  # after this, another sender takes the e-mails of a sender that crashed
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=72)  # no address is kept longer
REMIND_AFTER = timedelta(hours=71)  # once, before the address is wiped
LEASE_MARGIN = LEASE / 2  # no sending starts later than this before the lease ends; it takes two minutes at most
DELAY_PER_EARLIER = timedelta(
    seconds=5
)  # added for each earlier entry of the same network: up to 12 a minute are not delayed
REMINDER_DELAY = timedelta(hours=1)
RECEIPT_DELAY = timedelta(minutes=1)  # who waits for a confirmation comes first
PATIENCE = 30.0  # seconds that recording a sent e-mail waits for a place in the write queue
CLOCK_TOLERANCE = timedelta(minutes=10)  # times further in the future than this were written while the clock was wrong
FAILURE_LIFETIME = timedelta(days=7)

REQUEST = "request"  # a request for the link; the worker looks up the signers
COLLECTOR = "collector"  # the link to a collector's page; the recipient names campaign and token
BLANK = "blank"  # goes to nobody, but costs the worker as much, so that no delay shows who gets an e-mail


@dataclass(frozen=True)
class NewMessage:
    """An e-mail to be queued; `payload` is encrypted with the server's key. A request has no signer."""

    kind: str
    signer_id: int | None
    locale: str
    payload: bytes = field(repr=False)
    dedupe_key: str
    earlier: int = 0  # recent entries of the same network; each delays this e-mail


@dataclass(frozen=True)
class Leased:
    """An e-mail that this sender may send until the lease ends."""

    id: int
    kind: str
    signer_id: int | None
    locale: str
    attempts: int
    created_at: datetime
    until: datetime  # the lease's end; it also identifies the lease, as no other lease of the row ends then
    recipient: dict[str, str] = field(repr=False)


def queue(connection: Connection, messages: Sequence[NewMessage], now: datetime) -> None:
    """Insert the e-mails in the caller's transaction; one whose dedupe key is queued already is skipped."""
    rows = [
        (
            each.dedupe_key,
            each.kind,
            each.signer_id,
            each.locale,
            each.payload,
            _lane(now + DELAY_PER_EARLIER * each.earlier),
        )
        for each in messages
    ]
    same = {"state": MessageState.QUEUED, "attempts": 0, "due_at": now, "created_at": now}
    columns = ("dedupe_key", "kind", "signer_id", "locale", "payload", "lane")
    bulk.insert(connection, Message, columns, rows, same=same, on_conflict=bulk.skip)


def blank(locale: str, earlier: int = 0) -> NewMessage:
    """A placeholder in the queue for an e-mail that is not sent; it holds no address."""
    return NewMessage(BLANK, None, locale, b"", secrets.token_hex(16), earlier)


def _lane(moment: datetime) -> int:
    """The sort key of an e-mail that should leave at this moment: seconds, within Postgres's integer range."""
    return min(int((moment - _EPOCH).total_seconds()), 2**31 - 1)


_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def lease(most: int) -> list[Leased]:
    """Lease up to `most` due e-mails, so that no other sender sends them.

    Ordered by lane: a flood from one network delays its own e-mails, not those of others.
    """
    now = clock.now()
    is_free = or_(Message.leased_until.is_(None), Message.leased_until <= now)
    is_due = (Message.state == MessageState.QUEUED) & (Message.due_at <= now) & is_free
    with reading() as connection:
        if connection.scalar(select(Message.id).where(is_due).limit(1)) is None:
            return []
    by_turn = select(Message.id).where(is_due).order_by(Message.lane, Message.due_at, Message.id)
    with transaction() as session:  # on Postgres, senders pass over what another one is leasing; SQLite ignores it
        ids = list(session.scalars(by_turn.limit(most).with_for_update(skip_locked=True)))
        won = list(
            session.execute(
                update(Message)
                .where(Message.id.in_(ids), is_due)
                .values(leased_until=now + LEASE, attempts=Message.attempts + 1)
                .returning(*_LEASED, Message.payload)
            )
        )
    won.sort(key=lambda row: ids.index(row.id))
    return _opened([(Leased(*row[:6], until=now + LEASE, recipient={}), row.payload or b"") for row in won])


_LEASED = (Message.id, Message.kind, Message.signer_id, Message.locale, Message.attempts, Message.created_at)


def message_id(leased: Leased) -> str:
    """What makes the Message-ID unique: 32 hex digits, the same at each attempt; an HMAC that shows nothing."""
    secret = keyring().secret_key.encode()
    said = f"{leased.id} {leased.kind} {leased.created_at.isoformat()}"  # row ids may be reused
    return sealing.blind_index(secret, "message id", said).hex()[:32]


def release(leased: Sequence[Leased]) -> None:
    """Give up the leases of e-mails that were not tried, so that another sender takes them at once."""
    with transaction() as session:
        for each in leased:
            given_back = {"leased_until": None, "attempts": Message.attempts - 1}
            session.execute(update(Message).where(_is_still_leased(each)).values(**given_back))


def has_lease_time(leased: Leased) -> bool:
    """Whether the lease lasts long enough to send this e-mail; False also if the clock was set back."""
    return timedelta() <= leased.until - clock.now() - LEASE_MARGIN <= LEASE


def _is_still_leased(leased: Leased) -> ColumnElement[bool]:
    """Condition on messages: this one, and still under this lease."""
    return and_(Message.id == leased.id, Message.leased_until == leased.until)


def mark_sent(leased: Leased) -> None:
    """Record that the e-mail was sent: its row is deleted. Shares its commit with signers and other senders.

    Only a confirmation e-mail is kept: it becomes the only reminder, which `cancel_reminders` deletes. Waits while the
    write queue is full, because an e-mail that is not recorded would be sent again.
    """
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            return write_queue().submit(_mark_sent_batch, leased)
        except Busy:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)


def _mark_sent_batch(connection: Connection, sent: Sequence[Leased]) -> list[None]:
    gone = [each.id for each in sent if each.kind != "confirm"]
    connection.execute(delete(Message).where(Message.id.in_(gone)))
    for each in sent:
        if each.kind == "confirm":
            due_at = each.created_at + REMIND_AFTER
            reminder = {"kind": "reminder", "due_at": due_at, "failure": None, "leased_until": None}
            reminder["lane"] = _lane(due_at + REMINDER_DELAY)
            connection.execute(update(Message).where(Message.id == each.id).values(**reminder))
    return [None] * len(sent)


def drop(message_id: int) -> None:
    """Delete the e-mail: it was sent, or it is no longer wanted."""
    with transaction() as session:
        session.execute(delete(Message).where(Message.id == message_id))


def cancel_reminders(connection: Connection, signer_ids: Sequence[int]) -> None:
    """Delete the reminders of signers who confirmed, in the caller's transaction."""
    connection.execute(_SETTLE, {"b_ids": list(signer_ids)})


_SETTLE = delete(Message).where(Message.signer_id.in_(bindparam("b_ids", expanding=True)), Message.kind == "reminder")


def turn_into_receipts(connection: Connection, signer_ids: Sequence[int], now: datetime) -> None:
    """Turn the reminders of these signers into receipts that are due now, in the caller's transaction."""
    is_theirs = Message.signer_id.in_(signer_ids) & (Message.kind == "reminder")
    connection.execute(
        update(Message)
        .where(is_theirs, Message.leased_until.is_(None))
        .values(kind="receipt", due_at=now, lane=_lane(now + RECEIPT_DELAY))
    )


def cancel(connection: Connection, signer_ids: Sequence[int]) -> None:
    """Delete the e-mails of these signers, waiting or failed, in the caller's transaction."""
    connection.execute(delete(Message).where(Message.signer_id.in_(signer_ids)))


def answer(request: Leased, messages: Sequence[NewMessage], quota: tuple[str, int]) -> None:
    """Queue the e-mails that answer a request, within the mailbox's quota, and delete the request.

    If there are none, a blank one is queued, so that each request costs the worker the same.
    """
    now = clock.now()
    with transaction() as session:
        connection = session.connection()
        allowed = mail_quota.take(connection, [quota] * len(messages), now)
        mails = [message for message, may_go in zip(messages, allowed, strict=True) if may_go]
        queue(connection, mails or [blank(request.locale)], now)
        session.execute(delete(Message).where(Message.id == request.id))


def mark_failed(message_id: int, failure: str) -> None:
    """Record that the e-mail cannot be delivered, and delete its address; the row, for statistics, is kept a week."""
    failed = {"state": MessageState.FAILED, "payload": None, "failure": failure[:40], "leased_until": None}
    with transaction() as session:
        session.execute(update(Message).where(Message.id == message_id).values(**failed))


def purge() -> None:
    """Delete failed e-mails a week after they were queued."""
    is_old = (Message.state == MessageState.FAILED) & (Message.created_at < clock.now() - FAILURE_LIFETIME)
    with transaction() as session:
        session.execute(delete(Message).where(is_old))


def mark_delayed(leased: Leased, failure: str) -> None:
    """Try again later: after a minute, then twice as long each time, up to an hour; give up after three days.

    Nothing is changed if another sender leased the e-mail meanwhile. No e-mail is given up while the clock is in doubt.
    """
    now = clock.now()
    values: dict[str, object] = {"leased_until": None, "failure": failure[:40]}
    if now - leased.created_at > GIVE_UP_AFTER and clock_state() not in (Clock.JUMPED, Clock.EARLIER):
        values |= {"state": MessageState.FAILED, "payload": None}
    else:
        values["due_at"] = now + min(FIRST_RETRY * 2 ** min(leased.attempts - 1, 10), LONGEST_RETRY)
    with transaction() as session:
        session.execute(update(Message).where(_is_still_leased(leased)).values(**values))


def mend() -> None:
    """Correct times that were written while the clock was ahead, so that neither e-mails nor addresses stay longer.

    A lease is shortened, not ended: its e-mail may be on its way, and none may be sent twice.
    """
    now = clock.now()
    is_reminder = Message.kind == "reminder"
    mendings = (
        (Message.leased_until > now + LEASE + CLOCK_TOLERANCE, {"leased_until": now + LEASE}),
        (Message.created_at > now + CLOCK_TOLERANCE, {"created_at": now, "lane": _lane(now)}),
        (and_(is_reminder, Message.due_at > now + REMIND_AFTER + CLOCK_TOLERANCE), {"due_at": now + REMIND_AFTER}),
        (and_(~is_reminder, Message.due_at > now + LONGEST_RETRY + CLOCK_TOLERANCE), {"due_at": now}),
    )
    with transaction() as session:
        for is_ahead, values in mendings:
            session.execute(update(Message).where(Message.state == MessageState.QUEUED, is_ahead).values(**values))


def _opened(sealed: Sequence[tuple[Leased, bytes]]) -> list[Leased]:
    """Decrypt the recipients. An e-mail encrypted to another master key is delayed and does not block the others."""
    opened, master_keys = [], keyring().master_keys
    for message, payload in sealed:
        try:
            recipient = {} if message.kind == BLANK else sealing.unseal(payload, master_keys)
            opened.append(replace(message, recipient=recipient))
        except sealing.CannotOpen:
            mark_delayed(message, "cannot_open")
    return opened
