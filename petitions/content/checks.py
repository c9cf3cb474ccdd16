"""Checks single values of a campaign folder. Every fault names file, key and language."""

import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from petitions.content.fields import LONGEST_BODY, Field, Words
from petitions.errors import ContentFaulty

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RESERVED = {"confirm", "mine", "stop"}  # URLs of other pages: /fr/confirm/…
ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
LONGEST_EMBLEM = 4_000
REMOVED = {"shows_waiting": "is no longer known, as only confirmed signatures are shown: delete this line"}
_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = {"svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
_ATTRIBUTES = {
    *("viewBox", "d", "cx", "cy", "r", "rx", "ry", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "points"),
    *("transform", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "opacity", "class"),
}


class Faults:
    """Collects the faults, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, file: str, key: str, language: str, what: str) -> None:
        """Add a fault; `key` and `language` may be empty."""
        place = ", ".join(part for part in (file, f"key {key}" if key else "", language) if part)
        self.found.append(f"{place}: {what}")

    def refuse(self) -> None:
        """Raise ContentFaulty if there is any fault."""
        if self.found:
            raise ContentFaulty(self.found)


class Table:
    """A TOML table whose keys are read one by one; keys that nobody read are faults."""

    def __init__(self, values: Any, file: str, prefix: str, faults: Faults) -> None:
        self._left = dict(values) if isinstance(values, Mapping) else {}
        self._file = file
        self._prefix = prefix
        self._faults = faults
        if not isinstance(values, Mapping):
            faults.add(file, prefix.rstrip("."), "", f"must be a table, not {values!r}")

    def fault(self, key: str, what: str) -> None:
        """Add a fault at this table's `key`."""
        self._faults.add(self._file, self._prefix + key, "", what)

    def take(self, key: str, kind: type, default: Any = None, *, required: bool = True) -> Any:
        """The value at `key` if it is of `kind`, else `default` and a fault."""
        if key not in self._left:
            if required:
                self.fault(key, "is missing")
            return default
        value = self._left.pop(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.fault(key, f"must be {_said(kind)}, not {value!r}")
            return default
        return value

    def one_of(self, key: str, choices: tuple[str, ...], default: str, *, required: bool = True) -> str:
        """One of the words `choices`."""
        value = str(self.take(key, str, default, required=required))
        if value not in choices:
            self.fault(key, f"must be one of {', '.join(choices)}, not {value!r}")
            return default
        return value

    def number(self, key: str, lowest: int, highest: int, default: int, *, required: bool = True) -> int:
        """A whole number within bounds."""
        value = int(self.take(key, int, default, required=required))
        if not lowest <= value <= highest:
            self.fault(key, f"must be between {lowest} and {highest}, not {value}")
            return default
        return value

    def moment(self, key: str) -> datetime | None:
        """An optional date and time with its offset from UTC."""
        value = self.take(key, datetime, required=False)
        if value is not None and value.tzinfo is None:
            self.fault(key, "needs an offset, like 2024-12-31T23:59:59+01:00")
            return None
        return value  # type: ignore[no-any-return]

    def slug(self) -> str:
        """The name in URLs: lower-case ASCII letters, digits and single hyphens."""
        value = str(self.take("slug", str, ""))
        if value in RESERVED:
            self.fault("slug", f"{value!r} is reserved; choose another")
            return ""
        if not SLUG.fullmatch(value) or len(value) > 80:
            self.fault("slug", f"must be lower-case letters, digits and single hyphens, at most 80, not {value!r}")
            return ""
        return value

    def finish(self) -> None:
        """Report the keys that were not read: they are probably spelling mistakes."""
        for key in self._left:
            self.fault(key, REMOVED.get(key, "is not a known key"))


def is_required(key: str, rule: Field, is_draft: bool) -> bool:
    """Whether a text needs this field: a draft, which no visitor sees, needs only its title."""
    return rule.required and (key == "title" or not is_draft)


def check_words(
    words: Mapping[str, Any],
    fields: Mapping[str, Field],
    body: str,
    file: str,
    language: str,
    faults: Faults,
    is_draft: bool = False,
) -> Words:
    """The words of `fields` and `body`, NFC-normalised; faults for what is missing, too long or unknown."""
    kept: Words = {}
    for key in words:
        if key not in fields and key != body:
            faults.add(file, key, language, "is not a known key")
    for key, rule in fields.items():
        value = words.get(key)
        if isinstance(value, str):
            value = unicodedata.normalize("NFC", value).strip()
        if value in (None, "", []):
            if is_required(key, rule, is_draft):
                faults.add(file, key, language, "is missing")
            continue
        fault = value_fault(value, rule)
        if fault:
            faults.add(file, key, language, fault)
        else:
            kept[key] = value
    text = unicodedata.normalize("NFC", str(words.get(body, ""))).strip()
    if not text and not is_draft:
        faults.add(file, "", language, "has no text below the front matter")
    elif fault := text_fault(text, Field(LONGEST_BODY, kind="text")):
        faults.add(file, "", language, fault)
    kept[body] = text
    return kept


def value_fault(value: Any, rule: Field) -> str:
    """What is wrong with the value of one field, or nothing."""
    return _LIST_FAULTS.get(rule.kind, text_fault)(value, rule)


def text_fault(value: Any, rule: Field) -> str:
    """What is wrong with one text, or nothing."""
    if not isinstance(value, str):
        return f"must be text, not {value!r}"
    if len(value) > rule.longest:
        return f"is {len(value)} characters long; at most {rule.longest} are allowed"
    if rule.kind != "text" and "\n" in value.strip():
        return "must be a single line"
    if _has_control(value.replace("\n", "")):
        return "contains a control character"
    if rule.kind == "url":
        url = urlsplit(value)
        if url.scheme != "https" or not url.hostname:
            return "must be an address that begins with https://"
    return ""


def _pairs_fault(value: Any, rule: Field) -> str:
    shaped = isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) and part for part in pair)
        for pair in value
    )
    if not shaped:
        return 'must be a list of pairs like ["Title", "One sentence."]'
    if any(_has_control(part) for pair in value for part in pair):
        return "contains a control character or a line break"
    return f"has {len(value)} entries; at most {rule.longest} are allowed" if len(value) > rule.longest else ""


