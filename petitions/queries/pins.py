"""The file that names the section's public keys a second time, beside the database.

Names are encrypted only to keys that stand in both: whoever can write one of them adds no reader.
"""

from pathlib import Path


class Pins:
    """The public keys that commands of this installation added."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> set[str]:
        """All of them; none before the first was added."""
        return set(self._path.read_text().split()) if self._path.exists() else set()

    def add(self, public_key: str) -> None:
        """Name one more."""
        if public_key not in self.all():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(f"{public_key}\n")
