"""The effort of the reliability tests, and their results.

`make test` makes a few attempts of everything; `make test-long` sets TEST_EFFORT=long, and the same tests make as many
as docs/reliability.md says. Results go into a file, from which `python -m tests.reliability.report` makes the table of
that document.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

IS_LONG = os.environ.get("TEST_EFFORT") == "long"
FIGURES = Path(__file__).resolve().parents[2] / "test-output" / "figures.jsonl"


DATABASES = ("sqlite", "postgres") if IS_LONG else ("sqlite",)  # where what is tested does not depend on the database


def effort(quick: int, long: int) -> int:
    """How often to do it: `quick` in `make test`, `long` in `make test-long`."""
    return long if IS_LONG else quick


def note(promise: str, database: str, done: str, found: str) -> None:
    """Write down what a test did and found, for the table; `promise` is the number in the table, such as R5."""
    FIGURES.parent.mkdir(exist_ok=True)
    row = {"promise": promise, "database": database, "done": done, "found": found, "long": IS_LONG}
    line = json.dumps({**row, "at": datetime.now(UTC).isoformat(timespec="seconds")})
    with FIGURES.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
