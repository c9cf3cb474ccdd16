"""Counts what visitors tell or do without a check: letters posted, donation links followed. Nothing about who."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import transaction
from petitions.domain.states import ActionKind
from petitions.errors import DomainError
from petitions.models import ActionCount
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.services.limits import networks, rate_limits
from petitions.services.signing import admission

MOST_LETTERS = 50  # in one report: a class with its teacher
REPORTS = rate_limits.Rule("reports", 5, timedelta(hours=24))  # per network
CLICKS = rate_limits.Rule("clicks", 20, timedelta(hours=1))  # per network


def report_letters(
    campaign: PublicCampaign,
    case: PublicCase,
    number: int,
    network: str,
    *,
    proof: str = "",
    is_automatic: bool = False,
) -> None:
    """Add letters that their writer has posted, under the limits of signing; raises ProofNeeded, TooManyTries, Busy."""
    request = admission.prepare(campaign.id, network, None, proof, is_automatic=is_automatic)
    now = clock.now()
    with transaction() as store:  # a refused request is counted too, so the answer is raised after the commit
        (answer,) = admission.admit(store.connection(), [request], now)
    if isinstance(answer, DomainError):
        raise answer
    if place := networks.line(network):
        rate_limits.spend(REPORTS, place)
    with transaction() as store:
        _add(store.connection(), campaign, ActionKind.POSTED, case.slug, number, now)


def count_click(campaign: PublicCampaign, place: str, network: str) -> None:
    """Count a followed donation link by its place on our pages; raises TooManyTries."""
    if line := networks.line(network):
        rate_limits.spend(CLICKS, line)
    with transaction() as store:
        _add(store.connection(), campaign, ActionKind.DONATION, place, 1, clock.now())


def _add(
    connection: Connection, campaign: PublicCampaign, kind: ActionKind, subject: str, number: int, now: datetime
) -> None:
    day = now.astimezone(ZoneInfo(campaign.timezone)).date()
    columns = ("campaign_id", "kind", "subject", "day", "number")
    row = (campaign.id, kind, subject, day, number)
    bulk.insert(connection, ActionCount, columns, [row], on_conflict=_count_up)


def _count_up(statement: bulk.Insert) -> bulk.Insert:
    added = ActionCount.__table__.c.number + statement.excluded.number
    return statement.on_conflict_do_update(index_elements=ActionCount.__table__.primary_key, set_={"number": added})
