"""Signing: from a form's entry to rows on disk. The hot path: nothing here is slower than it must be.

Before the queue, in the request's own thread: normalise, blind, seal. Inside the shared transaction (`_sign_batch`):
a handful of statements for all who wait, whatever their number. The database's unique keys decide who is new.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, update

from petitions import clock, people, sealing
from petitions.db import bulk
from petitions.db.transactions import write_queue
from petitions.errors import Busy, CampaignClosed, DomainError
from petitions.models import Signer
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.services import admission, mailslots, outbox, passes, signatures
from petitions.services.consent import consent_version
from petitions.services.keyring import blind_key, keyring, public_keys

RESEND_AFTER = timedelta(minutes=10)  # a double click is no wish for a second mail; an hour's wait is
SALT_BYTES = 16
MOST_OVERTAKEN = 8  # how often another process may be faster before we give up


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a form brought: validated, and not yet proven."""

    campaign: PublicCampaign
    cases: Sequence[PublicCase]
    first_name: str
    last_name: str
    email: str
    birth_date: date | None = None
    newsletter: bool = False
    locale: str
    consent: str
    source: str = "direct"
    network: str = ""  # where it came from, never stored; empty: not from the web, so not limited
    pass_code: str = ""
    proof: str = ""
    is_automatic: bool = False  # a program may have filled in the form, so a proof is asked for


@dataclass(frozen=True)
class _Sealed:
    """An entry as the database may see it."""

    campaign_id: int
    email_key: bytes
    name_key: bytes
    most_slots: int
    sealed: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    locale: str
    newsletter: bool
    signatures: tuple[tuple[int, int, int, str], ...]  # case, letter version, consent version, source
    to: str = field(repr=False)  # for the mail only
    mail: bytes = field(repr=False)
    mailbox_key: str
    ticket: admission.Ticket
    pass_id: int | None = None


@dataclass(frozen=True)
class _Known:
    """A signer that is in the database already."""

    id: int
    slot: int
    name_key: bytes
    asked_at: datetime
    is_confirmed: bool


@dataclass(frozen=True)
class _Mail:
    """A mail that should go out because of an entry."""

    entry: _Sealed
    signer_id: int
    kind: str
    occasion: str

    def letter(self) -> outbox.Letter:
        """It as the outbox takes it."""
        key = f"{self.kind}:{self.signer_id}:{self.occasion}"
        return outbox.Letter(self.kind, self.signer_id, self.entry.locale, self.entry.mail, key)


def sign_cases(entry: Entry) -> None:
    """Record the entry's signatures as pending, and queue the mail that asks for confirmation.

    Returns when they are on disk. New, known or full mailbox: nobody who calls this can tell; only the mail differs.
    Raises CampaignClosed, NoRecipientKey, Busy, or what admission.admit refuses with; then nothing was recorded.
    """
    if not entry.campaign.is_open or not entry.cases:
        raise CampaignClosed(campaign=entry.campaign.slug)
    sealed = _seal(entry)
    refusal = write_queue().submit(_sign_batch, sealed)
    if refusal is not None:
        raise refusal


def _seal(entry: Entry) -> _Sealed:
    key = blind_key(entry.campaign)
    consent = consent_version(entry.campaign.id, entry.locale, entry.consent)
    names = {"first_name": entry.first_name, "last_name": entry.last_name}
    personal = {**names, "email": entry.email}
    person = f"{people.mailbox(entry.email)} {people.same_name_key(**names)}"
    place = passes.wanted(entry.campaign.id, entry.pass_code, person)
    if entry.birth_date is not None:
        personal["birth_date"] = entry.birth_date.isoformat()
    return _Sealed(
        campaign_id=entry.campaign.id,
        email_key=sealing.blind_index(key, "email", people.mailbox(entry.email)),
        name_key=sealing.blind_index(key, "name", people.same_name_key(**names)),
        most_slots=entry.campaign.signers_per_mailbox,
        sealed=sealing.seal(personal, public_keys()),
        salt=secrets.token_bytes(SALT_BYTES),
        locale=entry.locale,
        newsletter=entry.newsletter,
        signatures=signatures.wanted(entry.cases, entry.locale, consent, entry.source),
        to=entry.email,
        mail=sealing.seal({"to": entry.email, **names}, [keyring().master_public]),
        mailbox_key=mailslots.mailbox_key(entry.email),
        ticket=admission.ticket(entry.campaign.id, entry.network, place, entry.proof, is_automatic=entry.is_automatic),
    )


