"""Counts all signatures one by one each night, and compares the sums with the counts that pages show."""

import logging
from datetime import timedelta

from sqlalchemy import Connection, func, select

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.domain.states import SignatureState
from petitions.models import Campaign, Case, Count, Recount, Signature
from petitions.queries.counts import recounted

log = logging.getLogger(__name__)
EVERY = timedelta(hours=23)


def recount_due() -> bool:
    """Recount if the last one is almost a day old; returns whether it did."""
    with reading() as connection:
        last = connection.scalar(select(func.min(Recount.at)))
        campaigns = list(connection.scalars(select(Campaign.id)))
        done = connection.scalar(select(func.count()).select_from(Recount))
    if not campaigns or (last is not None and done == len(campaigns) and clock.now() - last < EVERY):
        return False
    with reading() as connection:
        people, wrong = _people(connection), _disagreeing(connection)
    if wrong:
        log.error("counts differ from signatures campaigns=%s", len(wrong))
    with transaction() as store:
        for campaign in campaigns:
            facts = {"at": clock.now(), "people": people.get(campaign, 0), "agrees": campaign not in wrong}
            store.merge(Recount(campaign_id=campaign, **facts))
    return True


def _people(connection: Connection) -> dict[int, int]:
    """Signers with at least one confirmed signature, by campaign."""
    statement = (
        select(Case.campaign_id, func.count(Signature.signer_id.distinct()))
        .join(Signature, Signature.case_id == Case.id)
        .where(Signature.state == SignatureState.CONFIRMED)
        .group_by(Case.campaign_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _disagreeing(connection: Connection) -> set[int]:
    """The campaigns in which a count is not the number of signatures."""
    states = [str(state) for state in SignatureState]
    sums = [func.coalesce(func.sum(getattr(Count, state)), 0).label(state) for state in states]
    said = {row.case_id: row for row in connection.execute(select(Count.case_id, *sums).group_by(Count.case_id))}
    found = recounted(connection)
    wrong = set()
    for case_id, campaign_id in connection.execute(select(Case.id, Case.campaign_id)):
        row = said.get(case_id)
        if any(found.get((case_id, state), 0) != (getattr(row, state) if row else 0) for state in states):
            wrong.add(campaign_id)
    return wrong
