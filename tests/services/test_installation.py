"""Lost keys and damaged files are reported."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import insert

from petitions.clock import now
from petitions.db.base import db
from petitions.db.transactions import damage, reading, transaction
from petitions.domain import sealing
from petitions.errors import DatabaseDamaged, KeyMissing
from petitions.models import Campaign, Recipient, Signer
from petitions.queries.catalogue import CATALOGUE_CACHE, CatalogueCache, PublicCampaign, catalogue
from petitions.services import installation
from petitions.services.keys.keyring import keyring
from tests.support.factories import ANN, Keys, close_app, confirm, make_app, newest, sign

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def _noted(context: Flask, campaign: PublicCampaign) -> None:
    """As `flask setup` leaves it."""
    installation.note_keys()


def faults_of(app: Flask) -> list[str]:
    """What the application finds, in a context of its own."""
    with app.app_context():
        return installation.faults(CATALOGUE_CACHE.of(app), is_thorough=True)


def test_a_whole_installation_has_no_faults(app: Flask) -> None:
    assert faults_of(app) == []
    installation.note_keys()  # a second setup
    assert faults_of(app) == []


def test_a_replaced_secret_is_reported_with_its_consequence(database_url: str, tmp_path: Path, keys: Keys) -> None:
    for name, other in (("secret_key", "another secret that is long"), ("master_key", sealing.new_identity()[0])):
        app = make_app(database_url, tmp_path, keys, **{name: other})
        found = faults_of(app)
        assert f"{tmp_path}/instance/{name} is missing, or is not the one" in found[0]
        assert installation.LOSS[name] in found[0]
        close_app(app)


def test_no_new_secret_is_drawn_for_a_database_that_was_made_with_one() -> None:
    assert installation.was_made_with("master_key")
    with transaction() as store:
        store.execute(installation.Check.__table__.delete())
    assert installation.was_made_with("master_key"), "a campaign is there, from before keys were noted"


def test_a_lost_or_exchanged_campaign_key_is_named_and_signing_says_503(app: Flask, campaign: PublicCampaign) -> None:
    path = keyring().instance / "campaign-keys" / campaign.slug
    kept = path.read_bytes()
    for damaged in (None, sealing.wrap(sealing.new_key(), keyring().master_key), kept[:-1]):
        keyring().__post_init__()  # forgets what it read
        path.unlink() if damaged is None else path.write_bytes(damaged)
        [fault] = faults_of(app)
        assert "campaign-keys/water-2026" in fault
    with pytest.raises(KeyMissing):
        sign(campaign, ANN)


def test_a_public_key_that_no_command_added_reads_nothing(app: Flask, campaign: PublicCampaign, keys: Keys) -> None:
    thief, public = sealing.new_identity()
    with transaction() as store:
        store.execute(insert(Recipient).values(label="planted", public_key=public, created_at=now()))
    CATALOGUE_CACHE.of(app).forget()
    assert catalogue().public_keys == (keys.section_public,)
    confirm(catalogue().campaign(campaign.slug), ANN)
    with pytest.raises(sealing.CannotOpen):
        sealing.unseal(newest(Signer).sealed, [thief])
    [fault] = faults_of(app)
    assert public in fault


def test_a_ledger_that_is_shorter_than_the_database_knows_is_named(app: Flask, campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    with transaction() as store:
        installation.ledger.append(store.connection(), [{"what": "lifted", "mailbox": "a"}], now())
    installation.ledger.path().unlink()
    [fault] = faults_of(app)
    assert "erasures.jsonl is missing" in fault
    assert "retention replay" in fault


def test_a_damaged_database_is_one_sentence(tmp_path: Path, keys: Keys, sqlite_templates: Path) -> None:
    for name, spoil in (("no database", lambda raw: b"x" * len(raw)), ("torn", lambda raw: raw[:8192] + b"\0" * 65536)):
        folder = tmp_path / name
        folder.mkdir()
        path = Path(shutil.copy(sqlite_templates / "campaign.db", folder / "petitions.db"))
        path.write_bytes(spoil(path.read_bytes()))
        app = make_app(f"sqlite:///{path}", folder, keys)
        [fault] = faults_of(app)
        assert "is damaged" in fault
        with app.app_context(), pytest.raises(DatabaseDamaged):
            _read_everything()
        close_app(app)


def _read_everything() -> None:
    with reading() as connection:
        for table in Campaign.metadata.sorted_tables:
            connection.execute(table.select()).all()


def test_a_database_without_damage_has_none(app: Flask) -> None:
    assert damage(is_thorough=True) == ""
    assert db.engine.dialect.name in ("sqlite", "postgresql")
    assert isinstance(CATALOGUE_CACHE.of(app), CatalogueCache)
