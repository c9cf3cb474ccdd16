"""The states of campaigns, cases, signatures and messages: stored as text, with a check in the database."""

from enum import StrEnum

from sqlalchemy import CheckConstraint


class CampaignState(StrEnum):
    """States of a campaign. An open one is also closed by its closing date."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"


class CountsMode(StrEnum):
    """How counts are published: in batches every quarter of an hour, or live."""

    BATCHED = "batched"
    LIVE = "live"


class CaseState(StrEnum):
    """States of a case. `hidden` removes it everywhere at once; its signatures are kept."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    HIDDEN = "hidden"
    WON = "won"
    CLOSED = "closed"


class TextState(StrEnum):
    """States of a translation."""

    MISSING = "missing"
    DRAFT = "draft"
    READY = "ready"


class SignatureState(StrEnum):
    """States of a signature. `counts` has a column for each of these names."""

    PENDING = "pending"
    HELD = "held"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"


class MessageState(StrEnum):
    """States of an e-mail in the outbox; a sent one has no row."""

    QUEUED = "queued"
    FAILED = "failed"


class TallyKind(StrEnum):
    """Kinds of offline acts. `counts` has a column for each of these names."""

    PAPER = "paper"
    LETTERS = "letters"


class CollectorKind(StrEnum):
    """Kinds of collectors; each has a ranking of its own."""

    PERSON = "person"
    CLASS = "class"
    SCHOOL = "school"
    GROUP = "group"
    STALL = "stall"


class InvalidationKind(StrEnum):
    """Why signatures are invalidated, as the public figures say it."""

    PROGRAM = "program"  # sent by a program
    INVENTED = "invented"  # names or addresses that do not exist
    TWICE = "twice"  # the same person under several addresses
    OTHER = "other"


class ActionKind(StrEnum):
    """What visitors did by their own account, counted without checking it."""

    POSTED = "posted"  # letters posted
    DONATION = "donation"  # a donation link followed


def one_of(column: str, states: type[StrEnum]) -> CheckConstraint:
    """A check constraint: the column holds one of these states."""
    names = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({names})", name=f"{column}_known")
