"""Tables of campaigns and their texts. They contain nothing personal."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, LargeBinary, String, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from petitions.db.base import Base, UtcDateTime
from petitions.domain.states import CampaignState, CaseState, CountsMode, TextState, one_of


class Campaign(Base):
    """A campaign. `languages[0]` is the source language, from which the others are translated."""

    __tablename__ = "campaigns"
    __table_args__ = (one_of("state", CampaignState), one_of("counts", CountsMode))

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    languages: Mapped[list[str]] = mapped_column(JSON)
    timezone: Mapped[str] = mapped_column(String(64))
    demo: Mapped[bool]
    goal: Mapped[int]
    asks_birth_date: Mapped[bool]
    minimum_age: Mapped[int] = mapped_column(server_default="0")  # 0: none
    counts: Mapped[str] = mapped_column(String(12), server_default=CountsMode.BATCHED)
    signers_per_mailbox: Mapped[int]
    embed_sites: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    kit_cases: Mapped[list[str]] = mapped_column(JSON, server_default="[]")  # of the ready kit; empty: all
    events: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default="[]")  # of content/events.py
    opens_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contest_ends_on: Mapped[date | None] = mapped_column(Date)  # paper with a later postmark does not win
    contest_frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the ranking stays as it was then
    posts_kits: Mapped[bool] = mapped_column(server_default=false())  # visitors may order printed kits
    controller: Mapped[dict[str, str]] = mapped_column(JSON)
    topics: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)
    neutral_subject: Mapped[bool] = mapped_column(server_default=false())
    canary: Mapped[bytes | None] = mapped_column(LargeBinary)
    keys_checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    handed_over_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    texts: Mapped[list["CampaignText"]] = relationship(cascade="all, delete-orphan")
    cases: Mapped[list["Case"]] = relationship(cascade="all, delete-orphan", order_by="Case.position")
    stories: Mapped[list["Story"]] = relationship(cascade="all, delete-orphan", order_by="Story.position")


class CampaignText(Base):
    """The campaign's words in one language. `words` holds the fields of content/fields.py."""

    __tablename__ = "campaign_texts"
    __table_args__ = (one_of("state", TextState),)

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    source_hash: Mapped[str] = mapped_column(String(64))
    words: Mapped[dict[str, Any]] = mapped_column(JSON)


class Case(Base):
    """One person or group at risk, with its own demand and count."""

    __tablename__ = "cases"
    __table_args__ = (UniqueConstraint("campaign_id", "slug"), one_of("state", CaseState))

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    country: Mapped[str] = mapped_column(String(2))
    topic: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    state_changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    goal: Mapped[int]
    hands_over_names: Mapped[bool] = mapped_column(server_default=true())
    emblem: Mapped[str] = mapped_column(Text)
    letter_facts: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")  # of content/letters.py

    texts: Mapped[list["CaseText"]] = relationship(cascade="all, delete-orphan")


class LetterVersion(Base):
    """The demand as it was signed: immutable, in its language. A changed demand makes a new version."""

    __tablename__ = "letter_versions"
    __table_args__ = (UniqueConstraint("case_id", "locale", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    locale: Mapped[str] = mapped_column(String(12))
    sha256: Mapped[str] = mapped_column(String(64))
    demand: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ConsentVersion(Base):
    """The consent text as it was agreed to: immutable, in its language. Changed words make a new version."""

    __tablename__ = "consent_versions"
    __table_args__ = (UniqueConstraint("campaign_id", "locale", "sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    locale: Mapped[str] = mapped_column(String(12))
    sha256: Mapped[str] = mapped_column(String(64))
    words: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseText(Base):
    """A case's words in one language; `letter_version_id` is what its readers sign now."""

    __tablename__ = "case_texts"
    __table_args__ = (one_of("state", TextState),)

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    source_hash: Mapped[str] = mapped_column(String(64))
    words: Mapped[dict[str, Any]] = mapped_column(JSON)
    letter_version_id: Mapped[int] = mapped_column(ForeignKey("letter_versions.id"))


class Story(Base):
    """A success of an earlier campaign."""

    __tablename__ = "stories"
    __table_args__ = (UniqueConstraint("campaign_id", "slug"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    slug: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    year: Mapped[int]
    country: Mapped[str | None] = mapped_column(String(2))

    texts: Mapped[list["StoryText"]] = relationship(cascade="all, delete-orphan")


class StoryText(Base):
    """A story's words in one language."""

    __tablename__ = "story_texts"
    __table_args__ = (one_of("state", TextState),)

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[str] = mapped_column(String(12), primary_key=True)
    state: Mapped[str] = mapped_column(String(12))
    source_hash: Mapped[str] = mapped_column(String(64))
    words: Mapped[dict[str, Any]] = mapped_column(JSON)


class TextVersion(Base):
    """Words that staff replaced by others in the browser, kept so that a change can be undone."""

    __tablename__ = "text_versions"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    place: Mapped[str] = mapped_column(String(100))  # where the folder has it: texts, cases/<slug>, stories/<slug>
    locale: Mapped[str] = mapped_column(String(12))
    words: Mapped[dict[str, Any]] = mapped_column(JSON)
    replaced_by: Mapped[str] = mapped_column(String(40))
    replaced_at: Mapped[datetime] = mapped_column(UtcDateTime)
