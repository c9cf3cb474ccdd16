"""R2: data is flushed to disk before it is acknowledged."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.support.effort import effort, note
from tests.support.postgres import Postgres
from tests.support.raw import sign
from tests.support.server import Server

SIGNERS = effort(0, 1_000)
ANSWER = re.compile(r"(?:sendto|send|write|sendmsg)\(\d+, .{0,40}HTTP/1\.1 303")
FLUSH = re.compile(r"f(?:data)?sync\(\d+.*\)\s+= 0|<\.\.\. f(?:data)?sync resumed>.*= 0")


def unkept(folder: Path, postgres: Postgres | None, **env: str) -> tuple[int, int]:
    """How many thank-yous there were, and how many of them no flush came before; one signer after the other."""
    assert shutil.which("strace"), "no strace: install strace"
    one = {"PETITIONS_WORKER": "0", "PETITIONS_WORKERS": "1", "PETITIONS_LOG_LEVEL": "ERROR", **env}
    url = postgres.empty_url() if postgres else ""
    server = Server(folder, "tests.reliability.serving:app", PETITIONS_DATABASE_URL=url, **one)
    folder.mkdir(parents=True)
    server.flask("setup")
    server.start()
    sign(server.port, "first@example.org")  # from here on the writer has its connection
    pids = [server.workers()[0], *(postgres.pids() if postgres else [])]
    trace = folder / "trace"
    watched = "trace=fsync,fdatasync,write,sendto,sendmsg"
    call = ["strace", "-f", "-qq", "-s", "40", "-e", watched, "-o", str(trace)]
    call += [word for pid in pids for word in ("-p", str(pid))]
    strace = subprocess.Popen(call)
    time.sleep(1)
    try:
        for number in range(SIGNERS):
            assert sign(server.port, f"ann{number}@example.org").status == 303
    finally:
        os.kill(strace.pid, signal.SIGINT)
        strace.wait()
        server.stop()
    thanked = lied = flushed = 0
    for line in trace.read_text(errors="replace").splitlines():
        if FLUSH.search(line):
            flushed += 1
        elif ANSWER.search(line):
            thanked += 1
            lied += flushed == 0
            flushed = 0
    return thanked, lied


def test_every_acknowledgement_comes_after_a_flush(tmp_path: Path) -> None:
    assert unkept(tmp_path / "instance", None) == (SIGNERS, 0)
    note("R2", "sqlite", f"strace of {SIGNERS} signers", "an fdatasync before each of the thank-yous")


def test_every_acknowledgement_comes_after_a_flush_of_postgres(tmp_path: Path, cluster: Postgres) -> None:
    assert unkept(tmp_path / "instance", cluster) == (SIGNERS, 0)
    note("R2", "postgres", f"strace of {SIGNERS} signers", "an fdatasync before each of the thank-yous")


def test_a_database_that_does_not_flush_is_found(tmp_path: Path) -> None:
    _, lied = unkept(tmp_path / "instance", None, SEEDED_BUG="synchronous normal")
    assert lied > SIGNERS / 2


def test_a_postgres_that_flushes_later_is_found(tmp_path: Path, cluster: Postgres) -> None:
    _, lied = unkept(tmp_path / "instance", cluster, PGOPTIONS="-c synchronous_commit=off")
    assert lied > SIGNERS / 2
