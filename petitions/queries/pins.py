"""The file that lists the recipient keys a second time, outside the database.

Names are encrypted only to keys that are in both places: write access to one of them adds no reader.
"""

from pathlib import Path


class Pins:
    """The public keys that commands of this installation added."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> set[str]:
        """All of them; empty before the first was added."""
        return set(self._path.read_text().split()) if self._path.exists() else set()

    def add(self, public_key: str) -> None:
        """Add a key."""
        if public_key not in self.all():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(f"{public_key}\n")
