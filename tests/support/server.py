"""A real server in a scratch folder, started as by `make run`, or faster (tests/support/warm.py)."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from petitions.settings import ROOT
from tests.support.ports import free_port
from tests.support.warm import Warm, command

PATIENCE = 20.0  # seconds, on a busy machine


class Server:
    """gunicorn with its mail worker, in demo mode unless `env` says otherwise; a new Python unless `is_warm`."""

    def __init__(self, folder: Path, application: str = "app:app", *, is_warm: bool = True, **env: str) -> None:
        self.folder = folder
        self.is_warm = is_warm and "LD_PRELOAD" not in env
        self._application = application
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ},
            "LANG": "C.UTF-8",
            "PORT": str(self.port),
            "PETITIONS_INSTANCE": str(folder),
            "PETITIONS_DEMO": "1",
            **env,
        }
        self._process: subprocess.Popen[bytes] | Warm | None = None

    def flask(self, *arguments: str) -> str:
        """Run a command of ours, as an operator would."""
        done = command(self.env, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> "Server":
        """Serve; returns when /healthz says ok."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"server-{self.port}.log"
        log.touch(0o600)  # as systemd's journal: the health page would warn of a file that others can read
        if self.is_warm:
            self._process = Warm(["gunicorn", self._application], self.env, log, log)
        else:
            call = [sys.executable, "-m", "gunicorn", self._application]
            with log.open("ab") as file:
                self._process = subprocess.Popen(call, cwd=ROOT, env=self.env, stdout=file, stderr=file)
        give_up_at = time.monotonic() + PATIENCE
        while not self._is_well():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < give_up_at, self.log
            time.sleep(0.05)
        return self

    def stop(self, patience: float = PATIENCE) -> int:
        """Send TERM; gives the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(patience)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()

    def workers(self) -> list[int]:
        """The process numbers of those that answer."""
        assert self._process is not None
        return list(map(int, Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()))

    def wait_for_all(self) -> "Server":
        """Until every worker answers, and not only the first."""
        give_up_at = time.monotonic() + PATIENCE
        while not all(map(_has_begun, self.workers())):
            assert time.monotonic() < give_up_at, self.log
            time.sleep(0.05)
        return self

    def send(self, number: signal.Signals) -> None:
        """Tell the master something, such as HUP: new workers, please."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill9(self) -> None:
        """Kill all processes at once, as when memory runs out; `start` starts them again."""
        assert self._process is not None
        for pid in [self._process.pid, *self.workers()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    @property
    def log(self) -> str:
        """What the server wrote."""
        return (self.folder / f"server-{self.port}.log").read_text()

    def memory(self) -> list[float]:
        """Resident megabytes of each worker."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.workers()]
        return [number * os.sysconf("SC_PAGE_SIZE") / 2**20 for number in pages]

    def _is_well(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def mails(self, to: str) -> list[EmailMessage]:
        """The mails to this address that the server wrote into its demo mailbox, oldest first."""
        found = sorted((self.folder / "mailbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        read = [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in found]
        return [mail for mail in read if str(mail["To"]) == to]  # type: ignore[misc]

    def mail(self, to: str, number: int = 1) -> str:
        """The text of the newest mail to this address, once `number` of them are there."""
        give_up_at = time.monotonic() + PATIENCE
        while len(found := self.mails(to)) < number:
            assert time.monotonic() < give_up_at, f"no mail to {to}: {self.log}"
            time.sleep(0.05)
        part = found[-1].get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def link(self, to: str, number: int = 1) -> str:
        """The first link of that mail."""
        return next(word for word in self.mail(to, number).split() if word.startswith("http"))

    def post(self, path: str, **fields: object) -> int:
        """Send a form without a browser; gives the status, without following."""
        body = urllib.parse.urlencode(fields, doseq=True).encode()
        request = urllib.request.Request(self.url + path, body, {"Sec-Fetch-Site": "same-origin"})
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code


def _has_begun(worker: int) -> bool:
    """Whether this process listens: it polls its own pipe and the listening socket."""
    with suppress(OSError):
        polls = [file.name for file in Path(f"/proc/{worker}/fd").iterdir() if "eventpoll" in str(file.readlink())]
        return any(Path(f"/proc/{worker}/fdinfo/{name}").read_text().count("tfd:") > 1 for name in polls)
    return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None
