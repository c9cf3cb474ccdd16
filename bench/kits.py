"""How signing feels while the typesetter makes one kit after the other: quiet and busy stretches in turn."""

import http.client
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count
from typing import Any

from bench import load

PAPERS, WINDOWS = ("a4", "us-letter"), ("left", "right")
CONNECTIONS = 16
FIRST = count(0, 10)  # a stretch orders fewer than ten kits


def measured(port: int, path: str, requests: Callable[[], Iterator[bytes]], rounds: int, seconds: float) -> str:
    """Median of the p95 of signing in milliseconds, quiet and busy, and the kits made meanwhile, as a sentence."""
    quiet, busy, kits = [], [], 0
    for _ in range(rounds):
        quiet.append(load.run(port, requests(), connections=CONNECTIONS, seconds=seconds).percentile(0.95))
        with _typesetting(port, path) as made:
            busy.append(load.run(port, requests(), connections=CONNECTIONS, seconds=seconds).percentile(0.95))
        kits += made.value
    before, after = statistics.median(quiet), statistics.median(busy)
    return (
        f"\np95 of signing nine with {CONNECTIONS} connections: {before:.1f} ms; while kits are made: {after:.1f} ms "
        f"({after / before:.2f} x), {kits} kits of all nine cases in {rounds * seconds:.0f} s.\n"
    )


@contextmanager
def _typesetting(port: int, path: str) -> Iterator[Any]:
    """Order kits without a pause, from a process of its own; the value is the number of those that came."""
    context = multiprocessing.get_context("spawn")
    made, is_over = context.Value("i", 0), context.Event()
    process = context.Process(target=_order, args=(port, path, next(FIRST), made, is_over))
    process.start()
    time.sleep(0.5)  # until the process runs
    try:
        yield made
    finally:
        is_over.set()
        process.join()


def _order(port: int, path: str, first: int, made: Any, is_over: Any) -> None:
    for number in count(first):  # each order is another one, so that nothing is ready already
        paper, window = PAPERS[number // 20 % 2], WINDOWS[number // 40 % 2]
        status = 0
        while status != HTTPStatus.OK and not is_over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", f"{path}?sheets={number % 20 + 1}&paper={paper}&window={window}")
            answer = connection.getresponse()
            answer.read()
            connection.close()
            status = answer.status
            is_over.wait(0.0 if status == HTTPStatus.OK else 0.5)
        if is_over.is_set():
            return
        made.value += 1
