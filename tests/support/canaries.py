"""Generated signers with unique names, and a scan that finds them on disk in any encoding.

A scan looks for tens of thousands of byte strings at once: the first eight bytes of each are a number in a set, and the
data is read as numbers at each of the eight alignments. Matches are then compared in full.
"""

import base64
import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from quopri import encodestring
from urllib.parse import quote

from petitions.domain.identity import mailbox, mailbox_loosely
from tests.support.factories import Person

WINDOW = 8  # bytes
_ZEROS = re.compile(rb"\0{64,}")


@dataclass(frozen=True)
class Canary:
    """A generated signer; `corrected` is the name after a correction."""

    person: Person
    corrected: str
    secrets: list[str] = field(default_factory=list)  # tokens of their links, once there are some

    def words(self) -> set[str]:
        """Everything that may stand nowhere, in clear."""
        typed = self.person.email
        addresses = {typed, mailbox(typed), mailbox_loosely(typed), typed.lower()}
        names = {self.person.first_name, self.person.last_name, self.corrected}
        locals_ = {address.rpartition("@")[0] for address in addresses}
        return addresses | locals_ | names | {name.casefold() for name in names}

    def addresses(self) -> set[str]:
        """Values that might be hashed: a hash without key can be reversed by trying all addresses."""
        typed = self.person.email
        return {typed, mailbox(typed), mailbox_loosely(typed), typed.lower()}


def canaries(number: int, seed: int) -> list[Canary]:
    """So many of them, the same ones at each run."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    return [_canary(dice) for _ in range(number)]


def _canary(dice: random.Random) -> Canary:
    def word() -> str:
        return "".join(dice.choices("bcdfghjklmnpqrstvwxz", k=9))

    # Signs outside ASCII, so that percent signs, \u and quoted-printable have something to do
    first, last, corrected = f"{word().title()}ë", f"{word().title()}’ž", f"{word().title()}ő"
    email = f"{word().title()}.{word()}+{word()}@{word()}.Example.org"
    return Canary(Person(first, last, email), corrected)


def spellings(word: str) -> set[bytes]:
    """The word as bytes, in every encoding in which it may have been written down."""
    plain = word.encode()
    percent = {quote(word, safe=safe).encode() for safe in ("", "@+")}
    escaped = {ascii(word)[1:-1].encode(), re.sub(r"[^\x20-\x7e]", lambda c: f"\\u{ord(c[0]):04X}", word).encode()}
    escaped |= {re.sub(r"[^\x20-\x7e]", lambda c: f"\\u{ord(c[0]):04x}", word).encode()}
    quoted = {encodestring(plain, quotetabs=False), re.sub(rb"[@+.]", lambda c: b"=%02X" % c[0][0], plain)}
    found = {plain, word.encode("utf-16-le"), word.encode("utf-16-be"), *percent, *escaped, *quoted}
    found |= {each.lower() for each in percent}
    return found | _base64(plain) | {plain.hex().encode(), plain.hex().upper().encode()}


def digests(word: str) -> set[bytes]:
    """Hashes of the word without a key, raw, in hex and in base64."""
    raw = {hashlib.new(name, word.encode(), usedforsecurity=False).digest() for name in ("md5", "sha1", "sha256")}
    hexed = {form for each in raw for form in (each.hex().encode(), each.hex().upper().encode())}
    return raw | hexed | {form for each in raw for form in _base64(each)}


def _base64(plain: bytes) -> set[bytes]:
    """The letters that stand for these bytes wherever in a longer text they begin."""
    found = set()
    for before in range(3):
        letters = base64.b64encode(b"\0" * before + plain)
        first, last = -(-before * 8 // 6), (before + len(plain)) * 8 // 6
        found |= {letters[first:last], letters[first:last].translate(bytes.maketrans(b"+/", b"-_"))}
    return found


class Needles:
    """What to look for, each with a word for what it is, which is all that a failing test may show."""

    def __init__(self) -> None:
        self._by_window: dict[int, list[tuple[bytes, str]]] = defaultdict(list)
        self.number = 0

    def add(self, what: str, spelled: Iterable[bytes]) -> None:
        """Look for these too."""
        for needle in spelled:
            assert len(needle) >= WINDOW, f"a spelling of {what} is too short to tell"
            self._by_window[int.from_bytes(needle[:WINDOW], "little")].append((needle, what))
            self.number += 1

    def add_birds(self, birds: Iterable[Canary], whose: str = "") -> "Needles":
        """Look for all that may be found of these signers: words, hashes, and the tokens of their links."""
        for bird in birds:
            for word in bird.words():
                self.add(f"{whose}name or address", spellings(word))
            for address in bird.addresses():
                self.add(f"{whose}hash of an address", digests(address))
            for secret in bird.secrets:
                self.add(f"{whose}token", spellings(secret))
        return self

    def found_in(self, data: bytes) -> set[str]:
        """What of it stands in the data."""
        wanted = set(self._by_window)
        hits: set[int] = set()
        for shift in range(WINDOW):
            length = (len(data) - shift) // WINDOW * WINDOW
            if length > 0:
                hits |= wanted.intersection(memoryview(data)[shift : shift + length].cast("Q"))
        return {what for hit in hits for needle, what in self._by_window[hit] if needle in data}


def scan(needles: Needles, paths: Iterable[Path]) -> tuple[list[tuple[str, str]], int]:
    """What was found in which file, and how many bytes were read. Empty stretches are skipped."""
    found, size = set(), 0
    for path in paths:
        try:
            data = path.read_bytes()
        except FileNotFoundError:  # Postgres throws caches of its own away while we look: what is gone holds nothing
            continue
        size += len(data)
        for part in _ZEROS.split(data):
            found |= {(path.name, what) for what in needles.found_in(part)}
    return sorted(found), size


def files_below(*folders: Path, without: Iterable[Path] = ()) -> Iterator[Path]:
    """Every plain file, but those in the folders `without`."""
    left_out = set(without)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink() and left_out.isdisjoint(path.parents):
                yield path
