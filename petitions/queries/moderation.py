"""Group codes, holds and invalidations, as staff see them. Nobody is named."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from petitions.db.transactions import reading
from petitions.domain.states import SignatureState
from petitions.models import Campaign, Case, Hold, Invalidation, Signature, Signer

INVALIDATABLE = (
    SignatureState.PENDING,
    SignatureState.HELD,
    SignatureState.CONFIRMED,
)  # in the order of signatures.LIVING


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Which signatures of a campaign are meant; empty fields do not restrict."""

    cases: tuple[str, ...] = ()
    signed_from: datetime | None = None
    signed_until: datetime | None = None
    source: str = ""
    collector_id: int | None = None
    state: str = ""
    last_signer: int | None = None  # later signers are not meant

    def as_json(self) -> dict[str, Any]:
        """The value for a JSON column."""
        said = ((key, value) for key, value in asdict(self).items() if value)
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in said}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Condition":
        """The condition from `as_json`'s value."""
        values: dict[str, Any] = {**kept, "cases": tuple(kept.get("cases", ()))}
        if "pass_id" in kept:  # written before there were collectors
            values["collector_id"] = values.pop("pass_id")
        for name in ("signed_from", "signed_until"):
            if name in kept:
                values[name] = datetime.fromisoformat(kept[name])
        return cls(**values)

    @property
    def states(self) -> tuple[SignatureState, ...]:
        """The states that are meant."""
        return (SignatureState(self.state),) if self.state else INVALIDATABLE

    def clauses(self) -> list[ColumnElement[bool]]:
        """The condition as SQL, without campaign and states."""
        found: list[ColumnElement[bool]] = []
        if self.cases:
            found.append(Signature.case_id.in_(select(Case.id).where(Case.slug.in_(self.cases))))
        if self.signed_from:
            found.append(Signature.signed_at >= self.signed_from)
        if self.signed_until:
            found.append(Signature.signed_at <= self.signed_until)
        if self.last_signer:
            found.append(Signature.signer_id <= self.last_signer)
        if self.source:
            found.append(Signature.source == self.source)
        if self.collector_id:
            found.append(Signature.signer_id.in_(select(Signer.id).where(Signer.collector_id == self.collector_id)))
        return found


@dataclass(frozen=True)
class Watch:
    """Whether a campaign is on hold, and since when."""

    campaign: str
    began_at: datetime | None


def watch(slug: str) -> Watch:
    """The state of the campaign's hold."""
    with reading() as connection:
        campaign_id = connection.scalar(select(Campaign.id).where(Campaign.slug == slug)) or 0
        began_at = connection.scalar(
            select(Hold.began_at).where(Hold.campaign_id == campaign_id, Hold.ended_at.is_(None)).limit(1)
        )
    return Watch(slug, began_at)


def invalidations(slug: str) -> list[Any]:
    """The campaign's invalidations, newest first, detached so that they cannot be written."""
    table = Invalidation.__table__
    statement = select(*table.columns).join(Campaign, Campaign.id == table.c.campaign_id)
    with reading() as connection:
        return list(connection.execute(statement.where(Campaign.slug == slug).order_by(table.c.id.desc())).all())


def matching(slug: str, condition: Condition) -> int:
    """How many signatures match the condition now."""
    counted = (
        select(func.count())
        .select_from(Signature)
        .join(Case, Case.id == Signature.case_id)
        .join(Campaign, Campaign.id == Case.campaign_id)
        .where(Campaign.slug == slug, Signature.state.in_(condition.states), *condition.clauses())
    )
    with reading() as connection:
        return connection.scalar(counted) or 0
