"""`python -m tests.reliability.report`: puts what the long run measured into docs/reliability.md."""

import json
import re
from pathlib import Path

from tests.support.effort import FIGURES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
PLACE = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
HEAD = "| Promise | Database | What was done | What was found |\n|---|---|---|---|\n"


def table(lines: list[str]) -> str:
    """The newest figure of each thing that was done in the long run, by promise."""
    newest = {}
    for row in map(json.loads, lines):
        if row["long"]:
            row["database"] = row["database"].lower()
            newest[row["promise"], row["database"], row["done"]] = row
    ordered = sorted(newest.values(), key=lambda row: (_order(row["promise"]), row["done"], row["database"]))
    return HEAD + "".join(
        f"| {row['promise']} | {row['database']} | {row['done']} | {row['found']} |\n" for row in ordered
    )


def _order(promise: str) -> tuple[int, str]:
    number = re.fullmatch(r"R(\d+)", promise)
    return (int(number[1]) if number else 99, promise)


def main() -> None:
    """Write the table between its marks."""
    found = table(FIGURES.read_text(encoding="utf-8").splitlines())
    text = DOCUMENT.read_text(encoding="utf-8")
    assert PLACE.search(text), "docs/reliability.md has lost its marks"
    DOCUMENT.write_text(PLACE.sub(lambda marks: marks[1] + found + marks[2], text), encoding="utf-8")


if __name__ == "__main__":
    main()
