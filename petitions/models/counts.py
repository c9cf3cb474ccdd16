"""Tables of counts. They contain nothing personal, so they survive every erasure."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, CheckConstraint, Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.domain.states import ActionKind, TallyKind, one_of


class Count(Base):
    """How much each number of a case changed in one hour; the sum over all hours is the number.

    A change is written in the transaction of the signatures that it counts. `shard` separates server processes: on
    Postgres, a row that every signer updates would allow one commit per flush.
    """

    __tablename__ = "counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True)
    pending: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0, server_default="0")
    confirmed: Mapped[int] = mapped_column(default=0)
    withdrawn: Mapped[int] = mapped_column(default=0)
    invalidated: Mapped[int] = mapped_column(default=0)
    expired: Mapped[int] = mapped_column(default=0)
    paper: Mapped[int] = mapped_column(default=0)
    letters: Mapped[int] = mapped_column(default=0)


class PublishedCount(Base):
    """The public counts of a campaign with batched counts: `figures` by case, as of `published_at`."""

    __tablename__ = "published_counts"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)  # the last quarter of an hour that was checked
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stage: Mapped[int] = mapped_column(default=0)  # 1: published after the end, 2: after the last link expired
    figures: Mapped[dict[str, dict[str, int]]] = mapped_column(JSON)


class Recount(Base):
    """The last time all signatures of a campaign were counted one by one: how many people, and whether counts agree."""

    __tablename__ = "recounts"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    people: Mapped[int]
    agrees: Mapped[bool]


class ActionCount(Base):
    """How often visitors did something on one day, unchecked; `subject` is a case or a place, never a person."""

    __tablename__ = "action_counts"
    __table_args__ = (one_of("kind", ActionKind),)

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)  # in the campaign's time zone
    number: Mapped[int]


class Tally(Base):
    """A dated batch of offline acts, entered by staff. It counts from `verified_at` on, unless it is cancelled before;
    a mistake that counts is corrected by a row with the opposite number.
    """

    __tablename__ = "tallies"
    __table_args__ = (one_of("kind", TallyKind), CheckConstraint("number <> 0", name="number_not_zero"))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    number: Mapped[int]
    happened_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reported_by: Mapped[str] = mapped_column(String(40), server_default="command")  # an actor, as in the journal
    collector_id: Mapped[int | None] = mapped_column(ForeignKey("collectors.id"))
    verified_by: Mapped[str | None] = mapped_column(String(40))
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Limit(Base):
    """How often something happened in the window that ends at `ends_at` (Unix seconds). The key is a keyed hash."""

    __tablename__ = "limits"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    used: Mapped[int]
    ends_at: Mapped[int] = mapped_column(BigInteger, index=True)
