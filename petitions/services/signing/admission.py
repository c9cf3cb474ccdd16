"""Who is let in to sign: a network's limit, a campaign's brake, a school's pass, a proof. It knows no person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from petitions.errors import DomainError, ProofNeeded, TooManyTries
from petitions.services.limits import group_codes, networks, proof_of_work, rate_limits
from petitions.services.signing import entry_rate

WINDOW = timedelta(minutes=10)
NETWORK = rate_limits.Rule(
    "network", 300, WINDOW
)  # with nothing to show: a school that knows of no pass never meets it
NETWORK_PROVEN = rate_limits.Rule("network-proven", 1_000, WINDOW)  # with a proof
MAX_TRIES = 1_200  # with nothing to show, refused ones too
# How many times as much wide networks may, with nothing to show and at most. An IPv4 /24 holds up to 256 customers. An
# IPv6 /48 may be one customer's, who shall gain nothing by having 65,536 networks; or many phones', who prove it
FACTORS = {24: (4, 4), 48: (1, 4)}
WAITED = rate_limits.Rule("waited", 5, WINDOW)  # so many of a network need not queue to have waited
PLACE_SECONDS, MAX_PLACES = 10, 60
MAX_PRICE = 10  # times the usual puzzle: 20 s on an old phone
SHORTEST_MS = 20  # a password manager fills in a second; only a program needs no time at all


@dataclass(frozen=True)
class AdmissionRequest:
    """What admission needs to know of an entry: keyed hashes only. `networks`: by length of prefix."""

    campaign_id: int
    networks: dict[int, str]
    place: group_codes.Wanted | None
    proof: proof_of_work.Proof | None
    load: float = 0.0
    is_automatic: bool = False


@dataclass(frozen=True)
class Admitted:
    """An entry that is let in: by which pass, if by one, and how many its widest network was counted for before it."""

    group_code_id: int | None
    earlier: int = 0


def prepare(
    campaign_id: int, network: str, place: group_codes.Wanted | None, proof: str, *, is_automatic: bool = False
) -> AdmissionRequest:
    """The request for an entry; checks the proof, which costs a millisecond or some, outside the queue."""
    return AdmissionRequest(
        campaign_id=campaign_id,
        networks=networks.hashed(network),
        place=place,
        proof=proof_of_work.check(campaign_id, network, proof) if proof else None,
        load=entry_rate.load(campaign_id) if network else 0.0,
        is_automatic=is_automatic,
    )


def admit(connection: Connection, requests: Sequence[AdmissionRequest], now: datetime) -> list[Admitted | DomainError]:
    """For each request how it is let in, or the refusal: ProofNeeded or TooManyTries.

    A pass or a proof that is used up is like none at all: one more is asked for, and nobody stands before a wall.
    """
    group_code_ids = group_codes.claim(connection, [each.place for each in requests], now)
    spent = iter(
        rate_limits.use(connection, proof_of_work.SPENT, [each.proof.key for each in requests if each.proof], now)
    )
    are_proven = [each.proof is not None and next(spent) == 1 for each in requests]
    counted = [
        _keys(each, is_proven) if group_code_id is None else []
        for each, is_proven, group_code_id in zip(requests, are_proven, group_code_ids, strict=True)
    ]
    entries = [each.campaign_id for each, keys in zip(requests, counted, strict=True) if keys]
    flat = [key for keys in counted for key in keys] + entry_rate.keys(connection, entries)
    numbers = iter(rate_limits.use(connection, NETWORK, flat, now))
    return [
        _answer(each, is_proven, [next(numbers) for _ in keys]) if group_code_id is None else Admitted(group_code_id)
        for each, is_proven, keys, group_code_id in zip(requests, are_proven, counted, group_code_ids, strict=True)
    ]


def _keys(request: AdmissionRequest, is_proven: bool) -> list[str]:
    """What is counted for the request: each of its networks, and its place among those who waited."""
    kind = (NETWORK_PROVEN if is_proven else NETWORK).kind
    keys = [f"{kind}:{length}:{name}" for length, name in request.networks.items()]
    if keys and is_proven and request.proof and request.proof.needs_place:
        keys.append(f"{WAITED.kind}:{list(request.networks.values())[-1]}")
    return keys


def _answer(request: AdmissionRequest, is_proven: bool, numbers: Sequence[int]) -> Admitted | DomainError:
    """How it is let in, or the refusal; `numbers` are what the request's keys were counted to."""
    most = NETWORK_PROVEN.most if is_proven else MAX_TRIES
    load = request.load
    for length, number in zip(request.networks, numbers, strict=False):
        free, hard = FACTORS.get(length, (1, 1))
        if number > most * hard:
            return TooManyTries(kind=NETWORK.kind, seconds=int(WINDOW.total_seconds()))
        load = max(load, number / (NETWORK.most * free))
    admitted = Admitted(None, numbers[len(request.networks) - 1] - 1 if request.networks else 0)
    price = min(max(int(load**2), 1), MAX_PRICE)
    if not is_proven:
        return ProofNeeded(price) if load > 1 or request.is_automatic else admitted
    place = numbers[-1] - WAITED.most if len(numbers) > len(request.networks) else 0
    if place > 0:  # the next ones wait longer and longer, or begin anew
        return ProofNeeded(price, place * PLACE_SECONDS if place <= MAX_PLACES else 0)
    return admitted


def is_automatic(trap: str, elapsed_ms: int | None) -> bool:
    """Whether a program may have filled in the form: the field that nobody sees, or all fields in no time.

    A browser's or a password manager's helper may have, too; so it costs a proof, and never the signature.
    """
    return bool(trap) or (elapsed_ms is not None and elapsed_ms < SHORTEST_MS)
