"""The words that people see, and which of them a dictionary or a person has checked; `make spelling` asks for the rest.

The tests read only the lists in tests/spelled: no dictionary is needed there, and Debian has none for Luxembourgish.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.pofile import read_po

from petitions import locales
from petitions.settings import ROOT

DEMO = ROOT / "petitions" / "demo" / "write-for-rights-2024"
LISTS = ROOT / "tests" / "spelled"
DICTIONARIES = {"en": "en_GB", "fr": "fr_FR", "de": "de_DE", "lb": "lb"}
# Not words of the language: places, addresses, commands, and the keys of the campaign's files
NOT_WORDS = re.compile(
    r"%\(\w+\)s|\{\w+\}|https?://\S+|\S+@\S+|flask [a-z -]+[A-Z]*|age -d -i KEYFILE|(?m:^\w+ = )|\.jsonl"
)
WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
ELIDED = re.compile(r"^(?:[cdjlmnstz]|qu|jusqu|lorsqu)’", re.IGNORECASE)


def catalogue(language: str) -> dict[str, str]:
    """Every translated text of a language by its place, plural forms each for itself."""
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        found = [message for message in read_po(file) if message.id]
    forms = {
        f"{message.context or ''} {message.id if isinstance(message.id, str) else message.id[0]}": message.string
        for message in found
    }
    return {
        f"{key} [{n}]": form
        for key, said in forms.items()
        for n, form in enumerate([said] if isinstance(said, str) else said)
    }


def texts(language: str) -> dict[str, str]:
    """All that people read in a language: the catalogue and the demo campaign, by its place."""
    if language == "en":
        with (ROOT / "translations" / "fr" / "LC_MESSAGES" / "messages.po").open("rb") as file:
            ids = [message.id for message in read_po(file) if message.id]
        said = {each: each for key in ids for each in ([key] if isinstance(key, str) else key)}
    else:
        said = catalogue(language)
    return said | {str(path.relative_to(DEMO)): path.read_text() for path in DEMO.rglob(f"{language}.md")}


def words(language: str) -> dict[str, str]:
    """Each word of a language, and a place where it stands."""
    found: dict[str, str] = {}
    for place, text in texts(language).items():
        for word in WORD.findall(NOT_WORDS.sub(" ", text)):
            found.setdefault(word if language == "en" else ELIDED.sub("", word), place)
    return found


def spelled(language: str) -> set[str]:
    """The words that were checked."""
    path = LISTS / f"{language}.txt"
    return set(path.read_text().split()) if path.exists() else set()


def unknown(language: str, asked: set[str], folder: Path) -> set[str]:
    """The words that the dictionary does not have; in Luxembourgish a final n may be dropped."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DICPATH": f"{folder}:/usr/share/hunspell:{os.getenv('DICPATH')}"}
    call = ["hunspell", "-i", "utf-8", "-d", DICTIONARIES[language], "-l"]
    plain = {word.replace("’", "'"): word for word in asked}
    for end in ("", "n") if language == "lb" else ("",):
        sent = "\n".join(word + end for word in plain)
        done = subprocess.run(call, input=sent, env=environment, text=True, capture_output=True, check=True)
        wrong = set(re.split(r"[\s-]+", done.stdout))
        plain = {
            key: word
            for key, word in plain.items()
            if any(part + end in wrong for part in key.split("-")) or key + end in wrong
        }
    return set(plain.values())


def main() -> int:
    """Add to the lists what the dictionaries know, drop what is no longer said, and print what a person must check."""
    if not shutil.which("hunspell") or not shutil.which("npm"):
        print("On Debian type:  sudo apt-get install hunspell hunspell-fr hunspell-de-de hunspell-en-gb npm")
        return 1
    left = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", "dictionary-lb@3.2.2"], cwd=folder, check=True, capture_output=True)
        subprocess.run(["tar", "xzf", next(Path(folder).glob("*.tgz"))], cwd=folder, check=True)
        for end in ("aff", "dic"):
            Path(folder, "package", f"index.{end}").rename(Path(folder, f"lb.{end}"))
        for language in locales.SHIPPED:
            said, known = words(language), spelled(language)
            new = unknown(language, set(said) - known, Path(folder))
            (LISTS / f"{language}.txt").write_text("".join(f"{word}\n" for word in sorted(set(said) - new)))
            left += len(new)
            for word in sorted(new):
                print(f"{language}: {word}  ({said[word][:60]})")
    print(f"{left} words to check: right ones belong into tests/spelled" if left else "All words are known.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
