"""What one signer's link may show."""

import pytest

from petitions.errors import LinkUnknown
from petitions.models import Signer
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.services.signing import confirming
from tests.support.factories import ANN, BOB, confirm, newest, rows, sign, token_of

pytestmark = pytest.mark.usefixtures("context")


def test_a_signer_is_cases_by_state_without_a_name(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN, "river")
    sign(campaign, ANN, "lake")
    facts = signer_query.facts(newest(Signer).id)
    assert facts.confirmed == [campaign.case("river").id]
    assert facts.pending == [campaign.case("lake").id]
    assert facts.link_id == newest(Signer).link_id
    assert "_id=b" not in repr(facts)
    assert "_key" not in repr(facts)


@pytest.mark.parametrize("number", [0, 1, 2**31 - 1, 2**31, 2**63 - 1])
def test_a_signer_that_does_not_exist_has_no_link(campaign: PublicCampaign, number: int) -> None:
    with pytest.raises(LinkUnknown):
        signer_query.facts(number)


def test_an_erased_signer_has_no_link(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    confirming.reject_signer(token_of(newest(Signer).id))
    with pytest.raises(LinkUnknown):
        signer_query.facts(newest(Signer).id)


def test_the_signers_of_an_address_are_found_together_within_their_campaign(campaign: PublicCampaign) -> None:
    for person in (ANN, BOB):
        sign(campaign, person)
    key = newest(Signer).address_key
    assert {facts.id for facts in signer_query.at_address(campaign.id, key)} == {row.id for row in rows(Signer)}
    assert signer_query.at_address(campaign.id + 1, key) == []
    assert signer_query.at_address(campaign.id, b"x" * 32) == []
