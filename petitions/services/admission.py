"""Who is let in to sign: a network's limit, a school's pass, a proof above the threshold. It knows no person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from petitions import clock, sealing
from petitions.db.transactions import write_queue
from petitions.errors import DomainError, ProofNeeded, TooManyTries
from petitions.queries.guarding import AUTOMATIC_WINDOW, automatic_key
from petitions.services import limits, passes, proofs
from petitions.services.keyring import keyring

WINDOW = timedelta(minutes=10)
NETWORK = limits.Rule("network", 300, WINDOW)  # with nothing to show: a school that knows of no pass never meets it
NETWORK_PROVEN = limits.Rule("network-proven", 1_000, WINDOW)  # with a proof
MOST_TRIES = 1_200  # with nothing to show, refused ones too
AUTOMATIC = limits.Rule("automatic", 0, AUTOMATIC_WINDOW)
SHORTEST_MS = 20  # a password manager fills in a second; only a program needs no time at all


@dataclass(frozen=True)
class Ticket:
    """What an entry has to show: keyed hashes only."""

    network: str
    place: passes.Wanted | None
    proof: str


def ticket(campaign_id: int, network: str, place: passes.Wanted | None, proof: str) -> Ticket:
    """The ticket for an entry; checks the proof, which costs a millisecond, outside the queue."""
    # The key lasts a day, so that no two days' networks can be compared
    key = f"{keyring().secret_key} {clock.now():%Y-%m-%d}".encode()
    return Ticket(
        network=sealing.blind_index(key, "network", network).hex()[:40] if network else "",
        place=place,
        proof=proofs.spending_key(campaign_id, proof) if proof else "",
    )


def admit(connection: Connection, tickets: Sequence[Ticket], now: datetime) -> list[int | DomainError | None]:
    """For each ticket the id of its pass, None without one, or the refusal: ProofNeeded or TooManyTries.

    A pass or a proof that is used up is like none at all: one more is asked for, and nobody stands before a wall.
    """
    pass_ids = passes.claim(connection, [each.place for each in tickets], now)
    spent = iter(limits.use(connection, proofs.SPENT, [each.proof for each in tickets if each.proof], now))
    rules = [NETWORK_PROVEN if each.proof and next(spent) == 1 else NETWORK for each in tickets]
    is_limited = [bool(each.network) and pass_id is None for each, pass_id in zip(tickets, pass_ids, strict=True)]
    keys = [
        f"{rule.kind}:{each.network}"
        for rule, each, is_counted in zip(rules, tickets, is_limited, strict=True)
        if is_counted
    ]
    numbers = iter(limits.use(connection, NETWORK, keys, now))
    return [
        _refusal(rule, next(numbers)) if is_counted else pass_id
        for rule, pass_id, is_counted in zip(rules, pass_ids, is_limited, strict=True)
    ]


def is_automatic(website: str, elapsed_ms: int | None) -> bool:
    """Whether a program filled in the form: the field that nobody sees, or all fields in no time."""
    return bool(website) or (elapsed_ms is not None and elapsed_ms < SHORTEST_MS)


def note_automatic(campaign_id: int) -> None:
    """Count for staff that a program was turned away. It is told nothing, and takes as long as anybody."""
    write_queue().submit(_note_batch, automatic_key(campaign_id))


def _refusal(rule: limits.Rule, number: int) -> DomainError | None:
    if number > (MOST_TRIES if rule is NETWORK else rule.most):
        return TooManyTries(kind=rule.kind, seconds=int(WINDOW.total_seconds()))
    return ProofNeeded() if number > rule.most else None


def _note_batch(connection: Connection, keys: Sequence[str]) -> list[int]:
    return limits.use(connection, AUTOMATIC, keys, clock.now())
