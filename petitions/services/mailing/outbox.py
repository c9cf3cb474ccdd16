"""The outbox: queueing mails with what they are about, leasing them to one sender at a time, noting how it went."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select, update

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import reading, transaction
from petitions.domain import sealing
from petitions.domain.states import MessageState
from petitions.models import Message
from petitions.queries.retention import Clock, clock_state
from petitions.services.keys.keyring import keyring
from petitions.services.limits import mail_quota

LEASE = timedelta(minutes=10)  # a sender that died gives its mails free again after this
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=72)  # no address lies here longer
REMIND_AFTER = timedelta(hours=71)  # once, before the address is wiped
LEASE_MARGIN = (
    LEASE / 2
)  # no mail is begun later than that before the lease ends: handing over takes two minutes at most
DELAY_PER_EARLIER = timedelta(seconds=5)  # behind each earlier mail of the same network: 12 a minute yield to nobody
REMINDER_DELAY = timedelta(hours=1)
CLOCK_TOLERANCE = timedelta(
    minutes=10
)  # what was written later than this from now was written while the clock was wrong
FAILURE_LIFETIME = timedelta(days=7)

REQUEST = "request"  # an address asks for its links; the worker looks whom it concerns
BLANK = "blank"  # goes to nobody; the worker writes as much as for a mail, so that no wait tells of one


@dataclass(frozen=True)
class NewMessage:
    """A mail to be queued; `payload` is sealed with the server's key. A request has no signer."""

    kind: str
    signer_id: int | None
    locale: str
    payload: bytes = field(repr=False)
    dedupe_key: str
    earlier: int = 0  # how many its network was counted for lately: it lets others go before


@dataclass(frozen=True)
class Leased:
    """A mail that is ours to send for a while."""

    id: int
    kind: str
    signer_id: int | None
    locale: str
    attempts: int
    created_at: datetime
    until: datetime  # when it is no longer ours; says too whose it is, for nobody else leased it until then
    recipient: dict[str, str] = field(repr=False)


def queue(connection: Connection, messages: Sequence[NewMessage], now: datetime) -> None:
    """Write the mails in the caller's transaction; one that was queued before under its dedupe key is left alone."""
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
    bulk.insert(connection, Message, columns, rows, same=same, on_conflict="DO NOTHING")


def blank(locale: str, earlier: int = 0) -> NewMessage:
    """What stands in the queue where a mail would, had there been one to send; it holds no address."""
    return NewMessage(BLANK, None, locale, b"", secrets.token_hex(16), earlier)


def _lane(moment: datetime) -> int:
    """The place in the queue of what should leave at this moment: seconds, as many as Postgres's integers hold."""
    return min(int((moment - _EPOCH).total_seconds()), 2**31 - 1)


_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def lease(most: int) -> list[Leased]:
    """Up to `most` due mails that nobody else will send meanwhile: a compare-and-set decides, not a lock.

    By turns: who floods waits behind the own flood, and whoever comes from elsewhere goes before it.
    """
    now = clock.now()
    is_free = or_(Message.leased_until.is_(None), Message.leased_until <= now)
    is_due = (Message.state == MessageState.QUEUED) & (Message.due_at <= now) & is_free
    with reading() as connection:
        by_turn = select(Message.id).where(is_due).order_by(Message.lane, Message.due_at, Message.id)
        ids = list(connection.scalars(by_turn.limit(most)))
    if not ids:
        return []
    with transaction() as session:
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
    """The name of this mail for mail servers: the same at each try, and nothing can be read from it."""
    secret = keyring().secret_key.encode()
    said = f"{leased.id} {leased.kind} {leased.created_at.isoformat()}"  # a number may come again, a time does not
    return sealing.blind_index(secret, "message id", said).hex()[:32]


def release(leased: Sequence[Leased]) -> None:
    """Give back mails that were not even tried, so that another sender takes them at once."""
    with transaction() as session:
        for each in leased:
            given_back = {"leased_until": None, "attempts": Message.attempts - 1}
            session.execute(update(Message).where(_is_still_leased(each)).values(**given_back))


def has_lease_time(leased: Leased) -> bool:
    """Whether there is time left to send this mail: soon others may take it, or the clock was set back."""
    return timedelta() <= leased.until - clock.now() - LEASE_MARGIN <= LEASE


def _is_still_leased(leased: Leased) -> ColumnElement[bool]:
    """Of messages: it is this one, and nobody else took it meanwhile."""
    return and_(Message.id == leased.id, Message.leased_until == leased.until)


