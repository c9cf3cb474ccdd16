"""The counts that everybody may see: the only source of public pages. Nothing that is unconfirmed moves them."""

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
    """What is confirmed, on paper and in letters for each public case: of the last batch, or live if it says so."""
    found = counts.of_campaign(campaign.id) if campaign.counts == CountsMode.LIVE else _published(campaign)
    shown = {case.id: found.of(case.id) for case in campaign.cases}  # a hidden case leaves the total, too
    safe = {number: Numbers(confirmed=n.confirmed, paper=n.paper, letters=n.letters) for number, n in shown.items()}
    return Counts(found.as_of, safe, found.is_on_hold, found.next_at)


def from_json(figures: dict[str, Any]) -> dict[int, Numbers]:
    """The numbers by case, from the column `figures`."""
    return {int(case_id): Numbers(**numbers) for case_id, numbers in figures.items()}


def _published(campaign: PublicCampaign) -> Counts:
    """The last batch; zeros before the first one. No hold is shown: it begins with a signer."""
    batch = select(PublishedCount.published_at, PublishedCount.figures).where(PublishedCount.campaign_id == campaign.id)
    with reading() as connection:
        row = connection.execute(batch).one_or_none()
    next_at = clock.quarter_of(clock.now()) + clock.QUARTER if campaign.is_open else None
    as_of, found = row or (campaign.created_at, {})
    return Counts(as_of, from_json(found), next_at=next_at)
