"""Decides which entries are admitted: network rate limits, the campaign's entry rate, codes and proof of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from petitions.errors import DomainError, ProofNeeded, TooManyTries
from petitions.services.limits import collector_codes, networks, proof_of_work, rate_limits
from petitions.services.signing import entry_rate

WINDOW = timedelta(minutes=10)
NETWORK = rate_limits.Rule("network", 300, WINDOW)  # without proof of work: enough for a school that has no code
NETWORK_PROVEN = rate_limits.Rule("network-proven", 1_000, WINDOW)  # with proof of work
MAX_TRIES = 1_200  # without proof of work, refused entries included
# Factors on the limits for wider networks: without proof of work, and at most. An IPv4 /24 has up to 256 customers.
# An IPv6 /48 may belong to one customer, who must gain nothing by having 65,536 networks; or to many phones, which
# solve a proof of work.
FACTORS = {24: (4, 4), 48: (1, 4)}
WAITED = rate_limits.Rule(
    "waited", 5, WINDOW
)  # so many entries of a network may wait instead of computing, without a queue
PLACE_SECONDS, MAX_PLACES = 10, 60
MAX_PRICE = 10  # times the usual difficulty: 20 s on an old phone
SHORTEST_MS = 20  # a password manager needs about a second; only a program is faster than this


@dataclass(frozen=True)
class AdmissionRequest:
    """What admission needs to know of an entry: keyed hashes only. `networks`: by length of prefix."""

    campaign_id: int
    networks: dict[int, str]
    code: collector_codes.Wanted | None
    proof: proof_of_work.Proof | None
    load: float = 0.0
    is_automatic: bool = False


@dataclass(frozen=True)
class Admitted:
    """An admitted entry: its collector, if any, and how many entries of its widest network came before."""

    collector_id: int | None
    earlier: int = 0


def prepare(
    campaign_id: int, network: str, code: collector_codes.Wanted | None, proof: str, *, is_automatic: bool = False
) -> AdmissionRequest:
    """Gather what `admit` needs; verifies the proof of work outside the queue, because that takes milliseconds."""
    return AdmissionRequest(
        campaign_id=campaign_id,
        networks=networks.hashed(network),
        code=code,
        proof=proof_of_work.check(campaign_id, network, proof) if proof else None,
        load=entry_rate.load(campaign_id) if network else 0.0,
        is_automatic=is_automatic,
    )


def admit(connection: Connection, requests: Sequence[AdmissionRequest], now: datetime) -> list[Admitted | DomainError]:
    """For each request either how it is admitted, or the refusal: ProofNeeded or TooManyTries.

    A full code or a used proof counts as none: the caller is asked for a new proof and never locked out.
    """
    claims = collector_codes.claim(connection, [each.code for each in requests], now)
    spent = iter(
        rate_limits.use(connection, proof_of_work.SPENT, [each.proof.key for each in requests if each.proof], now)
    )
    are_proven = [each.proof is not None and next(spent) == 1 for each in requests]
    counted = [
        [] if claim.lifts_limit else _keys(each, is_proven)
        for each, is_proven, claim in zip(requests, are_proven, claims, strict=True)
    ]
    entries = [each.campaign_id for each, keys in zip(requests, counted, strict=True) if keys]
    flat = [key for keys in counted for key in keys] + entry_rate.keys(connection, entries)
    numbers = iter(rate_limits.use(connection, NETWORK, flat, now))
    return [
        Admitted(claim.collector_id)
        if claim.lifts_limit
        else _answer(each, is_proven, [next(numbers) for _ in keys], claim.collector_id)
        for each, is_proven, keys, claim in zip(requests, are_proven, counted, claims, strict=True)
    ]


def _keys(request: AdmissionRequest, is_proven: bool) -> list[str]:
    """The rate-limit keys of the request: one per network, and one for its place in the waiting queue."""
    kind = (NETWORK_PROVEN if is_proven else NETWORK).kind
    keys = [f"{kind}:{length}:{name}" for length, name in request.networks.items()]
    if keys and is_proven and request.proof and request.proof.needs_place:
        keys.append(f"{WAITED.kind}:{list(request.networks.values())[-1]}")
    return keys


def _answer(
    request: AdmissionRequest, is_proven: bool, numbers: Sequence[int], collector_id: int | None
) -> Admitted | DomainError:
    """How the request is admitted, or the refusal. `numbers`: the values to which its keys were counted."""
    most = NETWORK_PROVEN.most if is_proven else MAX_TRIES
    load = request.load
    for length, number in zip(request.networks, numbers, strict=False):
        free, hard = FACTORS.get(length, (1, 1))
        if number > most * hard:
            return TooManyTries(kind=NETWORK.kind, seconds=int(WINDOW.total_seconds()))
        load = max(load, number / (NETWORK.most * free))
    admitted = Admitted(collector_id, numbers[len(request.networks) - 1] - 1 if request.networks else 0)
    price = min(max(int(load**2), 1), MAX_PRICE)
    if not is_proven:
        return ProofNeeded(price) if load > 1 or request.is_automatic else admitted
    place = numbers[-1] - WAITED.most if len(numbers) > len(request.networks) else 0
    if place > 0:  # each further entry waits longer; beyond MAX_PLACES it has to start again
        return ProofNeeded(price, place * PLACE_SECONDS if place <= MAX_PLACES else 0)
    return admitted


def is_automatic(trap: str, elapsed_ms: int | None) -> bool:
    """Whether a program may have filled in the form: a honeypot field has a value, or it took almost no time.

    Browsers' and password managers' autofill may look the same, so it only costs a proof of work.
    """
    return bool(trap) or (elapsed_ms is not None and elapsed_ms < SHORTEST_MS)
