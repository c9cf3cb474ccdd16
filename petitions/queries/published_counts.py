"""The public counts: the only source of numbers on public pages. Unconfirmed signatures never change them."""

from typing import Any

from sqlalchemy import select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.states import CountsMode
from petitions.models import PublishedCount
from petitions.queries import counts
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.counts import Counts, Numbers


def public(campaign: PublicCampaign) -> Counts:
    """The confirmed, paper and letter numbers of each public case: from the last batch, or live if so configured."""
    found = counts.of_campaign(campaign.id) if campaign.counts == CountsMode.LIVE else _published(campaign)
    shown = {case.id: found.of(case.id) for case in campaign.cases}  # a hidden case is not in the total either
    safe = {number: Numbers(confirmed=n.confirmed, paper=n.paper, letters=n.letters) for number, n in shown.items()}
    return Counts(found.as_of, safe, found.is_on_hold, found.next_at)


def from_json(figures: dict[str, Any]) -> dict[int, Numbers]:
    """The numbers by case, from the column `figures`."""
    return {int(case_id): Numbers(**numbers) for case_id, numbers in figures.items()}


def _published(campaign: PublicCampaign) -> Counts:
    """The last batch; zeros before the first one. It shows no hold, because a signer causes that."""
    batch = select(PublishedCount.published_at, PublishedCount.figures).where(PublishedCount.campaign_id == campaign.id)
    with reading() as connection:
        row = connection.execute(batch).one_or_none()
    next_at = clock.quarter_of(clock.now()) + clock.QUARTER if campaign.is_open else None
    as_of, found = row or (campaign.created_at, {})
    return Counts(as_of, from_json(found), next_at=next_at)
