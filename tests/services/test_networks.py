"""Networks: what contains an address, and the key of a day that nobody can compute."""

import multiprocessing
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.errors import Busy
from petitions.services import limits, networks
from petitions.services.keyring import settings

pytestmark = pytest.mark.usefixtures("context")

FORK = multiprocessing.get_context("fork")


def files() -> list[Path]:
    """The key files that are there."""
    return sorted(settings().instance.glob("*network-key-*"))


def test_an_address_lies_in_networks_within_networks() -> None:
    assert networks.containing("192.0.2.7") == {32: "192.0.2.7/32", 24: "192.0.2.0/24"}
    assert networks.containing("2001:db8:1:2345::9") == {
        64: "2001:db8:1:2345::/64",
        56: "2001:db8:1:2300::/56",
        48: "2001:db8:1::/48",
    }
    assert networks.containing("a proxy") == {0: "a proxy"}
    assert networks.containing("") == networks.hashed("") == {}


def test_the_days_key_is_drawn_at_random_kept_private_and_deleted_with_the_day(app: Flask) -> None:
    begun = now()
    with stopped_at(begun):
        today = networks.daily_key()
        [path] = files()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes() == today == networks.daily_key()
        networks._key.cache_clear()
        assert networks.daily_key() == today, "whoever comes later takes what is there"
    with stopped_at(begun + timedelta(days=1)):
        limits.purge()
        assert files() == [path.with_name(f"network-key-{begun + timedelta(days=1):%Y-%m-%d}")]
        assert networks.daily_key() != today
    networks._key.cache_clear()
    with stopped_at(begun):
        assert networks.daily_key() != today, "once it is deleted, nobody finds it again"


def test_processes_that_start_together_share_one_key(app: Flask) -> None:
    barrier, answers = FORK.Barrier(6), FORK.SimpleQueue()

    def ask() -> None:
        barrier.wait()
        answers.put(networks.daily_key())

    processes = [FORK.Process(target=ask) for _ in range(6)]
    for each in processes:
        each.start()
    keys = {answers.get() for _ in processes}
    for each in processes:
        each.join()
    assert len(keys) == 1
    assert len(files()) == 1


def test_a_disk_that_takes_no_file_is_no_mistake_of_ours(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks.os, "link", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(Busy):
        networks.daily_key()
