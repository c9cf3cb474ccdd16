"""Writes the table of rooms into docs/architecture.md, from the first line of each room's docstring; `make rooms`.

The rooms and their order are those of tests/test_layers.py. Packages inside a room, such as web/admin, follow it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from petitions.settings import ROOT
from tests.test_layers import LAYERS

PACKAGE = ROOT / "petitions"
DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms -->\n", "<!-- /rooms -->\n"


def first_line(path: Path) -> str:
    """What the module or package at `path` is responsible for; empty if it does not say so in a sentence."""
    text = ast.get_docstring(ast.parse((path / "__init__.py" if path.is_dir() else path).read_text("utf-8"))) or ""
    line = text.partition("\n")[0]
    return line if line.endswith(".") else ""


def rooms() -> Iterator[Path]:
    """Every package, and every module that is a room of its own, from the lowest layer up."""
    for names in LAYERS:
        for name in names:
            path = PACKAGE / name.replace(".", "/")
            yield path if path.is_dir() else path.with_suffix(".py")
            inside = sorted(each.parent for each in path.glob("*/__init__.py"))
            yield from (each for each in inside if not any(_name(each) in below for below in LAYERS))


def table() -> str:
    """The table in Markdown, between its two markers."""
    rows = ["| Room | Responsible for |", "|---|---|"]
    for path in rooms():
        name = f"{path.relative_to(PACKAGE).as_posix()}{'/' if path.is_dir() else ''}"
        rows.append(f"| `{name}` | {first_line(path)} |")
    return BEGIN + "\n".join(rows) + f"\n{END}"


def updated(text: str) -> str:
    """The document `text` with the table as it is now. Raises ValueError if it lacks the markers."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{DOCUMENT.name} must have the lines {BEGIN.strip()} and {END.strip()}")
    return before + table() + after


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix().replace("/", ".")


def main() -> None:
    """Bring the document up to date."""
    DOCUMENT.write_text(updated(DOCUMENT.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