def _sign_batch(connection: Connection, entries: Sequence[_Sealed]) -> list[DomainError | None]:
    """Apply all entries. Two for one mailbox go one after the other, so that each sees what the other did."""
    now = clock.now()
    answers = admission.admit(connection, [entry.ticket for entry in entries], now)
    refusals = [answer if isinstance(answer, DomainError) else None for answer in answers]
    entries = [
        replace(entry, pass_id=answer)
        for entry, answer in zip(entries, answers, strict=True)
        if not isinstance(answer, DomainError)
    ]
    # By key: two processes that meet on Postgres take their locks in the same order.
    waiting = sorted(entries, key=lambda entry: entry.email_key)
    rounds = len(waiting) + MOST_OVERTAKEN
    while waiting:
        rounds -= 1
        if rounds < 0:  # a unique key stands in the way of a row that nobody can see
            raise Busy(waiting=len(waiting))
        first: dict[tuple[int, bytes], _Sealed] = {}
        later = []
        for entry in waiting:
            if first.setdefault((entry.campaign_id, entry.email_key), entry) is not entry:
                later.append(entry)
        waiting = _sign_distinct(connection, list(first.values()), now) + later
    return refusals


def _sign_distinct(connection: Connection, entries: list[_Sealed], now: datetime) -> list[_Sealed]:
    """Apply entries of different mailboxes; gives those that another process overtook, to be tried again.

    Most are new, so all are first taken for new; only those whose mailbox is known cost a look at who it knows.
    """
    new = _insert_signers(connection, [(entry, 1) for entry in entries], now)
    inserted = {entry.email_key for entry, _ in new}
    places, more = _find_places(connection, [entry for entry in entries if entry.email_key not in inserted])
    new += _insert_signers(connection, more, now)
    signed = signatures.add(
        connection,
        [(number, *each) for entry, number in new for each in entry.signatures],
        [(signer.id, *each) for entry, signer in places for each in entry.signatures],
        now,
    )
    for entry, signer in places:  # what was taken back may be signed anew; it waits for its own confirmation
        again = signatures.revive(connection, signer.id, [case for case, *_ in entry.signatures], now)
        signed.setdefault(signer.id, []).extend(again)
    mails = [_Mail(entry, number, "confirm", "new") for entry, number in new]
    _queue_mails(connection, mails + _mails_to_known(connection, places, signed, now), now)
    inserted = {entry.email_key for entry, _ in new}
    return [entry for entry, _ in more if entry.email_key not in inserted]


def _find_places(
    connection: Connection, entries: Sequence[_Sealed]
) -> tuple[list[tuple[_Sealed, _Known]], list[tuple[_Sealed, int]]]:
    """Where the entries of known mailboxes belong: to which signer, or into which free slot of the mailbox."""
    known = _known_signers(connection, entries) if entries else {}
    places: list[tuple[_Sealed, _Known]] = []
    fresh: list[tuple[_Sealed, int]] = []
    for entry in entries:
        there = known.get((entry.campaign_id, entry.email_key), [])
        same = next((signer for signer in there if signer.name_key == entry.name_key), None)
        slot = _free_slot(there, entry.most_slots)
        if same is not None:
            places.append((entry, same))
        elif slot is not None:
            fresh.append((entry, slot))
        else:  # the mailbox is full: nothing is added, its first signer is told
            places.append((_to_nobody_by_name(entry), there[0]))
    return places, fresh


