"""Our programs as processes forked from one that has loaded all modules already.

Loading them takes 1.3 seconds of CPU for each process, more than most tests need. tests/browser/test_server.py,
tests/cli and tests/test_logging.py start Python from scratch, as an operator does.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import flask.cli
from gunicorn.app import wsgiapp

from petitions.settings import ROOT

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["petitions.factory", "gunicorn.workers.gthread", "psycopg", __name__])
NOTHING = Path(os.devnull)


class Warm:
    """One such process, to be handled as a `subprocess.Popen`."""

    def __init__(
        self, words: Sequence[str], env: Mapping[str, str], said: Path, wrong: Path, typed: Path = NOTHING
    ) -> None:
        """`words` are what an operator types, below `flask` or `gunicorn`; the files take the place of a terminal."""
        files = (str(typed), str(said), str(wrong))
        self._process: BaseProcess = _context.Process(target=_run, args=(list(words), dict(env), files), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.args, self.pid = words, self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status; none while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Until it ends, with this status. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Tell it something, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def command(env: Mapping[str, str], *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """`flask` with these arguments in this environment, whatever it ends with. Raises TimeoutExpired after a minute."""
    with tempfile.TemporaryDirectory() as folder:
        typed, said, wrong = (Path(folder) / name for name in ("typed", "said", "wrong"))
        typed.write_text(given)
        process = Warm(["flask", *arguments], env, said, wrong, typed)
        try:
            status = process.wait(60)
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, status, said.read_text(), wrong.read_text())


def _run(words: list[str], env: dict[str, str], files: tuple[str, ...]) -> None:
    """In the new process: be as one that was started with this environment."""
    os.environ.clear()
    os.environ.update(env)
    os.umask(0o022)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv = words
    for number, (path, mode) in enumerate(zip(files, ("rb", "ab", "ab"), strict=True)):
        with open(path, mode) as file:
            os.dup2(file.fileno(), number)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    if words[0] == "flask":
        flask.cli.main()
    else:
        wsgiapp.run()