def mark_sent(leased: Leased) -> None:
    """Note that the mail left: nothing of it stays.

    Only a mail that asks for confirmation stays for a while: it becomes the only reminder (see `cancel_reminders`).
    """
    if leased.kind != "confirm":
        drop(leased.id)
        return
    due_at = leased.created_at + REMIND_AFTER
    reminder = {"kind": "reminder", "due_at": due_at, "failure": None, "leased_until": None}
    reminder["lane"] = _lane(due_at + REMINDER_DELAY)
    with transaction() as session:
        session.execute(update(Message).where(Message.id == leased.id).values(**reminder))


def drop(message_id: int) -> None:
    """Forget the mail: it was sent, or nobody wants it any more."""
    with transaction() as session:
        session.execute(delete(Message).where(Message.id == message_id))


def cancel_reminders(connection: Connection, signer_ids: Sequence[int]) -> None:
    """These signers confirmed: nobody need remind them. Part of the confirming transaction."""
    connection.execute(_SETTLE, {"b_ids": list(signer_ids)})


_SETTLE = delete(Message).where(Message.signer_id.in_(bindparam("b_ids", expanding=True)), Message.kind == "reminder")


def turn_into_receipts(connection: Connection, signer_ids: Sequence[int], now: datetime) -> None:
    """These signers confirm and want it in writing: what would have reminded them becomes their receipt."""
    is_theirs = Message.signer_id.in_(signer_ids) & (Message.kind == "reminder")
    connection.execute(
        update(Message)
        .where(is_theirs, Message.leased_until.is_(None))
        .values(kind="receipt", due_at=now, lane=_lane(now))
    )


def cancel(connection: Connection, signer_ids: Sequence[int]) -> None:
    """Forget the mails of these signers, waiting or failed. Part of the caller's transaction."""
    connection.execute(delete(Message).where(Message.signer_id.in_(signer_ids)))


def answer(request: Leased, messages: Sequence[NewMessage], quota: tuple[str, int]) -> None:
    """Queue the mails that a request leads to, as far as the mailbox's limit allows, and forget the request.

    Where that is none a blank one is queued, so that the worker has as much to write for every address.
    """
    now = clock.now()
    with transaction() as session:
        connection = session.connection()
        allowed = mail_quota.take(connection, [quota] * len(messages), now)
        mails = [message for message, may_go in zip(messages, allowed, strict=True) if may_go]
        queue(connection, mails or [blank(request.locale)], now)
        session.execute(delete(Message).where(Message.id == request.id))


def mark_failed(message_id: int, failure: str) -> None:
    """Note that the mail never will arrive, and wipe who it was for; the row, which staff count, goes in a week."""
    failed = {"state": MessageState.FAILED, "payload": None, "failure": failure[:40], "leased_until": None}
    with transaction() as session:
        session.execute(update(Message).where(Message.id == message_id).values(**failed))


def purge() -> None:
    """Forget the mails that failed, a week after they were queued."""
    is_old = (Message.state == MessageState.FAILED) & (Message.created_at < clock.now() - FAILURE_LIFETIME)
    with transaction() as session:
        session.execute(delete(Message).where(is_old))


def mark_delayed(leased: Leased, failure: str) -> None:
    """Try again later: after a minute, then twice as long each time, up to an hour; give up after three days.

    A mail that somebody else took meanwhile is left to them; and a clock that leapt gives up nothing.
    """
    now = clock.now()
    values: dict[str, object] = {"leased_until": None, "failure": failure[:40]}
    if now - leased.created_at > GIVE_UP_AFTER and clock_state() not in (Clock.LEAPT, Clock.EARLIER):
        values |= {"state": MessageState.FAILED, "payload": None}
    else:
        values["due_at"] = now + min(FIRST_RETRY * 2 ** min(leased.attempts - 1, 10), LONGEST_RETRY)
    with transaction() as session:
        session.execute(update(Message).where(_is_still_leased(leased)).values(**values))


def mend() -> None:
    """Set right what was written while the clock ran ahead, so that it waits no longer than usual; addresses neither.

    A lease is shortened, not ended: the mail may be under way, and nothing is sent twice.
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
    """The mails with their recipients. One that was sealed to another master key waits, and holds up nobody else."""
    opened = []
    for message, payload in sealed:
        try:
            recipient = {} if message.kind == BLANK else sealing.unseal(payload, [keyring().master_key])
            opened.append(replace(message, recipient=recipient))
        except sealing.CannotOpen:
            mark_delayed(message, "cannot_open")
    return opened
