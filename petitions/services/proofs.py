"""A proof for crowded networks: a puzzle that a browser solves by itself, or half a minute of waiting without one."""

import base64
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta

import altcha

from petitions import clock, sealing
from petitions.services import limits
from petitions.services.keyring import keyring

COST = 2_000  # rounds of PBKDF2 for one try; about 256 tries are needed: 0.2 s on a computer, 2 s on an old phone
WAIT_SECONDS = 30
LASTS = timedelta(hours=1)
SPENT = limits.Rule("proof", 1, LASTS + timedelta(seconds=WAIT_SECONDS))


@dataclass(frozen=True)
class Question:
    """What is asked: the puzzle for scripts (JSON in base64), and a token that is good once its time has come."""

    puzzle: str
    wait: str
    seconds: int


def ask(campaign_id: int, brought: str = "") -> Question:
    """A question for somebody who brought `brought`; who has begun to wait does not begin anew."""
    now = int(clock.now().timestamp())
    puzzle = altcha.create_challenge(
        algorithm="PBKDF2/SHA-256",
        cost=COST,
        expires_at=now + int(LASTS.total_seconds()),
        data={"campaign": campaign_id},
        hmac_secret=_secret(),
    )
    good_at, wait = _good_at(campaign_id, brought), brought
    # It was good, and yet they are here: it is spent. Or it was given while the clock ran ahead
    if good_at is None or not now < good_at <= now + WAIT_SECONDS:
        good_at = now + WAIT_SECONDS
        wait = f"{good_at}.{secrets.token_hex(8)}"
        wait = f"{wait}.{_tag(campaign_id, wait)}"
    return Question(base64.b64encode(json.dumps(puzzle.to_dict()).encode()).decode(), wait, good_at - now)


def spending_key(campaign_id: int, proof: str) -> str:
    """The row under which this proof is spent; empty if it proves nothing, here or any more."""
    now = int(clock.now().timestamp())
    good_at = _good_at(campaign_id, proof)
    if good_at is not None:
        return SPENT.key(proof) if good_at <= now <= good_at + LASTS.total_seconds() else ""
    if not altcha.verify_solution(proof, _secret()).verified:
        return ""
    puzzle = altcha.Payload.from_dict(json.loads(base64.b64decode(proof))).challenge
    is_ours = puzzle.parameters.data == {"campaign": campaign_id} and (puzzle.parameters.expires_at or 0) >= now
    return SPENT.key(puzzle.signature or "") if is_ours else ""


def _good_at(campaign_id: int, token: str) -> int | None:
    """From when on the token is good; None if we never made it for this campaign."""
    said, _, tag = token.rpartition(".")
    if not hmac.compare_digest(tag.encode("utf-8", "replace"), _tag(campaign_id, said).encode()):
        return None
    return int(said.partition(".")[0])


def _tag(campaign_id: int, said: str) -> str:
    return sealing.blind_index(keyring().secret_key.encode(), "wait", f"{campaign_id} {said}").hex()[:32]


def _secret() -> str:
    return sealing.blind_index(keyring().secret_key.encode(), "proof of work", "").hex()
