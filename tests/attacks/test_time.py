"""H3: also on a slow disk, every answer takes as long, whatever is known of the address."""

import math
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.scratch import slow_disk
from tests.attacks.conftest import serving
from tests.attacks.outsider import CAMPAIGN, CASE, FORM, Outsider
from tests.support.effort import IS_LONG, effort, note
from tests.support.postgres import Postgres

FLUSH_MS = 8
TURNS = effort(20, 500)  # requests for each state
SAME = 0.05 if IS_LONG else 0.15  # of a newcomer's; the few requests of the normal run scatter more
TRIES = 6  # neighbours in the same run use this machine for a while; a real difference shows each time
PEOPLE = 3  # in each state
ROUND = 5 * PEOPLE  # requests for each state; then time passes, as a mailbox gets five tries of a code a day,
AFTER_A_DAY = (
    "DELETE FROM limits WHERE key LIKE 'code:%' OR key LIKE 'entries:%'"  # and many entries would need a proof
)
STATES = ("newcomer", "pending", "confirmed", "withdrawn", "stopped", "erased")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def slow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    """A server whose every flush takes 8 ms longer, with people in each state."""
    folder = tmp_path_factory.mktemp("slow") / "instance"
    with tempfile.TemporaryDirectory(prefix="petitions-slow-") as public:  # Postgres runs as nobody
        disk = slow_disk(Path(public), FLUSH_MS)
        if request.param == "sqlite":
            with serving(folder, f"sqlite:///{folder / 'petitions.db'}", **disk) as outsider:
                yield prepared(outsider)
            return
        cluster = Postgres(disk)
        try:
            cluster.start()
            with serving(folder, cluster.empty_url()) as outsider:
                yield prepared(outsider)
        finally:
            cluster.close()


def email(state: str, number: int) -> str:
    return f"{state}{number}@example.org"


def prepared(outsider: Outsider) -> Outsider:
    """Bring some people into each state."""
    everybody = [(state, number) for state in STATES[1:] for number in range(PEOPLE)]
    for state, number in everybody:
        assert outsider.sign(email(state, number), network=f"192.0.2.{number}").status == 303
    for state, number in everybody:
        if state == "pending":
            continue
        page = outsider.own_page(outsider.confirm(email(state, number)))
        if state == "stopped":
            stop = next(word for word in outsider.server.mail(email(state, number)).split() if "/stop/" in word)
            assert outsider.post(stop.removeprefix(outsider.server.url)).status == 200
        elif state != "confirmed":
            act = "/erase" if state == "erased" else "/withdraw"
            assert outsider.post(page + act, cases=[CASE]).status == 303
    return outsider


def durations(outsider: Outsider, path: str, turn: int, expected: int, **fields: str) -> dict[str, float]:
    """How long the form takes for each state, in random order, each request from a network of its own.

    The lower quartile: neighbours on this machine only add to the time, and the flush is in every request.
    """
    took: dict[str, list[float]] = defaultdict(list)
    rounds = [range(begin, min(begin + ROUND, TURNS)) for begin in range(0, TURNS, ROUND)]
    place = 0
    for numbers in rounds:
        outsider.rows(AFTER_A_DAY)
        order = [(state, number) for state in STATES for number in numbers]
        random.Random(turn).shuffle(order)  # noqa: S311
        for state, number in order:
            is_one_of_many = state == "newcomer" and "code" not in fields  # a code that nobody got makes no signer
            who = f"new{turn}x{place}@{len(path)}.example.org" if is_one_of_many else email(state, number % PEOPLE)
            network = f"10.{turn * 40 + place // 200}.{place % 200}.1"
            reply = outsider.post(path, network, **{**fields, "email": who})
            assert reply.status == expected, (state, reply.status)
            took[state].append(reply.seconds)
            place += 1
    return {state: statistics.quantiles(each, n=4)[0] for state, each in took.items()}


def check(outsider: Outsider, path: str, expected: int, **fields: str) -> None:
    """Each state's time must once be within reach of a newcomer's: noise differs by turn, a real difference stays."""
    apart = dict.fromkeys(STATES, math.inf)
    for turn in range(TRIES):
        found = durations(outsider, path, turn, expected, **fields)
        told = ", ".join(f"{state} {seconds * 1000:.1f}" for state, seconds in sorted(found.items()))
        assert min(found.values()) > FLUSH_MS / 1000, f"each waits for the disk: {told}"
        apart = {state: min(apart[state], abs(found[state] / found["newcomer"] - 1)) for state in STATES}
        if max(apart.values()) < SAME:
            break
    assert max(apart.values()) < SAME, f"{apart}; at last {told} ms"
    database = outsider.database_url.partition(":")[0]
    note(
        "same time", database, f"{TURNS} x {path.rpartition('/')[2]} for each state, flush +{FLUSH_MS} ms", f"{told} ms"
    )


def test_asking_for_the_link_takes_as_long_for_outsiders(slow: Outsider) -> None:
    """H3: one request decided: 13.6 ms for who had signed, 4.2 ms for who had not."""
    check(slow, f"/fr/{CAMPAIGN}/mine", 303)


def test_signing_takes_as_long_for_known_signers(slow: Outsider) -> None:
    """H3: the same for the form itself."""
    check(slow, FORM, 303, first_name="Ann", last_name="Lee", cases=CASE)


def test_a_wrong_code_takes_as_long_for_outsiders(slow: Outsider) -> None:
    """H3: the same for the six digits: each try is written down, whatever is known of the address."""
    check(slow, f"/fr/{CAMPAIGN}/code", 422, code="000000")
