"""Handing signatures over: sealed as they lie here. Only the section's private key, which is elsewhere, opens them."""

import base64
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from petitions.db.transactions import reading
from petitions.models import Campaign, Case, LetterVersion, Signature, Signer
from petitions.models.states import SignatureState

log = logging.getLogger(__name__)


def sealed_lines(campaign_slug: str, by: str) -> Iterator[str]:
    """Each confirmed signer as a line of JSON, by number; `by` goes to the log.

    A line has `id`, `locale`, `newsletter`, `signed_at`, `confirmed_at`, `sealed` and `sealed_name` (base64, or null),
    and `signatures`: `case`, `letter` (the SHA-256 of the words signed), `signed_at`, `confirmed_at` of each. Who took
    every signature back, but wants news, has an empty list there.
    """
    signers = signatures = 0
    log.info("export begun campaign=%s by=%s", campaign_slug, by)
    with reading() as connection:
        cases, letters = _names(connection, campaign_slug)
        streaming = connection.execution_options(stream_results=True, yield_per=1000)
        with streaming.execute(_rows(campaign_slug)) as result:  # closed also where the reader stops half-way
            for _, rows in groupby(result, attrgetter("id")):
                line = _line(list(rows), cases, letters)
                signers, signatures = signers + 1, signatures + len(line["signatures"])
                yield json.dumps(line) + "\n"
    log.info("export ended campaign=%s by=%s signers=%s signatures=%s", campaign_slug, by, signers, signatures)


def sealed_sample(campaign_slug: str, number: int) -> list[bytes]:
    """The sealed payloads of `number` signers, drawn by lot."""
    drawn = select(Signer.id).join(Campaign).where(Campaign.slug == campaign_slug, Signer.sealed.is_not(None))
    statement = select(Signer.sealed).where(Signer.id.in_(drawn.order_by(func.random()).limit(number)))
    with reading() as connection:
        return [bytes(sealed) for sealed in connection.scalars(statement) if sealed is not None]


def _rows(campaign_slug: str) -> Select[Any]:
    is_confirmed = and_(Signature.signer_id == Signer.id, Signature.state == SignatureState.CONFIRMED)
    return (
        select(Signer.id, Signer.locale, Signer.newsletter, Signer.sealed, Signer.sealed_name)
        .add_columns(Signer.signed_at, Signer.confirmed_at, Signature.case_id, Signature.letter_version_id)
        .add_columns(Signature.signed_at.label("case_signed_at"), Signature.confirmed_at.label("case_confirmed_at"))
        .join_from(Signer, Campaign)
        .outerjoin(Signature, is_confirmed)
        .where(Campaign.slug == campaign_slug, Signer.sealed.is_not(None), Signer.confirmed_at.is_not(None))
        .where(or_(Signature.case_id.is_not(None), Signer.newsletter))
        .order_by(Signer.id)
    )


def _names(connection: Connection, campaign_slug: str) -> tuple[dict[int, tuple[int, str]], dict[int, str]]:
    """Position and slug of each case, and the hash of each letter's words."""
    case_rows = select(Case.id, Case.position, Case.slug).join(Campaign).where(Campaign.slug == campaign_slug)
    cases = {row.id: (row.position, row.slug) for row in connection.execute(case_rows)}
    letter_rows = select(LetterVersion.id, LetterVersion.sha256).where(LetterVersion.case_id.in_(list(cases)))
    return cases, {row.id: row.sha256 for row in connection.execute(letter_rows)}


def _line(rows: list[Row[Any]], cases: dict[int, tuple[int, str]], letters: dict[int, str]) -> dict[str, Any]:
    """One signer, whose signatures come in the order of the cases."""
    signed = sorted((row for row in rows if row.case_id is not None), key=lambda row: cases[row.case_id])
    first = rows[0]
    return {
        "id": first.id,
        "locale": first.locale,
        "newsletter": first.newsletter,
        "signed_at": _moment(first.signed_at),
        "confirmed_at": _moment(first.confirmed_at),
        "signatures": [
            {
                "case": cases[row.case_id][1],
                "letter": letters[row.letter_version_id],
                "signed_at": _moment(row.case_signed_at),
                "confirmed_at": _moment(row.case_confirmed_at),
            }
            for row in signed
        ],
        "sealed": base64.b64encode(first.sealed).decode(),
        "sealed_name": base64.b64encode(first.sealed_name).decode() if first.sealed_name else None,
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
