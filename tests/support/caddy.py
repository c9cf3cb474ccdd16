"""A real Caddy with the shipped file from deploy/, changed only where it says that it must be."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

from petitions.settings import ROOT


@dataclass(frozen=True)
class Caddy:
    """The port of the site (without encryption, as there is no certificate), and the file of what Caddy wrote."""

    port: int
    output: Path


@contextmanager
def caddy(folder: Path, backend: int, port: int) -> Iterator[Caddy]:
    """Caddy in front of the server on the port `backend`, for the block; everything it writes lies in `folder`."""
    program = shutil.which("caddy")
    assert program, "There is no caddy: install the Debian package caddy (or run make test)"
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    changes = {
        r"127\.0\.0\.1:8000": f"127.0.0.1:{backend}",
        r"(?m)^sign\.example\.org \{": f"http://127.0.0.1:{port} {{",
        r"(?m)^\{$": "{\n\tadmin off",  # its port may be in use by another Caddy
    }
    for pattern, there in changes.items():
        text, number = re.subn(pattern, there, text)
        assert number == 1, pattern
    (folder / "Caddyfile").write_text(text)
    output = folder / "caddy.log"
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    command = [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with output.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | home) as process:
        try:
            _wait(port, output)
            yield Caddy(port, output)
        finally:
            process.terminate()


def _wait(port: int, output: Path) -> None:
    for _ in range(200):
        with suppress(OSError), create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(output.read_text())
