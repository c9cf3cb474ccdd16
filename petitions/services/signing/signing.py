"""Signing: turns a form's entry into rows on disk. This is the hot path, so it is written for speed.

Before the queue, in the request's own thread: normalise, compute blind indexes, encrypt. In the shared transaction
(`_sign_batch`): a fixed number of statements for the whole batch. Unique keys in the database decide who is new.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, update

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import write_queue
from petitions.domain import identity, sealing
from petitions.errors import Busy, CampaignClosed, DomainError
from petitions.models import Signer
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.queries.signer import KnownSigner, known_signers
from petitions.services import ledger
from petitions.services.keys.keyring import blind_key, keyring, public_keys
from petitions.services.limits import collector_codes, mail_quota
from petitions.services.mailing import outbox
from petitions.services.privacy.consent import consent_version
from petitions.services.signatures import signatures
from petitions.services.signing import admission

RESEND_AFTER = timedelta(minutes=10)  # an earlier second entry is taken for a double click and sends no second e-mail
MAX_OVERTAKEN = 8  # how often another process may insert the same row first before we raise Busy


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a signing form contains: validated, not yet confirmed."""

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
    network: str = ""  # the client's network, never stored; empty: not from the web, so not rate limited
    is_named: bool = True  # the name may be delivered to the addressees; else the signature is only counted
    is_of_age: bool | None = None  # the signer's answer, where the campaign asks for it
    collector_code: str = ""
    proof: str = ""
    is_automatic: bool = False  # probably filled in by a program, so proof of work is required


@dataclass(frozen=True)
class _Sealed:
    """An entry in the form in which the database stores it: encrypted and blinded."""

    campaign_id: int
    address_key: bytes
    email_key: bytes
    name_key: bytes
    link_id: bytes = field(repr=False)
    sealed: bytes = field(repr=False)
    locale: str
    newsletter: bool
    is_named: bool
    is_of_age: bool | None
    signatures: tuple[signatures.Wanted, ...]
    mail: bytes = field(repr=False)  # the encrypted address, for the e-mail only
    quota: tuple[str, int]
    admission_request: admission.AdmissionRequest
    admitted: admission.Admitted = admission.Admitted(None)

    @property
    def key(self) -> tuple[int, bytes, bytes]:
        """The identity of the signer: campaign, address and name."""
        return self.campaign_id, self.address_key, self.name_key


@dataclass(frozen=True)
class _Mail:
    """An e-mail that results from an entry."""

    entry: _Sealed
    signer_id: int
    kind: str
    occasion: str = ""

    def message(self) -> outbox.NewMessage:
        """The row for the outbox."""
        entry = self.entry
        if self.kind == outbox.BLANK:
            return outbox.blank(entry.locale, entry.admitted.earlier)
        key = f"{self.kind}:{self.signer_id}:{self.occasion}"
        return outbox.NewMessage(self.kind, self.signer_id, entry.locale, entry.mail, key, entry.admitted.earlier)


def sign_cases(entry: Entry) -> None:
    """Record the entry's signatures as pending, and queue the e-mail that asks for confirmation.

    Returns when both are on disk. The caller cannot find out whether the signer is new or known; only the e-mail
    differs. Raises CampaignClosed, NoRecipientKey, Busy, ProofNeeded or TooManyTries; then nothing was recorded.
    """
    if not entry.campaign.is_open or not entry.cases:
        raise CampaignClosed(campaign=entry.campaign.slug)
    sealed = _seal(entry)
    refusal = write_queue().submit(_sign_batch, sealed)
    if refusal is not None:
        raise refusal


def _seal(entry: Entry) -> _Sealed:
    key, campaign = blind_key(entry.campaign), entry.campaign
    consent = consent_version(campaign.id, entry.locale, entry.consent)
    names = {"first_name": entry.first_name, "last_name": entry.last_name}
    personal = {**names, "email": entry.email}
    person = f"{identity.mailbox(entry.email)} {identity.same_name_key(**names)}"
    code = collector_codes.wanted(campaign.id, entry.collector_code, person)
    if entry.birth_date is not None:
        personal["birth_date"] = entry.birth_date.isoformat()
    email_key = sealing.blind_index(key, "email", identity.mailbox(entry.email))
    link_id = secrets.token_bytes(sealing.LINK_ID)
    return _Sealed(
        campaign_id=campaign.id,
        address_key=sealing.blind_index(key, "email", identity.same_address(entry.email)),
        email_key=email_key,
        name_key=sealing.blind_name(key, email_key, identity.same_name_key(**names)),
        link_id=link_id,
        sealed=sealing.seal({**personal, **sealing.bound_to(campaign.slug, link_id)}, public_keys()),
        locale=entry.locale,
        newsletter=entry.newsletter,
        is_named=entry.is_named,
        is_of_age=entry.is_of_age,
        signatures=signatures.wanted(entry.cases, entry.locale, consent, entry.source),
        mail=sealing.seal({"to": entry.email}, [keyring().master_public]),
        quota=mail_quota.wanted(entry.email),
        admission_request=admission.prepare(
            campaign.id, entry.network, code, entry.proof, is_automatic=entry.is_automatic
        ),
    )


