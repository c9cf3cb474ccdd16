"""The signer's own page: what the holder of its link may see and change. No password, no account."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, case, select, update
from sqlalchemy.exc import IntegrityError

from petitions import clock
from petitions.db.transactions import reading, transaction, write_queue
from petitions.domain import identity, sealing
from petitions.domain.states import SignatureState
from petitions.errors import NameTaken, TooManyTries
from petitions.models import Campaign, Collector, ConsentVersion, LetterVersion, Signature, Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign, PublicCase, catalogue
from petitions.queries.signer import SignerFacts
from petitions.services import ledger
from petitions.services.keys.keyring import blind_key, keyring, public_keys
from petitions.services.limits import mail_quota, networks, rate_limits
from petitions.services.mailing import outbox
from petitions.services.privacy.erasure import erase_signers
from petitions.services.signatures import signatures
from petitions.services.signing import links
from petitions.services.signing.confirming import add_confirmed

PURPOSE = "mine"


def link_token(facts: SignerFacts) -> str:
    """The token of the link to this signer's own page."""
    return links.token_for(facts, PURPOSE)


def open_page(token: str) -> SignerFacts:
    """The signer of a link; raises LinkUnknown. The link is valid until the signer is erased."""
    return links.signer_behind(token, PURPOSE)


def withdraw(token: str, case_ids: Sequence[int]) -> None:
    """Withdraw these signatures; they no longer count."""
    write_queue().submit(_withdraw_batch, (open_page(token), tuple(case_ids)))


def sign_more(token: str, campaign: PublicCampaign, cases: Sequence[PublicCase], consent: str) -> None:
    """Sign further cases; they count at once, because the holder of the link has confirmed the mailbox."""
    add_confirmed(open_page(token), campaign, cases, consent)


def correct_name(token: str, first_name: str, last_name: str) -> None:
    """Replace the name; raises NameTaken if the mailbox has another signer of that name."""
    facts = open_page(token)
    names = {"first_name": first_name, "last_name": last_name}
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    name_key = sealing.blind_name(blind_key(campaign), facts.email_key, identity.same_name_key(**names))
    sealed = sealing.seal({**names, **sealing.bound_to(campaign.slug, facts.link_id)}, public_keys())
    line = {"what": ledger.CORRECTED, "sha256": hashlib.sha256(sealed).hexdigest()}
    try:
        _change(facts, line, name_key=name_key, sealed_name=sealed)
    except IntegrityError as exc:
        raise NameTaken() from exc


def set_newsletter(token: str, wanted: bool) -> None:
    """Start or stop the newsletter for this signer."""
    _change(open_page(token), {"what": ledger.NEWS, "wanted": wanted}, newsletter=wanted)


def set_named(token: str, is_named: bool) -> None:
    """Allow or refuse that the name is delivered; the signatures count in both cases."""
    _change(open_page(token), {"what": ledger.NAMED, "wanted": is_named}, is_named=is_named)


def set_language(token: str, locale: str) -> None:
    """Change the language of the e-mails to this signer."""
    _change(open_page(token), None, locale=locale)


def erase(token: str) -> None:
    """Withdraw all signatures and erase the signer's data at once. The link is dead afterwards."""
    facts = open_page(token)
    write_queue().submit(_erase_batch, facts.id)


def request_link(email: str, locale: str, campaign: PublicCampaign, network: str) -> None:
    """Queue an e-mail with the link to the signers who confirmed with this address, if there are any.

    The same row is written for every address, and the worker looks up the signers later, so that the response time does
    not show whether the address is known. Raises TooManyTries.
    """
    payload = sealing.seal({"to": email, "campaign": campaign.slug}, [keyring().master_public])
    request = outbox.NewMessage(outbox.REQUEST, None, locale, payload, secrets.token_hex(16))
    place = rate_limits.ASKS.key(networks.line(network) or campaign.slug)
    number = write_queue().submit(_request_batch, (request, place))
    if network and number > rate_limits.ASKS.most:
        raise TooManyTries(kind=rate_limits.ASKS.kind, seconds=int(rate_limits.ASKS.window.total_seconds()))


