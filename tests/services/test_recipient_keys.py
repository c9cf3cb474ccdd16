"""The recipient keys, and the server's own keys."""

import pytest
from flask import Flask

from petitions.clock import now
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.errors import KeyFaulty, KeyMissing, NoRecipientKey
from petitions.models import Campaign, Recipient
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign, catalogue
from petitions.services.keys.keyring import Keyring, blind_key, keyring, public_keys
from petitions.services.keys.recipient_keys import add_recipient, has_recipients
from tests.support.factories import Keys, rows

pytestmark = pytest.mark.usefixtures("context")


def test_a_new_key_is_sealed_to_from_now_on(app: Flask, keys: Keys, campaign: PublicCampaign) -> None:
    _, deputy = sealing.new_identity()
    assert public_keys() == (keys.section_public,)
    add_recipient("deputy", deputy, CATALOGUE_CACHE.of(app))
    assert set(public_keys()) == {keys.section_public, deputy}


def test_adding_a_known_key_changes_nothing(app: Flask, keys: Keys) -> None:
    before = rows(Recipient)
    add_recipient("another label", keys.section_public, CATALOGUE_CACHE.of(app))
    assert rows(Recipient) == before


def test_what_is_no_public_key_is_refused(app: Flask, keys: Keys) -> None:
    for faulty in ("", "age1", "ssh-ed25519 AAAA", keys.section_private, keys.section_public[:-1]):
        with pytest.raises(KeyFaulty):
            add_recipient("faulty", faulty, CATALOGUE_CACHE.of(app))
    assert len(rows(Recipient)) == 1


def test_a_retired_key_is_not_sealed_to(app: Flask, keys: Keys, campaign: PublicCampaign) -> None:
    assert has_recipients()
    with transaction() as store:
        store.execute(Recipient.__table__.update().values(retired_at=now()))
    CATALOGUE_CACHE.of(app).forget()
    assert not has_recipients()
    with pytest.raises(NoRecipientKey):
        public_keys()


def test_there_is_a_key_even_before_there_is_a_campaign(keys: Keys) -> None:
    assert catalogue().campaigns == ()
    assert catalogue().public_keys == (keys.section_public,)


def test_a_campaign_key_opens_with_the_masters_key_only(campaign: PublicCampaign) -> None:
    assert len(blind_key(campaign)) == 32
    stranger, _ = sealing.new_identity()
    with pytest.raises(KeyMissing):
        Keyring("secret", stranger, keyring().instance).campaign_key(campaign.slug)


def test_once_the_campaign_key_is_destroyed_nobody_can_be_compared(app: Flask, campaign: PublicCampaign) -> None:
    with transaction() as store:
        store.execute(Campaign.__table__.update().values(erased_at=now(), changed_at=now()))
    CATALOGUE_CACHE.of(app).forget()
    with pytest.raises(NoRecipientKey):
        blind_key(catalogue().campaign(campaign.slug))


def test_a_master_key_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="age identity"):
        Keyring("secret", "not a key", keyring().instance)
    assert Keyring("secret", "", keyring().instance).master_public == ""
    assert keyring().master_public.startswith("age1")
