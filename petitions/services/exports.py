"""Handing signatures over: opened with the section's private key, on a machine that has it."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain

from sqlalchemy import select

from petitions import sealing
from petitions.db.transactions import reading
from petitions.models import Campaign, Case, Signature, Signer
from petitions.models.states import SignatureState

HEADER = (
    *("case", "first_name", "last_name", "email", "birth_date", "language", "newsletter"),
    *("signed_at", "confirmed_at"),
)
# Spreadsheets fold the full-width forms to the plain ones
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def opened_signatures(campaign_slug: str, identities: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Each confirmed signature as a row under HEADER, by signer; raises sealing.CannotOpen for a wrong key."""
    statement = (
        select(Case.slug, Signer.id, Signer.sealed, Signer.locale, Signer.newsletter)
        .add_columns(Signature.signed_at, Signature.confirmed_at)
        .join_from(Signature, Signer)
        .join(Case, Case.id == Signature.case_id)
        .join(Campaign, Campaign.id == Case.campaign_id)
        .where(Campaign.slug == campaign_slug, Signature.state == SignatureState.CONFIRMED)
        .where(Signer.sealed.is_not(None))
        .order_by(Signer.id, Case.position)
    )
    opened: tuple[int, dict[str, str]] = (0, {})
    with reading() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=1000)
        with streaming.execute(statement) as result:  # closed also where the reader stops half-way
            for row in result:
                if row.id != opened[0]:
                    opened = (row.id, sealing.unseal(row.sealed, identities))
                names = tuple(opened[1].get(key, "") for key in ("first_name", "last_name", "email", "birth_date"))
                times = (row.signed_at.isoformat(timespec="seconds"), row.confirmed_at.isoformat(timespec="seconds"))
                yield (row.slug, *names, row.locale, "yes" if row.newsletter else "no", *times)


def csv_lines(rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """The rows as CSV with a heading; no cell can be taken for a formula."""
    for row in chain([HEADER], rows):
        line = io.StringIO()
        csv.writer(line).writerow([safe_cell(value) for value in row])
        yield line.getvalue()


def safe_cell(value: str) -> str:
    """The value as a text cell: a spreadsheet would run `=…` as a formula, so it gets an apostrophe in front."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
