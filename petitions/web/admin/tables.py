"""Tables for programs, as a download."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from flask import Response

from petitions.domain.cells import safe_cell


def csv_file(name: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The table as CSV (RFC 4180; UTF-8 with a byte order mark, for spreadsheets); no text is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heading)
    writer.writerows([_cell(value) for value in row] for row in rows)
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return safe_cell(value) if isinstance(value, str) else value
