"""Networks that entries come from: which ones contain an address, and keyed hashes of them that last a day."""

import os
import secrets
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path

from petitions import clock, sealing
from petitions.errors import Busy
from petitions.services.keyring import settings

# From the narrowest to the widest. A home line has one IPv4 address, or one IPv6 network of /56 up to /48; whoever
# owns that has any number of networks of /64 for nothing
PREFIXES = {4: (32, 24), 6: (64, 56, 48)}
_FILE = "network-key-"


def containing(network: str) -> dict[int, str]:
    """The networks that contain this address, by the length of their prefix, the narrowest first; empty for none."""
    try:
        address = ip_address(network)
    except ValueError:  # what a proxy of ours writes instead of an address is one network
        return {0: network} if network else {}
    return {length: str(ip_network((address, length), strict=False)) for length in PREFIXES[address.version]}


def widest(network: str) -> str:
    """The widest of the networks that contain this address."""
    return next(reversed(containing(network).values()), "")


def hashed(network: str) -> dict[int, str]:
    """The networks that contain this address, as hashes that nobody can compare with another day's."""
    names = containing(network)
    key = daily_key() if names else b""
    return {length: sealing.blind_index(key, "network", name).hex()[:40] for length, name in names.items()}


def daily_key() -> bytes:
    """Today's key, drawn at random and shared by all processes of this machine; those of other days are deleted.

    A key computed from a lasting secret would not do: whoever has it could try all addresses. Raises Busy where the
    disk takes no file.
    """
    today = clock.now()
    return _key(settings().instance, *(f"{_FILE}{today + timedelta(days=days):%Y-%m-%d}" for days in (0, 1)))


@lru_cache(maxsize=4)
def _key(folder: Path, today: str, tomorrow: str) -> bytes:
    path, drawn = folder / today, secrets.token_bytes(32)
    fresh = folder / f".{_FILE}{secrets.token_hex(8)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(drawn)
        try:
            os.link(fresh, path)  # whole or not at all, and the first one wins
        except FileExistsError:
            drawn = path.read_bytes()
        finally:
            fresh.unlink()
        for old in folder.glob(f"{_FILE}*"):
            if old.name not in (today, tomorrow):  # another process may be a moment ahead of midnight
                old.unlink(missing_ok=True)
    except OSError as exc:
        raise Busy() from exc
    return drawn
