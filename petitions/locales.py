"""Languages: catalogues, names, directions, and the best language for a visitor."""

import os
import sys
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

# Languages with a complete catalogue in translations/. English is the language of the source.
SHIPPED = ("fr", "en", "lb", "de")
FALLBACK = "en"
# Names that differ from CLDR's, as the people concerned or our texts use them
_NAMES = {
    ("fr", "BY"): "Bélarus",
    ("fr", "KG"): "Kirghizistan",
    ("lb", "BY"): "Belarus",
    ("lb", "EG"): "Ägypten",
    ("lb", "US"): "USA",
    ("de", "US"): "USA",
    ("en", "VN"): "Viet Nam",
}
# Countries where the law of the European Union protects personal data (EEA), as ISO 3166 codes.
_UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
UNION = frozenset(_UNION.split())


@lru_cache(maxsize=64)
def is_language(code: str) -> bool:
    """Whether CLDR knows the language `code`, in the short form used in URLs (`fr`, `ar`)."""
    try:
        return code.islower() and str(Locale.parse(code)) == code
    except (UnknownLocaleError, ValueError):
        return False


@lru_cache(maxsize=64)
def own_name(code: str) -> str:
    """The language's own name: `Lëtzebuergesch`, `Français`."""
    name = Locale.parse(code).get_language_name(code) or code
    return name[0].upper() + name[1:]


@lru_cache(maxsize=64)
def direction(code: str) -> str:
    """`ltr` or `rtl`, for the `dir` attribute."""
    return str(Locale.parse(code).text_direction)


@lru_cache(maxsize=1024)
def country_name(country: str, locale: str) -> str:
    """The country's name from CLDR, by ISO 3166 code; the code itself if CLDR has none."""
    return _NAMES.get((locale, country)) or str(Locale.parse(locale).territories.get(country, country))


def written(locale: str) -> str:
    """The locale for numbers, dates and times: English is written as British English."""
    return "en_GB" if locale == "en" else locale


def long_date(day: date, locale: str) -> str:
    """The date in words: `14 June 2026`, `1er juin 2026`."""
    words = format_date(day, "long", locale=written(locale))
    return f"1er{words[1:]}" if locale == "fr" and day.day == 1 else words


def preferred(accepted: Sequence[str], offered: Sequence[str]) -> str:
    """The best of the `offered` languages for a visitor who accepts `accepted`, in that order."""
    return negotiate_locale([code.replace("-", "_") for code in accepted], offered, sep="_") or offered[0]


def compile_catalogues(folder: Path) -> None:
    """Compile new or changed catalogues in `folder`; without them all pages would silently be in English.

    Exits with a sentence if that is needed and this account may not write there.
    """
    for source in sorted(folder.glob("*/LC_MESSAGES/messages.po")):
        compiled = source.with_suffix(".mo")
        if compiled.is_file() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        unfinished = source.with_suffix(f".{os.getpid()}.mo")  # one per process: several may start at the same time
        try:
            with source.open("rb") as text, unfinished.open("wb") as binary:
                write_mo(binary, read_po(text))
            unfinished.chmod(0o644)  # so that other accounts can run the program
            unfinished.replace(compiled)
        except OSError:
            sys.exit(f"The translations are not compiled, and {compiled} cannot be written: type `make install`.")
