"""The signer's own page: what whoever holds its link may see and change. No password, no account."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from petitions import clock, people, sealing
from petitions.db.transactions import reading, transaction, write_queue
from petitions.errors import DomainError
from petitions.models import Campaign, ConsentVersion, LetterVersion, Signature, Signer
from petitions.models.states import SignatureState
from petitions.queries.catalogue import PublicCampaign, PublicCase, catalogue
from petitions.queries.signer import SignerFacts
from petitions.services import links, mailslots, outbox, signatures
from petitions.services.confirming import add_confirmed
from petitions.services.erasing import erase_signers
from petitions.services.keyring import blind_key, keyring, public_keys

PURPOSE = "mine"


class NameTaken(DomainError):
    """Somebody of that name already signed with this mailbox."""

    code = "name_taken"


def link_token(facts: SignerFacts) -> str:
    """The secret part of the link to this signer's own page."""
    return links.token_for(facts, PURPOSE)


def open_page(token: str) -> SignerFacts:
    """Whose page this is; raises LinkUnknown. The link works until the signer is erased."""
    return links.signer_behind(token, PURPOSE)


def withdraw(token: str, case_ids: Sequence[int]) -> None:
    """Take these signatures back; they no longer count."""
    write_queue().submit(_withdraw_batch, (open_page(token).id, tuple(case_ids)))


def sign_more(token: str, campaign: PublicCampaign, cases: Sequence[PublicCase], consent: str) -> None:
    """Sign further cases; they count at once, for whoever holds the link has proven the mailbox."""
    add_confirmed(open_page(token), campaign, cases, consent)


def correct_name(token: str, first_name: str, last_name: str) -> None:
    """Put another name on the signatures; raises NameTaken if the mailbox has a signer of that name."""
    facts = open_page(token)
    names = {"first_name": first_name, "last_name": last_name}
    key = blind_key(catalogue().campaign_with_id(facts.campaign_id))
    name_key = sealing.blind_index(key, "name", people.same_name_key(**names))
    try:
        _change(facts, name_key=name_key, sealed_name=sealing.seal(names, public_keys()))
    except IntegrityError as why:
        raise NameTaken() from why


def set_newsletter(token: str, wanted: bool) -> None:
    """Begin or stop sending news to this signer."""
    _change(open_page(token), newsletter=wanted)


def set_language(token: str, locale: str) -> None:
    """Write to this signer in another language from now on."""
    _change(open_page(token), locale=locale)


def erase(token: str) -> None:
    """Take every signature back and forget the person, at once. The link dies with it."""
    facts = open_page(token)
    write_queue().submit(_erase_batch, facts.id)


def request_link(campaign: PublicCampaign, email: str, locale: str) -> None:
    """Mail the link to whoever signed with this address. Nothing tells whether anybody did."""
    key = sealing.blind_index(blind_key(campaign), "email", people.mailbox(email))
    payload = sealing.seal({"to": email, "first_name": "", "last_name": ""}, [keyring().master_public])
    request = _Request(campaign.id, key, locale, payload, mailslots.mailbox_key(email))
    write_queue().submit(_request_batch, request)


def stored_data(token: str) -> dict[str, Any]:
    """Everything that is stored about this signer, as it is stored: the sealed parts stay sealed."""
    facts = open_page(token)
    person = (
        *(Campaign.slug, Signer.locale, Signer.newsletter, Signer.signed_at, Signer.confirmed_at),
        *(Signer.sealed, Signer.sealed_name),
    )
    signed = (
        *(Signature.case_id, Signature.state, Signature.source, Signature.signed_at, Signature.confirmed_at),
        *(Signature.withdrawn_at, LetterVersion.demand, LetterVersion.locale, ConsentVersion.words),
    )
    with reading() as connection:
        mine = connection.execute(
            select(*person).join(Campaign, Campaign.id == Signer.campaign_id).where(Signer.id == facts.id)
        ).one()
        rows = connection.execute(
            select(*signed)
            .join(LetterVersion, LetterVersion.id == Signature.letter_version_id)
            .outerjoin(ConsentVersion, ConsentVersion.id == Signature.consent_version_id)
            .where(Signature.signer_id == facts.id)
            .order_by(Signature.case_id)
        ).all()
    return {**_plain(mine), "signatures": [_plain(row) for row in rows]}


@dataclass(frozen=True)
class _Request:
    """Somebody asks for the link to a mailbox's pages."""

    campaign_id: int
    email_key: bytes
    locale: str
    payload: bytes = field(repr=False)
    mailbox_key: str


def _request_batch(connection: Connection, requests: Sequence[_Request]) -> list[None]:
    now = clock.now()
    for request in requests:
        mine = (Signer.campaign_id == request.campaign_id, Signer.email_key == request.email_key)
        ids = list(connection.scalars(select(Signer.id).where(*mine).order_by(Signer.slot)))
        allowed = mailslots.take(connection, [request.mailbox_key] * len(ids), now)
        letters = [
            outbox.Letter("mine", signer_id, request.locale, request.payload, f"mine:{signer_id}:{now.timestamp()}")
            for signer_id, may_go in zip(ids, allowed, strict=True)
            if may_go
        ]
        outbox.queue(connection, letters, now)
    return [None] * len(requests)


def _withdraw_batch(connection: Connection, wishes: Sequence[tuple[int, tuple[int, ...]]]) -> list[None]:
    now = clock.now()
    for signer_id, case_ids in wishes:
        for before in signatures.LIVING:
            signatures.move(connection, [signer_id], before, SignatureState.WITHDRAWN, now, case_ids)
    return [None] * len(wishes)


def _erase_batch(connection: Connection, ids: Sequence[int]) -> list[None]:
    now = clock.now()
    signatures.take_all_back(connection, ids, now)
    outbox.cancel(connection, ids)
    erase_signers(connection, ids, now)
    return [None] * len(ids)


def _change(facts: SignerFacts, **values: Any) -> None:
    with transaction() as store:
        store.execute(update(Signer).where(Signer.id == facts.id, Signer.erased_at.is_(None)).values(**values))


def _plain(row: Any) -> dict[str, Any]:
    """A row as JSON can say it."""
    said: dict[str, Any] = {}
    for name, value in row._mapping.items():
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode()
        said[name] = value.isoformat() if hasattr(value, "isoformat") else value
    return said
