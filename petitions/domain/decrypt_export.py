"""Decrypts an export on the officer's machine, without a database. No page may call these functions."""

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from petitions.domain import sealing
from petitions.domain.cells import safe_cell

NAMES = ("first_name", "last_name")
SIGNATURE = ("case", *NAMES, "birth_date", "language", "signed_on")
SIGNER = ("cases", *NAMES, "birth_date", "language", "signed_on")
EVERYTHING = ("case", *NAMES, "email", "birth_date", "language", "newsletter", "signed_on", "confirmed_on")
NEWSLETTER = ("email", *NAMES, "language", "agreed_on")


def columns(rows: str, purpose: str) -> tuple[str, ...]:
    """The heading of the list for `purpose` (delivery or newsletter), with a row per signature or per signer."""
    if purpose == "newsletter":
        return NEWSLETTER
    return SIGNATURE if rows == "signature" else SIGNER


def opened(
    lines: Iterable[str], identities: Sequence[str], totals: dict[str, dict[str, int]] | None = None
) -> Iterator[dict[str, Any]]:
    """Each signer of an export with the decrypted name, the corrected one if there is one.

    `totals` receives the last line: how many signatures each case has, and how many of them are named. Raises
    CannotOpen with the line's number, also if a payload belongs to another signer or campaign.
    """
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
            if "totals" in line:
                (totals if totals is not None else {}).update(line["totals"])
                continue
            names = _payload(line, line["sealed"], identities)
            if line["sealed_name"]:
                names |= _payload(line, line["sealed_name"], identities)
        except (KeyError, ValueError, TypeError, sealing.CannotOpen) as exc:
            raise sealing.CannotOpen(number) from exc
        yield {**names, **line, "language": line["locale"]}


def _payload(line: dict[str, Any], sealed: str, identities: Sequence[str]) -> dict[str, str]:
    """The decrypted payload of this line; payloads from before they were bound to a row are accepted."""
    fields = sealing.unseal(base64.b64decode(sealed), identities)
    if any(fields.get(name, line[name]) != line[name] for name in ("campaign", "id")):
        raise sealing.CannotOpen
    return fields


def table(signers: Iterable[dict[str, Any]], rows: str, purpose: str) -> Iterator[tuple[str, ...]]:
    """The rows below `columns(rows, purpose)`: delivery holds no address, the newsletter list only who agreed."""
    heading = columns(rows, purpose)
    for signer in signers:
        for record in _records(signer, rows, purpose):
            yield tuple(str(record.get(name, "")) for name in heading)


def csv_lines(lines: Iterable[str], identities: Sequence[str]) -> Iterator[str]:
    """An export as CSV, a row per signature with everything there is; no cell can be taken for a formula."""
    for row in chain([EVERYTHING], _everything(opened(lines, identities))):
        line = io.StringIO()
        csv.writer(line).writerow([safe_cell(value) for value in row])
        yield line.getvalue()


def _everything(signers: Iterable[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for signer in signers:
        for signature in signer["signatures"]:
            record = {**signer, **signature, "newsletter": "yes" if signer["newsletter"] else "no"}
            yield tuple(str(record.get(name, "")) for name in EVERYTHING)


def fields_of(sealed: bytes, identities: Sequence[str]) -> dict[str, str] | None:
    """What lies in one payload; None if these keys do not open it."""
    try:
        return sealing.unseal(sealed, identities)
    except sealing.CannotOpen:
        return None


def _records(signer: dict[str, Any], rows: str, purpose: str) -> list[dict[str, Any]]:
    if purpose == "newsletter":
        return [{**signer, "agreed_on": signer["confirmed_on"]}] if signer["newsletter"] else []
    if rows == "signature":
        return [{**signer, **signature} for signature in signer["signatures"]]
    cases = " ".join(signature["case"] for signature in signer["signatures"])
    return [{**signer, "cases": cases}] if cases else []
