"""Publishes counts in batches, so that watching them does not show who signed for which case.

Each campaign is checked once in a quarter of an hour, never because somebody signed. New confirmations are published
only if at least one case grew by five signers since the last batch; then all cases are updated together. Withdrawals
are shown with the next batch, and cause none: otherwise a few signers could sign and withdraw in turn. Acts of staff
(paper, letters, invalidations) are published at once. The rest is published once after the end, and once when the last
confirmation link has expired.
"""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain import retention
from petitions.models import Campaign, PublishedCount
from petitions.queries import counts, published_counts
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.queries.counts import NOTHING, Numbers
from petitions.services.signing.confirming import LINK_LIFETIME

FEWEST = 5


def publish_due(last: datetime | None = None) -> datetime:
    """Check every campaign, unless that was done in this quarter of an hour; returns the quarter for the next call.

    Any number of servers may call it: the first one decides for all.
    """
    quarter = clock.quarter_of(clock.now())
    for campaign in catalogue().campaigns if quarter != last else ():
        _look(campaign, quarter)
    return quarter


def _look(campaign: PublicCampaign, quarter: datetime) -> None:
    live = counts.of_campaign(campaign.id).by_case
    stage = _stage(campaign)
    with transaction() as store:
        store.scalar(select(Campaign.id).where(Campaign.id == campaign.id).with_for_update(key_share=True))
        batch = store.get(PublishedCount, campaign.id)
        if batch is None:
            batch = PublishedCount(campaign_id=campaign.id, published_at=quarter, stage=0, figures={})
            store.add(batch)
        elif batch.checked_at == quarter:
            return
        before = published_counts.from_json(batch.figures)
        is_due = stage > batch.stage or any(_is_enough(before.get(case, NOTHING), now) for case, now in live.items())
        shown = {case: _shown(now if is_due else before.get(case, NOTHING), now) for case, now in live.items()}
        after = {case: numbers for case, numbers in shown.items() if numbers != NOTHING}
        batch.checked_at, batch.stage = quarter, stage
        if after != before:  # a new case with only unconfirmed signatures is no change
            batch.published_at = quarter
            batch.figures = {str(case): asdict(numbers) for case, numbers in after.items()}


def _shown(batch: Numbers, now: Numbers) -> Numbers:
    return Numbers(confirmed=batch.confirmed, invalidated=batch.invalidated, paper=now.paper, letters=now.letters)


def _is_enough(before: Numbers, now: Numbers) -> bool:
    """Whether five signers were added to this case, or staff invalidated or restored as many signatures."""
    return now.confirmed - before.confirmed >= FEWEST or abs(now.invalidated - before.invalidated) >= FEWEST


def _stage(campaign: PublicCampaign) -> int:
    """0 while a campaign runs, 1 once it is over, 2 once nobody can confirm any more."""
    end = retention.ends_at(campaign.closes_at, campaign.closed_at)
    return campaign.is_over + (campaign.is_over and end is not None and clock.now() > end + LINK_LIFETIME)
