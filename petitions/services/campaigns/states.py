"""States of single cases: open, pause, hide, won, close. A change takes effect at once, without an import."""

from sqlalchemy import select

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain.states import CaseState
from petitions.errors import NotFound
from petitions.models import Campaign, Case
from petitions.queries.catalogue import CatalogueCache
from petitions.services import journal


def set_case_state(campaign: str, case: str, state: CaseState, by: str, catalogue_cache: CatalogueCache) -> bool:
    """Give the case the state; False if it has it already. Raises NotFound.

    Other processes follow within the catalogue's FRESH_SECONDS. Signatures are kept in each state.
    """
    with transaction() as store:
        found = select(Case, Campaign).join(Campaign, Campaign.id == Case.campaign_id)
        row = store.execute(
            found.where(Campaign.slug == campaign, Case.slug == case).with_for_update(key_share=True)
        ).one_or_none()
        if row is None:
            raise NotFound(campaign=campaign, case=case)
        if row.Case.state == state:
            return False
        now = clock.now()
        row.Case.state, row.Case.state_changed_at = state, now
        row.Campaign.changed_at = now
        journal.record(store, by, "case state", f"{case} {state}")
    catalogue_cache.forget()
    return True
