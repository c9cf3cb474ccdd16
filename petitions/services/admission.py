"""Who is let in to sign: a network's limit, a school's pass, a proof above the threshold. It knows no person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from petitions import clock, sealing
from petitions.errors import DomainError, ProofNeeded, TooManyTries
from petitions.services import limits, passes, proofs
from petitions.services.keyring import keyring

WINDOW = timedelta(minutes=10)
NETWORK = limits.Rule("network", 300, WINDOW)  # with nothing to show: a school that knows of no pass never meets it
NETWORK_PROVEN = limits.Rule("network-proven", 1_000, WINDOW)  # with a proof
MOST_TRIES = 1_200  # with nothing to show, refused ones too
SHORTEST_MS = 20  # a password manager fills in a second; only a program needs no time at all


@dataclass(frozen=True)
class Ticket:
    """What an entry has to show: keyed hashes only."""

    network: str
    place: passes.Wanted | None
    proof: str
    is_automatic: bool = False


def ticket(
    campaign_id: int, network: str, place: passes.Wanted | None, proof: str, *, is_automatic: bool = False
) -> Ticket:
    """The ticket for an entry; checks the proof, which costs a millisecond, outside the queue."""
    # The key lasts a day, so that no two days' networks can be compared
    key = f"{keyring().secret_key} {clock.now():%Y-%m-%d}".encode()
    return Ticket(
        network=sealing.blind_index(key, "network", network).hex()[:40] if network else "",
        place=place,
        proof=proofs.spending_key(campaign_id, proof) if proof else "",
        is_automatic=is_automatic,
    )


def admit(connection: Connection, tickets: Sequence[Ticket], now: datetime) -> list[int | DomainError | None]:
    """For each ticket the id of its pass, None without one, or the refusal: ProofNeeded or TooManyTries.

    A pass or a proof that is used up is like none at all: one more is asked for, and nobody stands before a wall.
    """
    pass_ids = passes.claim(connection, [each.place for each in tickets], now)
    spent = iter(limits.use(connection, proofs.SPENT, [each.proof for each in tickets if each.proof], now))
    are_proven = [each.proof != "" and next(spent) == 1 for each in tickets]
    rules = [NETWORK_PROVEN if is_proven else NETWORK for is_proven in are_proven]
    is_limited = [bool(each.network) and pass_id is None for each, pass_id in zip(tickets, pass_ids, strict=True)]
    keys = [
        f"{rule.kind}:{each.network}"
        for rule, each, is_counted in zip(rules, tickets, is_limited, strict=True)
        if is_counted
    ]
    numbers = iter(limits.use(connection, NETWORK, keys, now))
    answers: list[int | DomainError | None] = [
        _refusal(rule, next(numbers)) if is_counted else pass_id
        for rule, pass_id, is_counted in zip(rules, pass_ids, is_limited, strict=True)
    ]
    for place, each in enumerate(tickets):
        if each.is_automatic and answers[place] is None and not are_proven[place]:
            answers[place] = ProofNeeded()
    return answers


def is_automatic(trap: str, elapsed_ms: int | None) -> bool:
    """Whether a program may have filled in the form: the field that nobody sees, or all fields in no time.

    A browser's or a password manager's helper may have, too; so it costs a proof, and never the signature.
    """
    return bool(trap) or (elapsed_ms is not None and elapsed_ms < SHORTEST_MS)


def _refusal(rule: limits.Rule, number: int) -> DomainError | None:
    if number > (MOST_TRIES if rule is NETWORK else rule.most):
        return TooManyTries(kind=rule.kind, seconds=int(WINDOW.total_seconds()))
    return ProofNeeded() if number > rule.most else None