def _sign_batch(connection: Connection, entries: Sequence[_Sealed]) -> list[DomainError | None]:
    """Apply all entries. Entries of the same signer are applied one after the other, so that each sees the former."""
    now = clock.now()
    answers = admission.admit(connection, [entry.admission_request for entry in entries], now)
    refusals = [answer if isinstance(answer, DomainError) else None for answer in answers]
    entries = [
        replace(entry, admitted=answer)
        for entry, answer in zip(entries, answers, strict=True)
        if not isinstance(answer, DomainError)
    ]
    # Sorted by key: two processes on Postgres take their row locks in the same order.
    waiting = sorted(entries, key=lambda entry: entry.key)
    rounds = len(waiting) + MAX_OVERTAKEN
    while waiting:
        rounds -= 1
        if rounds < 0:  # a unique key conflicts with a row that this transaction cannot see
            raise Busy()
        first: dict[tuple[int, bytes, bytes], _Sealed] = {}
        later = [entry for entry in waiting if first.setdefault(entry.key, entry) is not entry]
        waiting = _sign_distinct(connection, list(first.values()), now) + later
    return refusals


def _sign_distinct(connection: Connection, entries: list[_Sealed], now: datetime) -> list[_Sealed]:
    """Apply entries of different signers; returns those that another process inserted first, to be tried again.

    Most signers are new, so all are inserted as new; only those that conflict are looked up.
    """
    ids = _insert_signers(connection, entries, now)
    known = known_signers(connection, [entry.key for entry in entries if entry.key not in ids])
    new = [(entry, ids[entry.key]) for entry in entries if entry.key in ids]
    places = [(entry, known[entry.key]) for entry in entries if entry.key in known]
    signed = signatures.add(
        connection,
        [signatures.NewSignature(number, *each) for entry, number in new for each in entry.signatures],
        [signatures.NewSignature(signer.id, *each) for entry, signer in places for each in entry.signatures],
        now,
    )
    for entry, signer in places:  # a withdrawn or expired signature becomes pending again
        cases = [each.case_id for each in entry.signatures]
        states = [state for state in signatures.ENDED if state in map(signer.states.get, cases)]
        again = signatures.revive(connection, signer.id, cases, now, states)
        signed.setdefault(signer.id, []).extend(again)
    found = new + [(entry, signer.id) for entry, signer in places]
    _withhold_names(connection, [number for entry, number in found if not entry.is_named], now)
    mails = [_Mail(entry, number, "confirm", "new") for entry, number in new]
    _queue_mails(connection, mails + _mails_to_known(connection, places, signed, now), now)
    return [entry for entry in entries if entry.key not in ids and entry.key not in known]


def _withhold_names(connection: Connection, signer_ids: Sequence[int], now: datetime) -> None:
    """Stop delivering these signers' names. Never the reverse: anyone who knows a name and an address could do it.

    Every such entry appends a line to the ledger, even if nothing changes: otherwise the timing would show who is
    known.
    """
    if signer_ids:
        statement = update(Signer).where(Signer.id.in_(signer_ids)).values(is_named=False).returning(Signer.link_id)
        lines = [
            {"what": ledger.NAMED, "wanted": False, "signer": link_id.hex()}
            for link_id in connection.scalars(statement)
            if link_id
        ]
        ledger.append(connection, lines, now)


def _insert_signers(
    connection: Connection, entries: Sequence[_Sealed], now: datetime
) -> dict[tuple[int, bytes, bytes], int]:
    """Insert the entries; returns the ids of signers that are new, by key."""
    rows = [
        (
            *(*e.key, e.email_key, e.link_id, e.sealed, e.locale, e.newsletter),
            *(e.is_named, e.is_of_age, e.admitted.collector_id),
        )
        for e in entries
    ]
    columns = (
        *("campaign_id", "address_key", "name_key", "email_key", "link_id", "sealed", "locale", "newsletter"),
        *("is_named", "is_of_age", "collector_id"),
    )
    returned = bulk.insert(
        connection,
        Signer,
        columns,
        rows,
        same={"signed_at": clock.minute_of(now), "asked_at": clock.minute_of(now)},
        on_conflict=bulk.skip,
        returning=("id", "campaign_id", "address_key", "name_key"),
    )
    return {tuple(row[1:]): row[0] for row in returned}


def _mails_to_known(
    connection: Connection, places: Sequence[tuple[_Sealed, KnownSigner]], signed: signatures.Moved, now: datetime
) -> list[_Mail]:
    """An e-mail for each known signer who added a case or signs again after a while; updates `asked_at`.

    The others get a blank message, so that the worker has the same work for each entry: otherwise the time until the
    next e-mail would show who is known.
    """
    mails, asked = [], []
    for entry, signer in places:
        new_cases = signed.get(signer.id, [])
        if new_cases or abs(now - signer.asked_at) >= RESEND_AFTER:  # abs(): the clock may have been ahead
            kind = "confirm" if new_cases or not signer.is_confirmed else "repeat"
            # The same on two servers that receive the same double click
            occasion = (
                ".".join(map(str, sorted(new_cases))) + f":{int(now.timestamp() // RESEND_AFTER.total_seconds())}"
            )
            mails.append(_Mail(entry, signer.id, kind, occasion))
            asked.append(signer.id)
        else:
            mails.append(_Mail(entry, signer.id, outbox.BLANK))
    if asked:
        connection.execute(update(Signer).where(Signer.id.in_(asked)).values(asked_at=clock.minute_of(now)))
    return mails


def _queue_mails(connection: Connection, mails: Sequence[_Mail], now: datetime) -> None:
    """Queue what each mailbox's quota allows, against mail bombing. The rest become blank messages."""
    may_go = iter(mail_quota.take(connection, [mail.entry.quota for mail in mails if mail.kind != outbox.BLANK], now))
    messages = [
        (mail if mail.kind != outbox.BLANK and next(may_go) else replace(mail, kind=outbox.BLANK)).message()
        for mail in mails
    ]
    outbox.queue(connection, messages, now)
