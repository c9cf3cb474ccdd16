"""Proof of work for busy networks: a challenge that a browser solves, or a waiting time without JavaScript.

Both are made for one campaign and one network, are valid for an hour, and can be used once.
"""

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

import altcha

from petitions import clock
from petitions.domain import sealing
from petitions.services.keys.keyring import keyring
from petitions.services.limits import networks, rate_limits

COST = 2_000  # rounds of PBKDF2 per attempt; about 256 attempts are needed: 0.2 s on a computer, 2 s on an old phone
WAIT_SECONDS = 30
LIFETIME = timedelta(hours=1)
SPENT = rate_limits.Rule("proof", 1, LIFETIME + timedelta(seconds=WAIT_SECONDS))


@dataclass(frozen=True)
class Question:
    """The challenge for scripts (JSON in base64), and a token that becomes valid after a waiting time."""

    puzzle: str
    wait: str
    seconds: int


@dataclass(frozen=True)
class Proof:
    """A valid proof; `key` is the key in `limits` under which it is used up.

    `needs_place`: only time was spent, which anyone can do with many tokens at once; so the network needs a free place
    in its waiting queue.
    """

    key: str
    needs_place: bool = False


def ask(campaign_id: int, network: str = "", brought: str = "", *, price: int = 1, seconds: int = 0) -> Question:
    """A new challenge. A client that already waits (`brought`) keeps its token and so does not start again.

    `price`: factor on the usual difficulty. `seconds`: waiting time at a place in the network's queue.
    """
    now = int(clock.now().timestamp())
    puzzle = altcha.create_challenge(
        algorithm="PBKDF2/SHA-256",
        cost=COST * price,
        expires_at=now + int(LIFETIME.total_seconds()),
        data={"campaign": campaign_id, "network": _network_tag(network)},
        hmac_secret=_secret(),
    )
    wait, times = brought, _times(campaign_id, network, brought)
    good_at, lasts = times or (0, 0)
    # A valid token that comes back is used up, or it was issued while the clock was ahead
    if seconds or not now < good_at <= now + (lasts or WAIT_SECONDS):
        good_at = now + (seconds or WAIT_SECONDS)
        wait = f"{good_at}.{seconds}.{secrets.token_hex(8)}"
        wait = f"{wait}.{_tag(campaign_id, network, wait)}"
    return Question(base64.b64encode(json.dumps(puzzle.to_dict()).encode()).decode(), wait, good_at - now)


def check(campaign_id: int, network: str, brought: str) -> Proof | None:
    """The proof that was sent; None if it is not valid here, or no longer."""
    now = int(clock.now().timestamp())
    times = _times(campaign_id, network, brought)
    if times is not None:
        good_at, seconds = times
        is_good = good_at <= now <= good_at + LIFETIME.total_seconds()
        return Proof(SPENT.key(brought), needs_place=not seconds) if is_good else None
    if not altcha.verify_solution(brought, _secret()).verified:
        return None
    puzzle = altcha.Payload.from_dict(json.loads(base64.b64decode(brought))).challenge
    is_ours = puzzle.parameters.data == {"campaign": campaign_id, "network": _network_tag(network)}
    is_good = is_ours and (puzzle.parameters.expires_at or 0) >= now
    return Proof(SPENT.key(puzzle.signature or "")) if is_good else None


def _times(campaign_id: int, network: str, token: str) -> tuple[int, int] | None:
    """The Unix time from which the token is valid, and its waiting time in seconds (0: no place yet).

    None if this server did not issue it for this campaign and network.
    """
    said, _, tag = token.rpartition(".")
    if not hmac.compare_digest(tag.encode("utf-8", "replace"), _tag(campaign_id, network, said).encode()):
        return None
    good_at, seconds, _ = said.split(".")
    return int(good_at), int(seconds)


def _tag(campaign_id: int, network: str, said: str) -> str:
    words = f"{campaign_id} {networks.widest(network)} {said}"
    return sealing.blind_index(keyring().secret_key.encode(), "wait", words).hex()[:32]


def _network_tag(network: str) -> str:
    """The widest network, as challenges name it: a phone's address may change between two requests."""
    return sealing.blind_index(keyring().secret_key.encode(), "puzzle", networks.widest(network)).hex()[:32]


def _secret() -> str:
    return sealing.blind_index(keyring().secret_key.encode(), "proof of work", "").hex()
