"""Exports: confirmed signatures, encrypted as stored; only the recipients' private keys, kept elsewhere, open them."""

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
from petitions.domain import sealing
from petitions.domain.states import SignatureState
from petitions.models import Campaign, Case, LetterVersion, Signature, Signer
from petitions.services import journal

log = logging.getLogger(__name__)


def sealed_lines(campaign_slug: str, by: str) -> Iterator[str]:
    """Each confirmed signer as a line of JSON, in random order; `by` goes to log and journal.

    A line has `campaign`, `id` (random), `locale`, `newsletter`, `signed_on`, `confirmed_on`, `sealed` and
    `sealed_name` (base64, or null), and `signatures`: `case`, `letter` (the SHA-256 of the words signed), `signed_on`
    and `confirmed_on` of each signature whose name may be delivered, because signer and case allow it. For a signer
    without any who wants the newsletter the list is empty; others without any are left out. The last line has `totals`:
    for each case the numbers of confirmed signatures and of those listed above.
    """
    signers = 0
    totals: dict[str, dict[str, int]] = {}
    log.info("export begun campaign=%s by=%s", campaign_slug, by)
    journal.note(by, "export begun", campaign_slug)
    with reading() as connection:
        cases, letters = _names(connection, campaign_slug)
        totals = {slug: {"confirmed": 0, "named": 0} for _, slug, _ in cases.values()}
        streaming = connection.execution_options(stream_results=True, yield_per=1000)
        with streaming.execute(_rows(campaign_slug)) as result:  # closed also if the reader stops early
            for _, rows in groupby(result, attrgetter("link_id")):
                line = _line(campaign_slug, list(rows), cases, letters, totals)
                if line["signatures"] or line["newsletter"]:
                    signers += 1
                    yield json.dumps(line) + "\n"
    yield json.dumps({"totals": totals}) + "\n"
    named = sum(each["named"] for each in totals.values())
    log.info("export ended campaign=%s by=%s signers=%s signatures=%s", campaign_slug, by, signers, named)
    journal.note(by, "export ended", campaign_slug, signers)


def sealed_sample(campaign_slug: str, number: int) -> list[bytes]:
    """The encrypted payloads of `number` signers, chosen at random."""
    drawn = select(Signer.id).join(Campaign).where(Campaign.slug == campaign_slug, Signer.sealed.is_not(None))
    statement = select(Signer.sealed).where(Signer.id.in_(drawn.order_by(func.random()).limit(number)))
    with reading() as connection:
        return [bytes(sealed) for sealed in connection.scalars(statement) if sealed is not None]


def _rows(campaign_slug: str) -> Select[Any]:
    is_confirmed = and_(Signature.signer_id == Signer.id, Signature.state == SignatureState.CONFIRMED)
    return (
        select(Signer.link_id, Signer.locale, Signer.newsletter, Signer.is_named, Signer.sealed, Signer.sealed_name)
        .add_columns(Signer.signed_at, Signer.confirmed_at, Signature.case_id, Signature.letter_version_id)
        .add_columns(Signature.signed_at.label("case_signed_at"), Signature.confirmed_at.label("case_confirmed_at"))
        .join_from(Signer, Campaign)
        .outerjoin(Signature, is_confirmed)
        .where(Campaign.slug == campaign_slug, Signer.sealed.is_not(None), Signer.confirmed_at.is_not(None))
        .where(or_(Signature.case_id.is_not(None), Signer.newsletter))
        .order_by(Signer.link_id)
    )


def _names(
    connection: Connection, campaign_slug: str
) -> tuple[dict[int, tuple[int, str, bool]], dict[int | None, str]]:
    """Position, slug and `hands_over_names` of each case, and the hash of each letter version."""
    columns = (Case.id, Case.position, Case.slug, Case.hands_over_names)
    case_rows = select(*columns).join(Campaign).where(Campaign.slug == campaign_slug)
    cases = {row.id: (row.position, row.slug, row.hands_over_names) for row in connection.execute(case_rows)}
    letter_rows = select(LetterVersion.id, LetterVersion.sha256).where(LetterVersion.case_id.in_(list(cases)))
    return cases, {row.id: row.sha256 for row in connection.execute(letter_rows)}


def _line(
    campaign: str,
    rows: list[Row[Any]],
    cases: dict[int, tuple[int, str, bool]],
    letters: dict[int | None, str],
    totals: dict[str, dict[str, int]],
) -> dict[str, Any]:
    """One signer, whose rows are in the order of the cases; adds to `totals`."""
    signed = sorted((row for row in rows if row.case_id is not None), key=lambda row: cases[row.case_id])
    first, named = rows[0], []
    for row in signed:
        _, slug, hands_over = cases[row.case_id]
        totals[slug]["confirmed"] += 1
        if first.is_named and hands_over:
            totals[slug]["named"] += 1
            times = {"signed_on": _day(row.case_signed_at), "confirmed_on": _day(row.case_confirmed_at)}
            named.append({"case": slug, "letter": letters[row.letter_version_id], **times})
    return {
        **sealing.bound_to(campaign, first.link_id),
        "locale": first.locale,
        "newsletter": first.newsletter,
        "signed_on": _day(first.signed_at),
        "confirmed_on": _day(first.confirmed_at),
        "signatures": named,
        "sealed": base64.b64encode(first.sealed).decode(),
        "sealed_name": base64.b64encode(first.sealed_name).decode() if first.sealed_name else None,
    }


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
