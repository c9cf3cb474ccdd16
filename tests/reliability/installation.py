"""An installation all of whose files can be read, and a server on it that is killed while it signs."""

import dataclasses
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from petitions import logs
from petitions.db.base import db
from petitions.db.transactions import write_queue
from petitions.services.keys.keyring import keyring
from petitions.settings import ROOT, SETTINGS
from tests.support.backups import unpacked
from tests.support.canaries import Canary, files_below
from tests.support.factories import Keys
from tests.support.ports import free_port
from tests.support.postgres import Postgres

HERE = "/fr/water-2026"
CRASHERS = 8  # writers at the moment of the crash


class Installation:
    """One installation, and all places where its data may be written."""

    def __init__(self, app: Flask, folder: Path, keys: Keys, postgres: Postgres | None) -> None:
        self.app, self.folder, self.keys, self._postgres = app, folder, keys, postgres
        self.url: str = app.config["SQLALCHEMY_DATABASE_URI"]
        self.temp = folder / "tmp"
        self.temp.mkdir()
        old = SETTINGS.of(app)
        SETTINGS.put(app, dataclasses.replace(old, mail_per_minute=1_000_000))
        if postgres:  # what an officer might switch on to find a fault: every statement with its values
            postgres.execute(f"ALTER DATABASE {self.url.rpartition('/')[2]} SET log_statement = 'all'")
            self.hang_up()

    @property
    def database(self) -> str:
        return "Postgres" if self._postgres else "SQLite"

    def hang_up(self) -> None:
        """Close all connections, so that the next one is set up again."""
        with self.app.app_context():
            db.session.remove()
            write_queue().close()
            db.engine.dispose()

    def database_files(self) -> list[Path]:
        """Where the database keeps its rows and its log."""
        if self._postgres:
            return self._postgres.files(self.url)
        return [path for path in self.folder.iterdir() if path.name.startswith("petitions.db")]

    def files(self) -> list[Path]:
        """All files but the mails."""
        own = files_below(self.folder, without=[self.folder / "mailbox"])
        return [*own, *(self.database_files() if self._postgres else [])]

    def back_up(self) -> None:
        """As docs/operating.md says."""
        path = self.folder / "backup"
        if self._postgres:
            path.write_bytes(self._postgres.dump(self.url))
            return
        done = self.app.test_cli_runner().invoke(args=["backup", str(path)])
        assert done.exit_code == 0, done.output
        with self.app.app_context():
            unpacked(path, keyring().master_key)  # beside it: the proof looks into the envelope too

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Collect what any logger writes during the block, in both formats."""
        root, before = logging.getLogger(), logging.getLogger().level
        handlers = [logging.FileHandler(self.folder / f"{form}.log", encoding="utf-8") for form in ("text", "json")]
        for handler in handlers:
            handler.setFormatter(logs.LineFormatter(handler.baseFilename.endswith("json.log")))
            root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(before)
            for handler in handlers:
                root.removeHandler(handler)
                handler.close()


def crash(installation: Installation, birds: Sequence[Canary]) -> int:
    """Kill a real server while it signs; returns how many entries it had acknowledged."""
    port, fields = free_port(), [dataclasses.asdict(bird.person) | {"cases": "river"} for bird in birds]
    process = started(installation, port)
    acknowledged: list[int] = []
    crowd = [
        threading.Thread(
            target=sign_until_it_is_killed, args=[process, port, fields[place::CRASHERS], acknowledged, len(birds)]
        )
        for place in range(CRASHERS)
    ]
    try:
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join(60)
        assert len(acknowledged) < len(birds), "it was to die before all were acknowledged"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
    return len(acknowledged)


def sign_until_it_is_killed(
    process: subprocess.Popen[bytes], port: int, forms: list[dict[str, str]], acknowledged: list[int], number: int
) -> None:
    """Sign until the server is killed, once half of the entries were acknowledged."""
    stay = urllib.request.build_opener(NoRedirects)
    for form in forms:
        body = urllib.parse.urlencode(form).encode()
        url = f"http://127.0.0.1:{port}{HERE}/sign"
        request = urllib.request.Request(url, body, {"Sec-Fetch-Site": "same-origin"})
        try:
            stay.open(request, timeout=10).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            acknowledged.append(answer.code)
        except OSError:
            return
        if len(acknowledged) >= number // 2:
            os.killpg(process.pid, signal.SIGKILL)


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirects."""

    def redirect_request(self, *_: object) -> None:
        return None


def started(installation: Installation, port: int) -> "subprocess.Popen[bytes]":
    """gunicorn on the same database with all logging on, in a process group of its own."""
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ},
        "LANG": "C.UTF-8",
        "TMPDIR": str(installation.temp),
        "SQLITE_TMPDIR": str(installation.temp),
        "PETITIONS_INSTANCE": str(installation.folder / "instance"),
        "PETITIONS_DATABASE_URL": installation.url.replace("+psycopg", ""),
        "PETITIONS_BIND": f"127.0.0.1:{port}",
        "PETITIONS_SECRET_KEY": installation.keys.secret_key,
        "PETITIONS_MASTER_KEY": installation.keys.master_key,
        "PETITIONS_DEMO": "1",  # the only mode that writes mails into a folder
        "PETITIONS_MAIL_URL": f"file:{installation.folder / 'mailbox'}",
        "PETITIONS_LOG_LEVEL": "DEBUG",
        "PETITIONS_LOG_FORMAT": "json",
        "PETITIONS_WORKERS": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "app:app"]
    with (installation.folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True)
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return process
        except OSError:
            time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError("the server did not start")
