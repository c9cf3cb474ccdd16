"""Networks: the prefixes of an address, and the random daily key."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from petitions.clock import now, stopped_at
from petitions.db.base import db
from petitions.db.transactions import transaction
from petitions.errors import Busy
from petitions.models import Limit
from petitions.services.keys.keyring import keyring
from petitions.services.limits import networks, rate_limits
from petitions.services.operations import backup
from tests.support.backups import unpacked
from tests.support.factories import rows

pytestmark = pytest.mark.usefixtures("context")


def drawn() -> list[tuple[str, int]]:
    """What lies in the database for the keys."""
    return sorted((row.key, row.used) for row in rows(Limit) if row.key.startswith("network-key:"))


def forget() -> None:
    """What another process or server knows: nothing yet."""
    networks.NETWORK_KEYS.of().clear()


def test_an_address_lies_in_networks_within_networks() -> None:
    assert networks.containing("192.0.2.7") == {32: "192.0.2.7/32", 24: "192.0.2.0/24"}
    assert networks.containing("2001:db8:1:2345::9") == {
        64: "2001:db8:1:2345::/64",
        56: "2001:db8:1:2300::/56",
        48: "2001:db8:1::/48",
    }
    assert networks.containing("a proxy") == {0: "a proxy"}
    assert networks.containing("") == networks.hashed("") == {}
    assert networks.line("") == ""
    assert networks.line("2001:db8:1::") == networks.line("2001:db8:1:ffff::") != networks.line("2001:db8:2::")
    assert networks.line("192.0.2.7") != networks.line("192.0.2.8")
    assert networks.line("a proxy")


def test_the_days_key_is_drawn_at_random_shared_and_deleted_with_the_day(app: Flask) -> None:
    begun = now()
    with stopped_at(begun):
        today, first = networks.daily_key(), drawn()
        forget()
        assert networks.daily_key() == today, "whoever comes later takes what is there"
        assert drawn() == first
        rate_limits.purge()
        assert drawn() == first
    with stopped_at(begun + timedelta(days=1)):
        rate_limits.purge()
        assert drawn() == []
        assert networks.daily_key() != today
    forget()
    with stopped_at(begun):
        assert networks.daily_key() != today, "once it is deleted, nobody finds it again"


def test_neither_the_drawn_half_nor_the_secret_key_is_enough(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today, values = networks.daily_key(), [number for _, number in drawn()]
    assert len(set(values)) == 5
    if db.engine.dialect.name == "sqlite":
        backup.copy_database(tmp_path / "copy.db")
        copy = unpacked(tmp_path / "copy.db", keyring().master_key)
        assert b"network-key:" not in copy.read_bytes()
    with monkeypatch.context() as other:
        other.setattr(keyring(), "secret_key", "another")
        forget()
        assert networks.daily_key() != today
    with transaction() as store:
        store.execute(delete(Limit))
    forget()
    assert networks.daily_key() != today


def test_a_database_that_is_away_is_no_mistake_of_ours(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "transaction", lambda: (_ for _ in ()).throw(Busy()))
    with pytest.raises(Busy):
        networks.daily_key()
    monkeypatch.undo()
    assert networks.daily_key(), "and it is drawn later"
