"""Test data from files, one entry per line."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data"


def lines_of(name: str) -> list[str]:
    """The lines of a file in tests/data, without its comments."""
    lines = (FOLDER / name).read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("#")]
