"""`python -m bench`: starts the real server on scratch databases and prints ratios within each run."""

import argparse
import itertools
import os
import platform
import re
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import select

from bench import kits, load, scratch
from petitions.db.transactions import reading
from petitions.domain import sealing
from petitions.models import Signer
from petitions.services.keys.keyring import keyring

CAMPAIGN = "/fr/write-for-rights-2024"
DOCUMENT = scratch.ROOT / "docs" / "performance.md"
PLACE = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)
HELLO, STUB = "hello (bare Flask)", "sign nine, no database"
HEAD = "| | /s | ratio | to | p50 ms | p99 ms | CPU ms | errors |\n|---|--:|--:|---|--:|--:|--:|--:|\n"


@dataclass
class Row:
    """One kind of request, and what each round of it brought."""

    name: str
    base: str
    outcomes: list[load.Outcome] = field(default_factory=list)
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Answers in a second, the median of the rounds."""
        return statistics.median(outcome.rate for outcome in self.outcomes)

    def line(self, base: float) -> str:
        """It as a line of the table; `base` is the rate it is compared with."""
        answers = sum(len(outcome.latencies) for outcome in self.outcomes)
        wrong = sum(n for each in self.outcomes for status, n in each.statuses.items() if status not in (200, 303))
        p50, p99 = (statistics.median(each.percentile(share) for each in self.outcomes) for share in (0.5, 0.99))
        figures = f"{self.rate:.0f} | {self.rate / base:.2f} | {self.base}"
        cpu = self.cpu / max(answers, 1) * 1000
        return f"| {self.name} | {figures} | {p50:.1f} | {p99:.1f} | {cpu:.2f} | {wrong} |\n"


class Scenarios:
    """Endless requests of each kind."""

    def __init__(self, server: scratch.Server) -> None:
        self._server = server
        self._number = itertools.count(int(time.time() * 1000))
        page = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/fr/", timeout=5).read().decode()
        self.cases = list(dict.fromkeys(re.findall(r'name="cases" value="([^"]+)"', page)))
        self._confirmed_up_to = 0

    def reading(self, path: str) -> Iterator[bytes]:
        """The same page again and again."""
        return itertools.repeat(load.get(path, self._server.port))

    def signing(self, prefix: str, cases: int) -> Iterator[bytes]:
        """A new signer each time."""
        chosen = "".join(f"&cases={slug}" for slug in self.cases[:cases])
        for number in self._number:
            body = f"first_name=Ann&last_name=Example&email=ann{number}%40example.org{chosen}"
            yield load.post(f"{prefix}{CAMPAIGN}/sign", self._server.port, body)

    def confirming(self) -> Iterator[bytes]:
        """The buttons that those press who signed lately and have not confirmed."""
        app = self._server.application()
        waits = (Signer.confirmed_at.is_(None), Signer.id > self._confirmed_up_to)
        with app.app_context(), reading() as connection:
            waiting = connection.execute(select(Signer.id, Signer.link_id).where(*waits).order_by(Signer.id)).all()
            secret = keyring().secret_key
        for number, link_id in waiting:
            self._confirmed_up_to = number
            token = sealing.link_token(secret, "confirm", link_id or b"")
            yield load.post(f"/fr/confirm/{token}", self._server.port, "")


def main() -> None:
    """Measure, print, and write the document if asked to."""
    options = _options()
    parts = [_machine(options)]
    for database in options.database:
        for signatures in options.signatures:
            parts.append(_part(database, signatures, 0, options))
            print(parts[-1], flush=True)
        if options.flush_ms:
            parts.append(_part(database, 0, options.flush_ms, options))
            print(parts[-1], flush=True)
    if options.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        assert PLACE.search(text), "docs/performance.md has lost its marks"
        DOCUMENT.write_text(PLACE.sub(lambda m: m[1] + "\n".join(parts) + m[2], text), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--database", nargs="+", choices=["sqlite", "postgres"], default=["sqlite", "postgres"])
    parser.add_argument("--signatures", nargs="*", type=int, default=[0, 100_000, 1_000_000], help="already stored")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each stretch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flush-ms", type=int, default=0, help="also with a disk whose flush takes longer (needs cc)")
    parser.add_argument("--sign", type=int, default=0, help="then sign so often, and look at the memory")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    return parser.parse_args()


def _part(database: str, signatures: int, flush_ms: int, options: argparse.Namespace) -> str:
    """Everything about one database at one size, as a part of the document."""
    connections = 4 * options.connections if flush_ms else options.connections
    disk = f", each flush {flush_ms} ms longer" if flush_ms else ""
    title = f"\n### {database}, {signatures:,} signatures stored, {connections} connections{disk}\n\n"
    with scratch.server(database, signatures, flush_ms, options.port) as server:
        before = statistics.mean(server.memory())
        rows = _measured(server, connections, options)
        rates = {row.name: row.rate for row in rows}
        bases = {"hello": rates.get(HELLO, 1.0), "stub": rates.get(STUB, 1.0), "sign": rates["sign nine"]}
        if flush_ms:
            bases["one by one"] = scratch.commits_one_by_one(flush_ms)
        table = HEAD + "".join(row.line(bases[row.base]) for row in rows)
        limit = ""
        if flush_ms and database == "postgres":
            alone = scratch.inserts_alone(server.database_url, connections)
            limit = f"\nOne row a commit and no other work, {connections} connections: {alone:.0f} a second.\n"
        memory = _memory(server, before, options)
        if not flush_ms:
            sign = partial(Scenarios(server).signing, "", 9)
            limit += kits.measured(server.port, f"{CAMPAIGN}/kit.pdf", sign, options.rounds, 2 * options.seconds)
        return title + table + limit + memory


def _memory(server: scratch.Server, before: float, options: argparse.Namespace) -> str:
    said = f"\nMemory of a worker (it holds three applications): {before:.0f} MB at first"
    if options.sign:
        make = Scenarios(server).signing("", 9)
        load.run(server.port, make, connections=options.connections, seconds=10**6, most=options.sign // 10)
        warm = statistics.mean(server.memory())
        load.run(server.port, make, connections=options.connections, seconds=10**6, most=options.sign)
        return f"{said}, {warm:.0f} warm, {statistics.mean(server.memory()):.0f} after {options.sign:,} more signers.\n"
    return f"{said}, {statistics.mean(server.memory()):.0f} in the end.\n"


def _measured(server: scratch.Server, connections: int, options: argparse.Namespace) -> list[Row]:
    make = Scenarios(server)
    slow = "one by one" if server.is_slow else "stub"
    kinds: list[tuple[Row, Callable[[], Iterator[bytes]]]] = [
        (Row(HELLO, "hello"), lambda: make.reading("/bench/hello/")),
        (Row("campaign page", "hello"), lambda: make.reading("/fr/")),
        (Row("case page", "hello"), lambda: make.reading(f"{CAMPAIGN}/cases/{make.cases[0]}/")),
        (Row("counts fragment", "hello"), lambda: make.reading(f"{CAMPAIGN}/counts")),
        (Row(STUB, "stub"), lambda: make.signing("/bench/stub", 9)),
        (Row("sign one", "stub"), lambda: make.signing("", 1)),
        (Row("sign nine", slow), lambda: make.signing("", 9)),
        (Row("confirm nine", "sign"), make.confirming),
    ]
    if server.is_slow:
        kinds = kinds[4:]
    for _ in range(options.rounds):
        for row, requests in kinds:  # in turn, so that a slow minute of the machine hits all alike
            before = server.cpu_seconds()
            row.outcomes.append(load.run(server.port, requests(), connections=connections, seconds=options.seconds))
            row.cpu += server.cpu_seconds() - before
    return [row for row, _ in kinds]


def _machine(options: argparse.Namespace) -> str:
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    cpus = f"{os.cpu_count()} x {model[1] if model else platform.machine()}"
    how = f"{options.rounds} rounds of {options.seconds} s in turn, medians"
    return f"Python {platform.python_version()}, {cpus}; two workers; the load comes from the same machine. {how}.\n"


if __name__ == "__main__":
    main()
