"""What campaigns consist of, changed in the browser: new ones, copies, settings, cases and their order."""

from collections.abc import Callable

from sqlalchemy import select

from petitions.content import changes
from petitions.content.fields import CampaignContent
from petitions.db.transactions import transaction
from petitions.domain.states import CampaignState
from petitions.errors import CampaignExists, ContentFaulty, TextChanged
from petitions.models import Campaign
from petitions.queries.catalogue import CatalogueCache
from petitions.services import journal
from petitions.services.campaigns.folders import load_content, store_content

Change = Callable[[CampaignContent], CampaignContent]


def change(slug: str, apply: Change, revision: str, by: str, catalogue_cache: CatalogueCache) -> None:
    """Store the campaign as `apply` gives it.

    Raises NotFound, TextChanged if `revision` is no longer what is stored, and ContentFaulty; then nothing changes.
    """
    with transaction() as store:
        content = load_content(store, slug)
        if changes.revision(content) != revision:
            raise TextChanged()
        new = apply(content)
        if new.state == CampaignState.OPEN != content.state:
            _demand_finished(new)
        store_content(store, new)
        journal.record(store, by, "campaign changed", slug)
    catalogue_cache.forget()


def create(content: CampaignContent, by: str, catalogue_cache: CatalogueCache, *, replaces: bool = False) -> None:
    """Store a new campaign; with `replaces` also one that exists, whose own state and cases' states stay as they are.

    Raises CampaignExists and ContentFaulty; then nothing changes.
    """
    with transaction() as store:
        if store.scalar(select(Campaign.id).where(Campaign.slug == content.slug)) is not None:
            if not replaces:
                raise CampaignExists(campaign=content.slug)
            _keep_states(content, load_content(store, content.slug))
        store_content(store, content)
        journal.record(store, by, "campaign imported", content.slug, len(content.cases))
    catalogue_cache.forget()


def _demand_finished(content: CampaignContent) -> None:
    drafts = [f"{place}/{language}.md: is still a draft" for place, language in changes.unfinished(content)]
    if drafts:
        raise ContentFaulty(drafts)


def _keep_states(content: CampaignContent, stored: CampaignContent) -> None:
    """A folder may be older than the state of a case, and nothing that was hidden may come back with it."""
    content.state = stored.state
    states = {case.slug: case.state for case in stored.cases}
    for case in content.cases:
        case.state = states.get(case.slug, case.state)
