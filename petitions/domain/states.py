"""The states that things pass through: past participles, kept as text with a check in the database."""

from enum import StrEnum

from sqlalchemy import CheckConstraint


class CampaignState(StrEnum):
    """Of a campaign. The clock closes an open one too."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"


class CountsMode(StrEnum):
    """How the public sees a campaign's counts: some at once every quarter of an hour, or each at the moment."""

    BATCHED = "batched"
    LIVE = "live"


class CaseState(StrEnum):
    """Of a case. `hidden` is the safety switch: gone everywhere at once, signatures kept."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    HIDDEN = "hidden"
    WON = "won"
    CLOSED = "closed"


class TextState(StrEnum):
    """Of a translation."""

    MISSING = "missing"
    DRAFT = "draft"
    READY = "ready"


class SignatureState(StrEnum):
    """Of a signature. `counts` has a column for each of these names."""

    PENDING = "pending"
    HELD = "held"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"


class MessageState(StrEnum):
    """Of a mail in the outbox; one that was sent has no row."""

    QUEUED = "queued"
    FAILED = "failed"


class TallyKind(StrEnum):
    """Of a batch of offline acts. `counts` has a column for each of these names."""

    PAPER = "paper"
    LETTERS = "letters"


def one_of(column: str, states: type[StrEnum]) -> CheckConstraint:
    """The database refuses a state that is none."""
    names = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({names})", name=f"{column}_known")
