"""A scratch installation: the real server with its database in a folder of its own, with an optional disk delay."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from flask import Flask

from bench import filling
from petitions.factory import create_app
from petitions.settings import Settings
from tests.support.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """gunicorn as `make run` starts it, with bench/server.py as its application."""

    def __init__(self, instance: Path, database_url: str, port: int, environ: dict[str, str]) -> None:
        self.instance, self.database_url, self.port = instance, database_url, port
        self.is_slow = False
        self._environ = {
            **os.environ,
            **environ,
            "PETITIONS_INSTANCE": str(instance),
            "PETITIONS_DATABASE_URL": database_url,
            "PETITIONS_BIND": f"127.0.0.1:{port}",
            "PETITIONS_DEMO": "1",
            "PETITIONS_WORKER": "0",
            "PETITIONS_LOG_LEVEL": "ERROR",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def setup(self, signatures: int) -> None:
        """The demo campaign, with so many signatures already."""
        call = [sys.executable, "-m", "flask", "setup"]
        subprocess.run(call, cwd=ROOT, env=self._environ, check=True, stdout=subprocess.DEVNULL)
        if signatures:
            filling.fill(self.application(), signatures)

    def application(self) -> Flask:
        """The application in this process, on the server's database."""
        settings = Settings(instance=self.instance, database_url=self.database_url, demo=True)
        return create_app(settings.completed())

    def start(self) -> None:
        """Serve; returns when /healthz answers."""
        call = [str(Path(sys.executable).parent / "gunicorn"), "bench.server:app"]
        with (self.instance / "log").open("ab") as log:
            self._process = subprocess.Popen(call, cwd=ROOT, env=self._environ, stdout=log, stderr=log)
        for _ in range(150):
            time.sleep(0.1)
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1)
            except OSError:
                continue
            return
        raise RuntimeError((self.instance / "log").read_text())

    def cpu_seconds(self) -> float:
        """What all server processes have used so far, those too that were replaced."""
        master, *workers = self._pids()
        return (sum(self._ticks(master)) + sum(sum(self._ticks(pid)[:2]) for pid in workers)) / TICKS

    def memory(self) -> list[float]:
        """Resident megabytes of each worker."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids()[1:]]
        return [number * os.sysconf("SC_PAGE_SIZE") / 2**20 for number in pages]

    def _pids(self) -> list[int]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    @staticmethod
    def _ticks(pid: int) -> list[int]:
        """Of the process, and of its children that have ended: each in its own code, and in the kernel."""
        return [int(field) for field in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]]

    def stop(self) -> None:
        """End it as an init system would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)


@contextmanager
def server(database: str, signatures: int, flush_ms: int, port: int) -> Iterator[Server]:
    """A running server on "sqlite" or "postgres" with so many signatures, whose disk takes `flush_ms` longer."""
    with tempfile.TemporaryDirectory(prefix="petitions-bench-") as folder:
        environ = slow_disk(Path(folder), flush_ms)
        postgres = Postgres(environ).start("max_connections=200") if database == "postgres" else None
        running = Server(Path(folder), postgres.empty_url() if postgres else "", port, {} if postgres else environ)
        try:
            running.is_slow = bool(flush_ms)
            running.setup(signatures)
            running.start()
            yield running
        finally:
            running.stop()
            if postgres:
                postgres.close()


def slow_disk(folder: Path, flush_ms: int) -> dict[str, str]:
    """The environment in which each flush takes so many milliseconds longer; wants a C compiler unless it is none."""
    if not flush_ms:
        return {}
    library = folder / "slowdisk.so"
    folder.chmod(0o755)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, ROOT / "bench" / "slowdisk.c", "-ldl"], check=True)
    library.chmod(0o755)  # Postgres may run as another account, and this process may have our server's umask
    return {"LD_PRELOAD": str(library), "SLOWDISK_MS": str(flush_ms)}


ONE_BY_ONE = """
import sqlite3, sys, time
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t (x)")
began, number = time.monotonic(), 0
while time.monotonic() - began < 2:
    store.execute("BEGIN IMMEDIATE"); store.execute("INSERT INTO t VALUES (1)"); store.execute("COMMIT")
    number += 1
print(number / (time.monotonic() - began))
"""


def commits_one_by_one(flush_ms: int) -> float:
    """How often in a second this disk commits for one writer after the other (SQLite, WAL, synchronous=FULL)."""
    with tempfile.TemporaryDirectory(prefix="petitions-bench-") as folder:
        environ = {**os.environ, **slow_disk(Path(folder), flush_ms)}
        call = [sys.executable, "-c", ONE_BY_ONE, str(Path(folder) / "x.db")]
        return float(subprocess.run(call, env=environ, check=True, capture_output=True, text=True).stdout)


def inserts_alone(database_url: str, connections: int) -> float:
    """How many rows a second so many connections insert into Postgres, a commit for each, and no other work."""
    address, ended, numbers = database_url.replace("+psycopg", ""), threading.Event(), [0] * connections

    def insert(place: int) -> None:
        with psycopg.connect(address, autocommit=True) as connection:
            while not ended.is_set():
                connection.execute("INSERT INTO bench_rows VALUES (1)")
                numbers[place] += 1

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_rows (x integer)")
    threads = [threading.Thread(target=insert, args=(place,)) for place in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(3)
    ended.set()
    for thread in threads:
        thread.join()
    return sum(numbers) / (time.monotonic() - began)
