"""`python -m bench`: starts the real server on a scratch database and prints ratios within this run."""

import argparse
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import load
from tests.support.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
CAMPAIGN = "/fr/write-for-rights-2024"


class Server:
    """gunicorn as `make run` starts it, with bench/server.py as its application."""

    def __init__(self, instance: Path, database_url: str, port: int) -> None:
        self.port = port
        self._environ = os.environ | {
            "PETITIONS_INSTANCE": str(instance),
            "PETITIONS_DATABASE_URL": database_url,
            "PETITIONS_BIND": f"127.0.0.1:{port}",
            "PETITIONS_DEMO": "1",
            "PETITIONS_WORKER": "0",
            "PETITIONS_LOG_LEVEL": "ERROR",
        }
        self._flask("setup")
        bins = Path(sys.executable).parent
        self._process = subprocess.Popen([bins / "gunicorn", "bench.server:app"], cwd=ROOT, env=self._environ)
        self._wait()

    def _flask(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "flask", *words], cwd=ROOT, env=self._environ, check=True, stdout=subprocess.DEVNULL
        )

    def _wait(self) -> None:
        for _ in range(100):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1)
            except OSError:
                continue
            return
        raise RuntimeError("the server did not start")

    def cpu_seconds(self) -> float:
        """What all server processes have used so far."""
        return sum(self._ticks(pid) for pid in self._pids()) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> list[float]:
        """Resident megabytes of each worker."""
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in self._pids()[1:]]
        return [int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024 for status in statuses]  # type: ignore[index]

    def _pids(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    @staticmethod
    def _ticks(pid: int) -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def stop(self) -> None:
        """End it as an init system would."""
        self._process.terminate()
        self._process.wait(15)


class Scenarios:
    """Endless requests of each kind."""

    def __init__(self, port: int, cases: list[str]) -> None:
        self._port = port
        self._cases = cases
        self._number = itertools.count(int(time.time() * 1000))

    def reading(self, path: str) -> Iterator[bytes]:
        """The same page again and again."""
        return itertools.repeat(load.get(path, self._port))

    def signing(self, prefix: str, cases: int) -> Iterator[bytes]:
        """A new signer each time."""
        chosen = "".join(f"&cases={slug}" for slug in self._cases[:cases])
        for number in self._number:
            body = f"first_name=Ann&last_name=Example&email=ann{number}%40example.org{chosen}"
            yield load.post(f"{prefix}{CAMPAIGN}/sign", self._port, body)


def main() -> None:
    """Measure and print."""
    options = _options()
    postgres = Postgres().start() if options.database == "postgres" else None
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = postgres.empty_url() if postgres else ""
            server = Server(Path(folder), url, options.port)
            try:
                _measure(server, options)
            finally:
                server.stop()
    finally:
        if postgres:
            postgres.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each stretch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8765)
    return parser.parse_args()


def _measure(server: Server, options: argparse.Namespace) -> None:
    page = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/fr/", timeout=5).read().decode()
    cases = re.findall(r'name="cases" value="([^"]+)"', page)
    make = Scenarios(server.port, cases)
    kinds = {
        "hello (bare Flask)": (make.reading("/bench/hello/"), "hello"),
        "campaign page": (make.reading("/fr/"), "hello"),
        "case page": (make.reading(f"{CAMPAIGN}/cases/{cases[0]}/"), "hello"),
        "counts fragment": (make.reading(f"{CAMPAIGN}/counts"), "hello"),
        "sign nine, no database": (make.signing("/bench/stub", 9), "stub"),
        "sign one": (make.signing("", 1), "stub"),
        "sign nine": (make.signing("", 9), "stub"),
    }
    found: dict[str, list[tuple[load.Outcome, float]]] = {kind: [] for kind in kinds}
    for _ in range(options.rounds):
        for kind, (requests, _) in kinds.items():  # in turn, so that a slow minute of the machine hits all alike
            before = server.cpu_seconds()
            outcome = load.run(server.port, requests, connections=options.connections, seconds=options.seconds)
            found[kind].append((outcome, server.cpu_seconds() - before))
    _print(found, kinds, options)
    print("memory of each worker, MB:", ", ".join(f"{megabytes:.0f}" for megabytes in server.memory()))


def _print(
    found: dict[str, list[tuple[load.Outcome, float]]],
    kinds: dict[str, tuple[Iterator[bytes], str]],
    options: argparse.Namespace,
) -> None:
    how = f"{options.connections} connections, {options.rounds} rounds of {options.seconds} s, medians"
    print(f"{options.database}, {how}")
    print(f"{'':24}{'/s':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}  not as expected")
    rates = {kind: statistics.median(outcome.rate for outcome, _ in runs) for kind, runs in found.items()}
    base = {"hello": rates["hello (bare Flask)"], "stub": rates["sign nine, no database"]}
    for kind, runs in found.items():
        outcomes = [outcome for outcome, _ in runs]
        wrong = sum(number for o in outcomes for status, number in o.statuses.items() if status not in (200, 303))
        answers = sum(len(outcome.latencies) for outcome in outcomes)
        cpu = sum(seconds for _, seconds in runs) / max(answers, 1) * 1000
        p50, p99 = (statistics.median(o.percentile(share) for o in outcomes) for share in (0.5, 0.99))
        ratio = rates[kind] / base[kinds[kind][1]]
        print(f"{kind:24}{rates[kind]:9.0f}{ratio:8.2f}{p50:9.1f}{p99:9.1f}{cpu:9.2f}  {wrong or ''}")


if __name__ == "__main__":
    main()
