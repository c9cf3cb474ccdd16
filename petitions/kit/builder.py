"""Documents by content: made once, kept as files, never two at a time, with a bounded queue."""

import fcntl
import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from petitions.settings import ROOT, Settings

log = logging.getLogger(__name__)

IDLE = "idle"  # the typesetter's last argument, for idle priority
TYPESETTER = "petitions.kit.typesetting"  # run, never imported: its libraries would stay in the server's memory
MOST_WAITING = 8  # documents; more are refused until one is ready
KEPT_SECONDS = 7 * 86_400  # since it was last asked for
PATIENCE = 4.0  # seconds that a request waits for a new document
IDLE_SECONDS = 1.0  # at idle priority; what is not ready then, because the machine is busy, begins again above it


@dataclass(frozen=True)
class Building:
    """The document is not ready: `ahead` others come first; `is_refused` if the queue is full."""

    ahead: int
    is_refused: bool = False


class Builder:
    """The documents in one folder, which all server processes share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, settings: Settings) -> "Builder":
        """The documents of an installation."""
        return cls(settings.instance.resolve() / "printed")

    def document(self, facts: dict[str, Any]) -> Path | Building:
        """The document for these facts. A new one is started, and `Building` tells how many come before it."""
        data = _data(facts)
        key = key_of(facts)
        path = self.folder / f"{key}.{facts.get('format', 'pdf')}"
        if not path.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            waiting = self._waiting()
            if key not in waiting:
                if len(waiting) >= MOST_WAITING:
                    return Building(len(waiting), is_refused=True)
                self._start(key, data)
            if not self._appears(path):
                waiting = self._waiting()
                return Building(waiting.index(key) if key in waiting else 0)
        os.utime(path)
        return path

    def _start(self, key: str, data: bytes) -> None:
        """Write the job and start its process; of two requests at once only one does."""
        job = self.folder / f"{key}.json"
        new = self.folder / f"{key}.{os.getpid()}.{time.monotonic_ns()}.new"
        new.write_bytes(data)
        try:
            with suppress(FileExistsError):
                os.link(new, job)  # fails if another process was quicker
                command = [sys.executable, "-m", TYPESETTER, str(self.folder), key]
                threading.Thread(target=_run, args=(command,), daemon=True).start()
        finally:
            new.unlink()
        self._forget_old()

    def _waiting(self) -> list[str]:
        """The keys of unfinished jobs, oldest first. A job whose process died is removed, and may be started again."""
        found = []
        for job in self.folder.glob("*.json"):
            with suppress(FileNotFoundError):
                since = job.stat().st_mtime
                if time.time() - since > 5 and _is_abandoned(job):
                    job.unlink()
                    continue
                found.append((since, job.stem))
        return [key for _, key in sorted(found)]

    def _appears(self, path: Path) -> bool:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if path.exists():
                return True
            time.sleep(0.02)
        return False

    def _forget_old(self) -> None:
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink()


def key_of(facts: dict[str, Any]) -> str:
    """The name of the document by its content: other words or other templates make another one."""
    return hashlib.sha256(_version() + _data(facts)).hexdigest()[:32]


def _data(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()


def _run(command: list[str]) -> None:
    """Wait for the process, which would be a zombie otherwise."""
    try:
        done = _ended([*command, IDLE], IDLE_SECONDS)
    except subprocess.TimeoutExpired:  # it is killed; its job is still there
        done = _ended(command)
    if done.returncode:
        log.error("a document could not be made status=%s", done.returncode)


def _ended(command: list[str], seconds: float | None = None) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(  # noqa: S603 - our own program; FOLDER and KEY are ours too
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds
    )


def _is_abandoned(job: Path) -> bool:
    """Whether no process works at the job any more: each holds a lock on its file."""
    with job.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@cache
def _version() -> bytes:
    """What the templates are now: another version of the program makes new documents."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.typ")):
        digest.update(path.read_bytes())
    return digest.digest()
