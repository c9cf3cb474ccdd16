"""Networks that entries come from: which ones contain an address, and keyed hashes of them that last a day."""

import secrets
from ipaddress import ip_address, ip_network

from flask import current_app
from sqlalchemy import select

from petitions import clock
from petitions.db import bulk
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.models import Limit
from petitions.services.keys.keyring import keyring

# From the narrowest to the widest. A home line has one IPv4 address, or one IPv6 network of /56 up to /48; whoever
# owns that has any number of networks of /64 for nothing
PREFIXES = {4: (32, 24), 6: (64, 56, 48)}
_DAY = 86_400
_PARTS = 5  # of 31 bits: what a number in `limits` holds on both databases


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


def line(network: str) -> str:
    """The hash of what one customer may have: an IPv4 address, or a whole IPv6 /48; empty for none."""
    names = hashed(network)
    return names.get(32) or names.get(48) or names.get(0, "")


def daily_key() -> bytes:
    """Today's key, one for all servers: half of it is drawn at random each day and deleted, half is the secret key.

    The drawn half lies in `limits`, which no backup holds. So neither a copy of the database nor the secret key is
    enough to try all addresses, and of days that are over both together tell nothing. Raises Busy.
    """
    kept: dict[str, bytes] = current_app.extensions.setdefault("petitions_network_keys", {})
    day = f"{clock.now():%Y-%m-%d}"
    if day not in kept:
        drawn = _drawn(day)
        kept.clear()
        kept[day] = sealing.blind_index(keyring().secret_key.encode(), "network key", drawn)
    return kept[day]


def _drawn(day: str) -> str:
    """What was drawn for this day by whoever asked first."""
    rows = [(f"network-key:{day}:{part}", secrets.randbits(31)) for part in range(_PARTS)]
    ends_at = int(clock.now().timestamp()) + _DAY
    with transaction() as store:
        connection = store.connection()
        bulk.insert(
            connection,
            Limit,
            ("key", "used"),
            rows,
            same={"ends_at": ends_at - ends_at % _DAY},
            on_conflict="DO NOTHING",
        )
        found = connection.execute(
            select(Limit.used).where(Limit.key.in_([key for key, _ in rows])).order_by(Limit.key)
        )
        return " ".join(str(number) for number in found.scalars())
