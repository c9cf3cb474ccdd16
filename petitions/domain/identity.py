"""Names and mailboxes: which are accepted, and when two of them are the same. Pure functions."""

import re
import unicodedata
from datetime import date
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

LONGEST_NAME = 100
LONGEST_EMAIL = 254
MAX_MARKS_IN_A_ROW = 3

# Joiners that some scripts cannot be written without.
_JOINERS = {"\u200c", "\u200d"}
# Characters allowed in a name besides letters, marks and digits.
_NAME_SIGNS = set(" .,-'’‘ʼ`´·‧・׳״()/&:") | {"\u00a0", "\u2010", "\u2011", "\u2013", "\u30a0", "\uff65"}
# Tibetan tsheg, Hebrew maqaf, the zero that is a letter in Chinese names, Armenian hyphen and apostrophe, and the
# Ethiopic sign between words
_NAME_SIGNS |= {"\u0f0b", "\u05be", "\u3007", "\u058a", "\u055a", "\u1361"}
_NAME_SIGNS |= set("＝－．＇（）")  # full-width forms from Japanese and Chinese keyboards
# Consonants below or beside another one in Burmese and Tibetan: no accents, though Unicode calls them marks too
_SUBJOINED = {chr(code) for code in (*range(0x103B, 0x103F), *range(0x0F90, 0x0FBD))}
MAX_MARKS_WITH_SUBJOINED = 5
GOOGLE, GOOGLE_OF_OLD = "gmail.com", "googlemail.com"  # two names of one host
DOTLESS = {
    GOOGLE,
    "proton.me",
    "protonmail.com",
    "pm.me",
}  # hosts that ignore dots; elsewhere dots make another address
# Endings that no surname has; endings that some have, after a word and not after an initial; anything with a path
_URL = re.compile(
    r"://|\bwww\.|\b(?:https?|ftp|mailto|tel|data|javascript):|\.(?:com|net|org|info|xyz|shop|online|site|biz|app|click)\b"
    r"|\w{3}\.(?:ru|io|top|co|me|ly|tv|dev|live|link)\b|\bt\.me\b|\w{2}\.\w{2,3}/",
    re.IGNORECASE,
)


class Refused(ValueError):
    """A value that is not accepted; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def clean_name(typed: str) -> str:
    """The name as stored: NFC, trimmed, any script; may be empty. Raises Refused with a code."""
    name = unicodedata.normalize("NFC", typed).strip()
    if len(name) > LONGEST_NAME:
        raise Refused("name_too_long")
    if has_link(name):
        raise Refused("name_has_link")
    if not _has_few_marks(name):
        raise Refused("name_has_marks")
    kinds = {char: unicodedata.category(char) for char in name}
    for char, kind in kinds.items():
        if not (kind[0] in "LM" or kind in ("Nd", "Zs") or char in _NAME_SIGNS or char in _JOINERS):
            raise Refused("name_has_sign")
    if name and not any(kind[0] == "L" for kind in kinds.values()):
        raise Refused("name_has_no_letter")
    return name


def has_link(text: str) -> bool:
    """Whether the text contains a web address, also in full-width letters."""
    return _URL.search(unicodedata.normalize("NFKC", text)) is not None


def _has_few_marks(name: str) -> bool:
    """Whether no letter has so many marks that they cover other letters; joiners between marks are ignored."""
    run = marks = 0
    for char in name:
        if unicodedata.category(char) in ("Mn", "Me"):
            run, marks = run + 1, marks + (char not in _SUBJOINED)
        elif char not in _JOINERS:
            run = marks = 0
        if marks > MAX_MARKS_IN_A_ROW or run > MAX_MARKS_WITH_SUBJOINED:
            return False
    return True


def same_name_key(first_name: str, last_name: str) -> str:
    """Equal for two spellings of a name: case, encoding of accents, joiners and spaces do not matter."""
    folded = unicodedata.normalize("NFKC", f"{first_name} {last_name}").casefold()
    return " ".join("".join(char for char in folded if char not in _JOINERS).split())


def clean_email(typed: str, *, is_demo: bool = False) -> str:
    """The address as typed, trimmed; raises Refused. `is_demo` accepts .test addresses."""
    email = unicodedata.normalize("NFC", typed).strip()
    if len(email) > LONGEST_EMAIL or "\ufffd" in email:  # the replacement character for undecodable bytes
        raise Refused("email_wrong")
    try:
        validate_email(email, check_deliverability=False, test_environment=is_demo)
    except (EmailNotValidError, UnicodeError) as exc:
        raise Refused("email_wrong") from exc
    return email


def mailbox(email: str) -> str:
    """The same text for all spellings of a mailbox: lower case, IDNA host, no +tag; for Google, no dots."""
    local, host = _split(email)
    local = _without_tag(local)
    return f"{local.replace('.', '') if host == GOOGLE else local}@{host}"


def same_address(email: str) -> str:
    """The same text for what is certainly one mailbox: case and host normalised; for Google like `mailbox`.

    With other hosts a +tag may belong to another person, so a link is never sent to another spelling.
    """
    local, host = _split(email)
    return mailbox(email) if host == GOOGLE else f"{local}@{host}"


def mailbox_loosely(email: str) -> str:
    """Like `mailbox`, without dots for all hosts that ignore them; for rate limits only.

    Not for all hosts: otherwise someone could use up another person's limit by typing their address with dots.
    """
    local, host = _split(email)
    local = _without_tag(local)
    return f"{local.replace('.', '') if host in DOTLESS else local}@{host}"


def _split(email: str) -> tuple[str, str]:
    local, _, host = unicodedata.normalize("NFC", email).strip().lower().rpartition("@")
    ascii_only = ascii_host(host)
    return local, GOOGLE if ascii_only == GOOGLE_OF_OLD else ascii_only


def _without_tag(local: str) -> str:
    return local.partition("+")[0] or local


@lru_cache(maxsize=4096)
def ascii_host(host: str) -> str:
    """The host in IDNA form; cached, because most people share a few hosts."""
    return validate_email(f"a@{host}", check_deliverability=False, test_environment=True).ascii_domain.lower()


def clean_birth_date(typed: str, today: date) -> date:
    """The date in day, month, year order with any separators, or in ISO order; raises Refused."""
    parts = re.split(r"\D+", typed.strip())
    if len(parts) != 3 or not all(parts) or max(len(part) for part in parts) > 4:
        raise Refused("date_wrong")
    day, month, year = (int(part) for part in (reversed(parts) if len(parts[0]) == 4 else parts))
    try:
        born = date(year, month, day)
    except ValueError as exc:
        raise Refused("date_wrong") from exc
    if born > today:
        raise Refused("date_in_future")
    if born.year < today.year - 120:
        raise Refused("date_too_old")
    return born
