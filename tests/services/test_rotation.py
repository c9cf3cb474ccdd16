"""The master key is replaced while servers run: no signer notices, and the former one opens nothing then."""

from pathlib import Path

import pytest
from flask import Flask

from petitions.domain import sealing
from petitions.errors import RotationFaulty
from petitions.models import Message, Signature
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign
from petitions.services import installation
from petitions.services.keys import keyring as keyrings
from petitions.services.keys.keyring import KEYRING, Keyring, keyring
from petitions.services.mailing import outbox
from petitions.services.operations import rotation
from petitions.services.paper import kit_orders
from petitions.settings import SETTINGS
from tests.support.factories import ANN, BOB, rows, sign

pytestmark = pytest.mark.usefixtures("context")
CYD = "cyd@example.org"


@pytest.fixture
def instance(context: Flask, campaign: PublicCampaign) -> Path:
    """The instance folder, with its master key in a file, as `flask setup` makes it."""
    folder = SETTINGS.of(context).instance
    (folder / "master_key").write_text(f"{keyring().master_key}\n")
    installation.note_keys()
    return folder


def restarted(app: Flask) -> Keyring:
    """What a server reads that starts now."""
    here = SETTINGS.of(app).instance
    return KEYRING.put(app, Keyring(keyring().secret_key, (here / "master_key").read_text().strip(), here))


def recipients() -> list[str]:
    return sorted(each.recipient["to"] for each in outbox.lease(20))


def faults(app: Flask) -> list[str]:
    return installation.faults(CATALOGUE_CACHE.of(app))


def test_both_keys_open_until_the_end_and_then_the_new_one_only(
    context: Flask, campaign: PublicCampaign, instance: Path
) -> None:
    former = keyring().master_key
    sign(campaign, ANN)
    assert rotation.begin() == 1
    new = restarted(context)
    assert new.master_key != former
    assert faults(context) == []
    KEYRING.put(context, Keyring(keyring().secret_key, former, instance))  # a server that was not restarted
    sign(campaign, BOB)
    kit_orders.take(campaign.id, "Cyd", "1, Main Street", 1, "en", "198.51.100.7")
    restarted(context)
    kept = rotation.finish()
    assert kept.read_text().strip() == former
    KEYRING.put(context, Keyring(keyring().secret_key, new.master_key, instance))
    assert [each.name for each in kit_orders.waiting(campaign.slug)] == ["Cyd"]
    assert kept.stat().st_mode & 0o077 == 0
    new = restarted(context)
    assert new.master_keys == [new.master_key]
    assert faults(context) == []
    assert recipients() == sorted([ANN.email, BOB.email])
    with pytest.raises(sealing.CannotOpen):
        sealing.unseal(rows(Message)[0].payload, [former])
    with pytest.raises(sealing.CannotOpen):
        sealing.unwrap((instance / "campaign-keys" / campaign.slug).read_bytes(), former)


def test_a_signer_is_the_same_before_and_after(context: Flask, campaign: PublicCampaign, instance: Path) -> None:
    sign(campaign, ANN)
    before = len(rows(Signature))
    rotation.begin()
    restarted(context)
    rotation.finish()
    restarted(context)
    sign(campaign, ANN)
    assert len(rows(Signature)) == before


def test_it_may_be_repeated_after_a_crash_at_any_write(
    context: Flask, campaign: PublicCampaign, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(campaign, ANN)
    real = keyrings.replace_file
    for crash_at in range(8):
        done = 0

        def crashing(path: Path, data: bytes, at: int = crash_at) -> None:
            nonlocal done
            if done == at:
                raise OSError("the power is gone")
            done += 1
            real(path, data)

        for module in (keyrings, rotation):
            monkeypatch.setattr(module, "replace_file", crashing)
        try:
            rotation.begin()
            restarted(context)
            rotation.finish()
        except OSError:
            pass
        for module in (keyrings, rotation):
            monkeypatch.setattr(module, "replace_file", real)
        ring = restarted(context)
        assert ring.campaign_key(campaign.slug), f"crash at {crash_at}"
        rotation.begin()
        assert faults(context) == []
    restarted(context)
    rotation.finish()
    restarted(context)
    assert recipients() == [ANN.email]


def test_a_key_that_is_kept_elsewhere_is_not_touched(context: Flask, instance: Path) -> None:
    (instance / "master_key").unlink()
    with pytest.raises(RotationFaulty, match="says how to rotate it there"):
        rotation.begin()
    assert not keyring().old_master_path.exists()


def test_there_is_no_second_step_without_the_first(instance: Path) -> None:
    with pytest.raises(RotationFaulty, match="without --finish first"):
        rotation.finish()


def test_seeded_bug_a_key_wrapped_for_the_new_server_only_stops_the_old_one(
    context: Flask, campaign: PublicCampaign, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sealing.wrap
    monkeypatch.setattr(sealing, "wrap", lambda secret, *master_keys: real(secret, master_keys[0]))
    with pytest.raises(Exception, match="key_missing"):
        test_both_keys_open_until_the_end_and_then_the_new_one_only(context, campaign, instance)