def answer_request(request: outbox.Leased) -> None:
    """Queue an e-mail for each signer who confirmed with the requested address, and delete the request."""
    campaign, email = catalogue().campaign(request.recipient["campaign"]), request.recipient["to"]
    key = sealing.blind_index(blind_key(campaign), "email", identity.same_address(email))
    payload = sealing.seal({"to": email}, [keyring().master_public])
    messages = [
        outbox.NewMessage("mine", each.id, request.locale, payload, f"mine:{request.id}:{each.id}")
        for each in signer_query.at_address(campaign.id, key)
        if each.is_confirmed
    ]
    outbox.answer(request, messages, mail_quota.wanted(email))


def stored_data(token: str) -> dict[str, Any]:
    """Everything that is stored about this signer; encrypted values stay encrypted, as base64."""
    facts = open_page(token)
    person = (
        *(Campaign.slug, Signer.locale, Signer.newsletter, Signer.is_named, Signer.is_of_age, Signer.signed_at),
        *(Signer.confirmed_at, Signer.sealed, Signer.sealed_name, Collector.code.label("collectors_code")),
    )
    # As on the signer's page: it must not show that other signers took the mailbox's places
    is_uncounted = (Signature.state == SignatureState.INVALIDATED) & Signature.invalidation_id.is_(None)
    state = case((is_uncounted, SignatureState.CONFIRMED), else_=Signature.state).label("state")
    signed = (
        *(Signature.case_id, state, Signature.source, Signature.signed_at, Signature.confirmed_at),
        *(Signature.withdrawn_at, LetterVersion.demand, LetterVersion.locale, ConsentVersion.words),
    )
    with reading() as connection:
        person_row = connection.execute(
            select(*person)
            .join(Campaign, Campaign.id == Signer.campaign_id)
            .outerjoin(Collector, Collector.id == Signer.collector_id)
            .where(Signer.id == facts.id)
        ).one()
        rows = connection.execute(
            select(*signed)
            .join(LetterVersion, LetterVersion.id == Signature.letter_version_id)
            .outerjoin(ConsentVersion, ConsentVersion.id == Signature.consent_version_id)
            .where(Signature.signer_id == facts.id)
            .order_by(Signature.case_id)
        ).all()
    return {**_plain(person_row), "signatures": [_plain(row) for row in rows]}


def _request_batch(connection: Connection, requests: Sequence[tuple[outbox.NewMessage, str]]) -> list[int]:
    now = clock.now()
    numbers = rate_limits.use(connection, rate_limits.ASKS, [place for _, place in requests], now)
    numbered = zip(requests, numbers, strict=True)
    messages = [
        replace(message, earlier=number - 1) for (message, _), number in numbered if number <= rate_limits.ASKS.most
    ]
    outbox.queue(connection, messages, now)
    return numbers


def _withdraw_batch(connection: Connection, wishes: Sequence[tuple[SignerFacts, tuple[int, ...]]]) -> list[None]:
    now = clock.now()
    ledger.append(connection, [ledger.withdrawal(facts.link_id, cases) for facts, cases in wishes], now)
    for facts, case_ids in wishes:
        signatures.take_back(connection, [facts.id], now, case_ids)
    return [None] * len(wishes)


def _erase_batch(connection: Connection, ids: Sequence[int]) -> list[None]:
    now = clock.now()
    signatures.take_back(connection, ids, now)
    erase_signers(connection, ids, now)
    return [None] * len(ids)


def _change(facts: SignerFacts, line: ledger.Line | None, **values: Any) -> None:
    """Update the signer's row; `line` goes to the ledger, so that a restored backup cannot undo the change."""
    with transaction() as store:
        store.execute(update(Signer).where(Signer.id == facts.id, Signer.erased_at.is_(None)).values(**values))
        if line is not None:
            ledger.append(store.connection(), [{**line, "signer": facts.link_id.hex()}], clock.now())


def _plain(row: Any) -> dict[str, Any]:
    """The row as values that JSON can express."""
    said: dict[str, Any] = {}
    for name, value in row._mapping.items():  # noqa: SLF001 - SQLAlchemy's documented name
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode()
        said[name] = value.isoformat() if hasattr(value, "isoformat") else value
    return said
