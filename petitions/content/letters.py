"""The keys of a case about letters and cards: where they go, until when to write, and further languages."""

import unicodedata
from datetime import date
from typing import Any

from email_validator import EmailNotValidError, validate_email

from petitions.content.checks import Table
from petitions.locales import is_language

# What fits into the window of an envelope, in a readable size
ADDRESS_LINES, ADDRESS_COLUMNS = 6, 40
PLAIN = ("address", "copy_to", "card_to", "email", "send_until")


def take_facts(table: Table) -> dict[str, Any]:
    """The optional keys of a case about letters, checked; missing ones are left out."""
    facts: dict[str, Any] = {}
    for key in PLAIN:
        value = unicodedata.normalize("NFC", str(table.take(key, str, "", required=False))).strip()
        if not value:
            continue
        if fault := _CHECKS[key](value):
            table.fault(key, fault)
        else:
            facts[key] = value
    languages = table.take("letter_languages", list, [], required=False)
    if any(not isinstance(code, str) or not is_language(code) for code in languages):
        table.fault("letter_languages", f"must list language codes like es, not {languages!r}")
    elif languages:
        facts["letters"] = dict.fromkeys(languages, "")  # their files are read later
    return facts


def _address_fault(value: str) -> str:
    lines = value.split("\n")
    if len(lines) > ADDRESS_LINES or any(len(line) > ADDRESS_COLUMNS for line in lines):
        return f"must fit the window of an envelope: {ADDRESS_LINES} lines of {ADDRESS_COLUMNS} characters"
    return ""


def _email_fault(value: str) -> str:
    try:
        validate_email(value, check_deliverability=False)
    except EmailNotValidError as exc:
        return f"is not an e-mail address: {exc}"
    return ""


def _day_fault(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        return f"must be a day like 2025-01-31, not {value!r}"
    return ""


_CHECKS = {
    "address": _address_fault,
    "copy_to": _address_fault,
    "card_to": _address_fault,
    "email": _email_fault,
    "send_until": _day_fault,
}
