"""The staff overview: one row per case, with all its numbers. Nobody is named."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.states import CampaignState, MessageState, SignatureState
from petitions.models import Campaign, CampaignText, Case, CaseText, Message, Recount, Signature, Suppression, Tally
from petitions.queries import counts
from petitions.queries.counts import Numbers

MAIL_WAITS = timedelta(minutes=10)
BOUNCES_SHOWN = timedelta(days=7)
NO_FAILURES = ("rejected", "suppressed", "settled", "erased")  # intended, so no failure


@dataclass(frozen=True)
class Line:
    """One case."""

    slug: str
    title: str
    country: str
    state: str
    goal: int
    numbers: Numbers
    today: Numbers


@dataclass(frozen=True)
class Summary:
    """A campaign in a list of all; the title is in its first language."""

    slug: str
    title: str
    state: str
    timezone: str
    opens_at: datetime | None
    closes_at: datetime | None


@dataclass(frozen=True)
class Outbox:
    """The state of the outbox."""

    waiting: int
    oldest_at: datetime | None
    failures: dict[str, int]
    bounced: int = 0  # addresses that mail servers refused for good, in the last seven days

    @property
    def is_late(self) -> bool:
        """Whether an e-mail waits for so long that staff should check it; reminders wait for their day."""
        return self.oldest_at is not None and clock.now() - self.oldest_at > MAIL_WAITS

    @property
    def failed(self) -> int:
        """How many e-mails failed for good."""
        return sum(self.failures.values())


@dataclass(frozen=True)
class Board:
    """A campaign's cases with their numbers at one moment."""

    campaign: str
    title: str
    timezone: str
    as_of: datetime
    lines: list[Line]
    total: Numbers
    today: Numbers
    outbox: Outbox


@dataclass(frozen=True)
class Facts:
    """What the overview says beside the counts. `people` are from last night, and None before the first night."""

    people: int | None
    has_end: bool
    is_key_tested: bool
    papers: int  # numbers from paper that wait for a second person


def facts(slug: str) -> Facts:
    """The facts of a campaign that exists."""
    is_waiting = Tally.verified_at.is_(None) & Tally.cancelled_at.is_(None)
    papers = select(func.count(Tally.id)).join(Case, Case.id == Tally.case_id)
    papers = papers.where(Case.campaign_id == Campaign.id, is_waiting).correlate(Campaign)
    is_tested = Campaign.keys_checked_at.is_not(None) | Campaign.erased_at.is_not(None)
    statement = select(Recount.people, Campaign.closes_at.is_not(None), is_tested, papers.scalar_subquery())
    with reading() as connection:
        joined = statement.outerjoin(Recount, Recount.campaign_id == Campaign.id)
        return Facts(*connection.execute(joined.where(Campaign.slug == slug)).one())


def sources(slug: str) -> dict[str, int]:
    """How many confirmed signatures came by each channel, largest first; those of erased signers have none."""
    number = func.count().label("number")
    with reading() as connection:
        rows = connection.execute(
            select(Signature.source, number)
            .join(Case, Case.id == Signature.case_id)
            .join(Campaign, Campaign.id == Case.campaign_id)
            .where(Campaign.slug == slug, Signature.state == SignatureState.CONFIRMED)
            .group_by(Signature.source)
            .order_by(number.desc(), Signature.source)
        )
        return {row.source: row.number for row in rows}


def campaigns() -> list[Summary]:
    """All campaigns, the newest first."""
    source = CampaignText.locale == Campaign.languages[0].as_string()
    columns = (Campaign.state, Campaign.timezone, Campaign.opens_at, Campaign.closes_at)
    with reading() as connection:
        rows = connection.execute(
            select(Campaign.slug, CampaignText.words["title"].as_string(), *columns)
            .join(CampaignText, (CampaignText.campaign_id == Campaign.id) & source)
            .order_by(Campaign.id.desc())
        )
        return [Summary(*row) for row in rows]


def slug_of(chosen: str = "") -> str | None:
    """The slug of the campaign that the staff pages are about, see `of`; None before the first import."""
    with reading() as connection:
        slug: str | None = connection.scalar(_first(Campaign.slug, chosen))
        return slug


def of(chosen: str, locale: str) -> Board | None:
    """The overview of the campaign with the slug `chosen`, else of the open one, else of the newest.

    None before the first import.
    """
    with reading() as connection:
        campaign = connection.execute(_first(Campaign, chosen)).one_or_none()
        if campaign is None:
            return None
        source = campaign.languages[0]
        words = select(CampaignText.words["title"].as_string()).where(CampaignText.campaign_id == campaign.id)
        title = connection.scalar(words.where(CampaignText.locale == source)) or campaign.slug
        rows = connection.execute(
            select(Case.id, Case.slug, Case.country, Case.state, Case.goal, CaseText.locale, CaseText.words)
            .join(CaseText, CaseText.case_id == Case.id)
            .where(Case.campaign_id == campaign.id, CaseText.locale.in_([locale, source]))
            .order_by(Case.position)
        ).all()
    numbers, today = counts.of_campaign(campaign.id), counts.since_midnight(campaign.id, campaign.timezone)
    best = {row.id: row for row in sorted(rows, key=lambda row: row.locale == locale)}
    lines = [
        Line(
            *(row.slug, best[row.id].words["title"], row.country, row.state, row.goal),
            *(numbers.of(row.id), today.of(row.id)),
        )
        for row in {row.id: row for row in rows}.values()
    ]
    return Board(campaign.slug, title, campaign.timezone, clock.now(), lines, numbers.total, today.total, outbox())


def _first(what: Any, chosen: str) -> Select[Any]:
    is_chosen, is_open = Campaign.slug == chosen, Campaign.state == CampaignState.OPEN
    newest = (Campaign.opens_at.desc().nulls_last(), Campaign.id.desc())
    return select(what).order_by(is_chosen.desc(), is_open.desc(), *newest).limit(1)


def outbox() -> Outbox:
    """The state of the outbox."""
    queued = (Message.state == MessageState.QUEUED) & (Message.kind != "reminder")
    reasons = (
        select(Message.failure, func.count(Message.id))
        .where(Message.state == MessageState.FAILED, Message.failure.not_in(NO_FAILURES))
        .group_by(Message.failure)
    )
    is_recent = Suppression.created_at > clock.now() - BOUNCES_SHOWN
    bounces = select(func.count()).where(Suppression.reason == "bounced", is_recent)
    with reading() as connection:
        waiting, oldest_at = connection.execute(
            select(func.count(Message.id), func.min(Message.created_at)).where(queued)
        ).one()
        failures = {str(reason): number for reason, number in connection.execute(reasons)}
        bounced = connection.scalar(bounces) or 0
    return Outbox(waiting, oldest_at, failures, bounced)
