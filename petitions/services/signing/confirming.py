"""Confirmation: the owner of a mailbox confirms signatures by the link or by the code in the e-mail."""

import hmac
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, select

from petitions import clock
from petitions.db.transactions import write_queue
from petitions.domain import identity, sealing
from petitions.domain.states import SignatureState
from petitions.errors import CampaignClosed, CodeWrong, DomainError, LinkExpired, MailboxFull, NameUnknown
from petitions.models import Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign, PublicCase, catalogue
from petitions.queries.signer import SignerFacts
from petitions.services import ledger
from petitions.services.keys.keyring import blind_key, keyring
from petitions.services.limits import rate_limits
from petitions.services.mailing import outbox
from petitions.services.moderation import holds
from petitions.services.privacy.consent import consent_version
from petitions.services.privacy.erasure import erase_signers
from petitions.services.signatures import signatures
from petitions.services.signing import links

LINK_LIFETIME = timedelta(days=14)
CODE_LIFETIME = timedelta(hours=24)
PURPOSE = "confirm"


def link_token(facts: SignerFacts) -> str:
    """The token of the confirmation link in this signer's e-mails."""
    return links.token_for(facts, PURPOSE)


def code(facts: SignerFacts) -> str:
    """The six-digit code in this signer's e-mails."""
    return sealing.short_code(keyring().secret_key, facts.link_id)


def open_link(token: str) -> SignerFacts:
    """The signer of a confirmation link; changes nothing. Raises LinkUnknown, or LinkExpired after 14 days."""
    facts = links.signer_behind(token, PURPOSE)
    if (
        abs(clock.now() - facts.asked_at) > LINK_LIFETIME
    ):  # abs(): a clock that was ahead must not make links that stay valid for longer
        raise LinkExpired()
    return facts


def confirm_signer(token: str, *, wants_receipt: bool = False) -> None:
    """Confirm all pending signatures of this link's signer. Idempotent.

    A receipt can be sent only while the outbox still holds the address: three days at most. Raises MailboxFull.
    """
    signer_id = open_link(token).id
    _refuse(write_queue().submit(_confirm_with_receipt if wants_receipt else _confirm_batch, signer_id))


def confirm_named(token: str, first_name: str, last_name: str) -> str:
    """Confirm the entry with this name at the link's address; returns the token of that signer's link.

    Several people, also without permission, may have entered the same address; its owner chooses by name. Raises
    NameUnknown or MailboxFull.
    """
    facts = open_link(token)
    name = identity.same_name_key(first_name=first_name, last_name=last_name)
    key = blind_key(catalogue().campaign_with_id(facts.campaign_id))
    found = signer_query.named(facts, sealing.blind_name(key, facts.email_key, name))
    if found is None:
        raise NameUnknown()
    _refuse(write_queue().submit(_confirm_batch, found.id))
    return link_token(found)


def confirm_by_code(campaign: PublicCampaign, email: str, typed: str) -> str:
    """Confirm the pending signatures of the mailbox by the e-mail's code; returns the token of the signer's link.

    Raises CodeWrong, which does not show whether the address is known; TooManyTries after five tries a day;
    MailboxFull.
    """
    rate_limits.spend(rate_limits.CODE_TRIES, f"{campaign.id} {identity.mailbox_loosely(email)}")
    digits = "".join(str(int(char)) for char in typed if char.isdecimal())
    key = sealing.blind_index(blind_key(campaign), "email", identity.mailbox(email))
    for facts in signer_query.in_mailbox(campaign.id, key):
        is_fresh = abs(clock.now() - facts.asked_at) <= CODE_LIFETIME
        if hmac.compare_digest(code(facts), digits.rjust(6)) and is_fresh:
            _refuse(write_queue().submit(_confirm_batch, facts.id))
            return link_token(facts)
    raise CodeWrong()


def sign_more(token: str, campaign: PublicCampaign, cases: Sequence[PublicCase], consent: str) -> None:
    """Sign further cases, confirmed at once: the holder of the link has confirmed the mailbox."""
    add_confirmed(open_link(token), campaign, cases, consent)


def add_confirmed(facts: SignerFacts, campaign: PublicCampaign, cases: Sequence[PublicCase], consent: str) -> None:
    """Sign further cases for a signer whose mailbox is confirmed; raises CampaignClosed."""
    if campaign.id != facts.campaign_id or not cases or not campaign.is_open:
        raise CampaignClosed(campaign=campaign.slug)
    version = consent_version(campaign.id, facts.locale, consent)
    rows = signatures.wanted(cases, facts.locale, version, "direct")
    additions = tuple(signatures.NewSignature(facts.id, *row) for row in rows)
    _refuse(write_queue().submit(_add_batch, additions))


def reject_signer(token: str) -> None:
    """The answer "it was not me": withdraw what is pending; erase the signer if nothing was ever confirmed."""
    write_queue().submit(_reject_batch, open_link(token).id)


def _refuse(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def _confirm_batch(connection: Connection, signer_ids: Sequence[int]) -> list[DomainError | None]:
    claimed = holds.confirm(connection, signer_ids, clock.now())
    outbox.cancel_reminders(connection, sorted(claimed.placed | claimed.uncounted))
    return [MailboxFull() if signer_id in claimed.full else None for signer_id in signer_ids]


def _confirm_with_receipt(connection: Connection, signer_ids: Sequence[int]) -> list[DomainError | None]:
    outbox.turn_into_receipts(connection, signer_ids, clock.now())
    return _confirm_batch(connection, signer_ids)


def _add_batch(
    connection: Connection, additions: Sequence[tuple[signatures.NewSignature, ...]]
) -> list[DomainError | None]:
    # A signer who was erased meanwhile stays erased; the row lock makes this transaction and `_reject_batch` wait for
    # each other.
    asked = sorted({rows[0].signer_id for rows in additions})
    is_living = Signer.id.in_(asked) & Signer.erased_at.is_(None)
    living = list(connection.scalars(select(Signer.id).where(is_living).order_by(Signer.id).with_for_update()))
    now = clock.now()
    rows = [row for rows in additions for row in rows if row.signer_id in living]
    signatures.add(connection, [], rows, now)
    for signer_id in living:
        signatures.revive(connection, signer_id, [row.case_id for row in rows if row.signer_id == signer_id], now)
    refused = dict(zip(living, _confirm_batch(connection, living), strict=True))
    return [refused.get(rows[0].signer_id) for rows in additions]


def _reject_batch(connection: Connection, signer_ids: Sequence[int]) -> list[None]:
    now = clock.now()
    known = select(Signer.id, Signer.link_id, Signer.confirmed_at).where(Signer.id.in_(signer_ids))
    rows = connection.execute(known).all()
    never_confirmed = [row.id for row in rows if row.confirmed_at is None]
    moved = signatures.move(connection, signer_ids, SignatureState.PENDING, SignatureState.WITHDRAWN, now)
    outbox.cancel(connection, signer_ids)
    refused = [(row.link_id, moved[row.id]) for row in rows if row.confirmed_at is not None and row.id in moved]
    ledger.append(connection, [ledger.withdrawal(link_id, cases) for link_id, cases in refused], now)
    signatures.take_back(connection, never_confirmed, now)
    erase_signers(connection, never_confirmed, now)
    return [None] * len(signer_ids)