def _to_nobody_by_name(entry: _Sealed) -> _Sealed:
    """It without wishes and without a name: the link is the first signer's, who is not greeted as somebody else."""
    nameless = {"to": entry.to, "first_name": "", "last_name": ""}
    return replace(entry, signatures=(), mail=sealing.seal(nameless, [keyring().master_public]))


def _known_signers(connection: Connection, entries: Sequence[_Sealed]) -> dict[tuple[int, bytes], list[_Known]]:
    """The signers of these mailboxes, by campaign and mailbox."""
    found: dict[tuple[int, bytes], list[_Known]] = {}
    columns = ("campaign_id", "email_key", "id", "slot", "name_key", "asked_at", "confirmed_at")
    campaigns = sorted({entry.campaign_id for entry in entries})  # first in the index, so never left out
    mailboxes: dict[str, Sequence[Any]] = {
        "campaign_id": campaigns,
        "email_key": [entry.email_key for entry in entries],
    }
    rows = bulk.matching(connection, Signer, columns, mailboxes)
    for campaign_id, email_key, number, slot, name_key, asked_at, confirmed_at in sorted(rows, key=lambda row: row[3]):
        signer = _Known(number, slot, name_key, asked_at, confirmed_at is not None)
        found.setdefault((campaign_id, email_key), []).append(signer)
    return found


def _free_slot(there: Sequence[_Known], most: int) -> int | None:
    taken = {signer.slot for signer in there}
    return next((slot for slot in range(1, most + 1) if slot not in taken), None)


def _insert_signers(
    connection: Connection, fresh: Sequence[tuple[_Sealed, int]], now: datetime
) -> list[tuple[_Sealed, int]]:
    """New signers with their ids; left out are those whose place was taken in the same instant."""
    rows = [
        (e.campaign_id, e.email_key, slot, e.name_key, e.sealed, e.salt, e.locale, e.newsletter, e.pass_id)
        for e, slot in fresh
    ]
    columns = ("campaign_id", "email_key", "slot", "name_key", "sealed", "link_salt", "locale", "newsletter", "pass_id")
    returned = bulk.insert(
        connection,
        Signer,
        columns,
        rows,
        same={"signed_at": now, "asked_at": now},
        on_conflict="DO NOTHING",
        returning=("id", "campaign_id", "email_key"),
    )
    ids = {(campaign_id, email_key): number for number, campaign_id, email_key in returned}
    places = ((entry, ids.get((entry.campaign_id, entry.email_key))) for entry, _ in fresh)
    return [(entry, number) for entry, number in places if number is not None]


def _mails_to_known(
    connection: Connection, places: Sequence[tuple[_Sealed, _Known]], signed: signatures.Moved, now: datetime
) -> list[_Mail]:
    """A mail for each known signer who added a case, or who asks again after a while; notes when they asked."""
    mails = []
    for entry, signer in places:
        new_cases = signed.get(signer.id, [])
        if new_cases or abs(now - signer.asked_at) >= RESEND_AFTER:  # both ways: the clock may have run ahead
            kind = "confirm" if new_cases or not signer.is_confirmed else "repeat"
            # The same for two servers that see the same double click
            occasion = (
                ".".join(map(str, sorted(new_cases))) + f":{int(now.timestamp() // RESEND_AFTER.total_seconds())}"
            )
            mails.append(_Mail(entry, signer.id, kind, occasion))
    if mails:
        ids = [mail.signer_id for mail in mails]
        connection.execute(update(Signer).where(Signer.id.in_(ids)).values(asked_at=now))
    return mails


def _queue_mails(connection: Connection, mails: Sequence[_Mail], now: datetime) -> None:
    """Queue what each mailbox's limit allows: this is how nobody is bombed with our mails."""
    allowed = mailslots.take(connection, [mail.entry.mailbox_key for mail in mails], now)
    letters = [mail.letter() for mail, may_go in zip(mails, allowed, strict=True) if may_go]
    outbox.queue(connection, letters, now)