def _list_fault(value: Any, rule: Field) -> str:
    if not isinstance(value, list) or not all(isinstance(part, str) and part.strip() for part in value):
        return 'must be a list of words like ["money", "religion"]'
    if any(_has_control(part) for part in value):
        return "contains a control character or a line break"
    return f"has {len(value)} entries; at most {rule.longest} fit" if len(value) > rule.longest else ""


_LIST_FAULTS = {"pairs": _pairs_fault, "list": _list_fault}


def _has_control(text: str) -> bool:
    return any(unicodedata.category(char) == "Cc" for char in text)


def emblem_fault(svg: str) -> str:
    """Why this drawing cannot be shown inside our pages; empty if it can. It is refused, never changed."""
    if len(svg) > LONGEST_EMBLEM:
        return f"is {len(svg)} characters long; at most {LONGEST_EMBLEM} are allowed"
    if "<!" in svg or "<?" in svg:
        return "must contain only shapes: no comment, no declaration"
    try:
        root = ElementTree.fromstring(svg)  # noqa: S314 - no declaration, so no entity can be defined
    except ElementTree.ParseError as exc:
        return f"is not well-formed: {exc}"
    if root.tag != f"{_SVG}svg" or "viewBox" not in root.attrib:
        return 'must begin with <svg xmlns="http://www.w3.org/2000/svg" viewBox="…">'
    for element in root.iter():
        name = element.tag.removeprefix(_SVG)
        if name not in _ELEMENTS:
            return f"<{name}> is not allowed; shapes only"
        for key, value in element.attrib.items():
            if key not in _ATTRIBUTES or "url(" in value:
                return f"{key}={value!r} is not allowed in <{name}>"
            if key in ("fill", "stroke") and value not in ("currentColor", "none"):
                return f"{key}={value!r} is not allowed; currentColor or none, and class a or s for the accent"
            if key == "class" and value not in ("a", "s"):
                return f"class={value!r} is not allowed; a (accent fill) or s (accent stroke)"
    return ""


def _said(kind: type) -> str:
    words = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table"}
    return words.get(kind, "a date and time")


def is_origin(site: str) -> bool:
    """Whether `site` is an origin as a browser writes it (RFC 6454): https, or http on the machine itself."""
    parts = urlsplit(site)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1"))
    return is_safe and ORIGIN.fullmatch(site) is not None


def is_iban(value: str) -> bool:
    """Whether this is an account number with right check digits (ISO 13616, ISO 7064 mod 97-10)."""
    plain = value.replace(" ", "").upper()
    if not (15 <= len(plain) <= 34 and plain.isascii() and plain.isalnum() and plain[:2].isalpha()):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1
