"""A real nginx with the shipped file from deploy/, changed only where it says that it must be."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from petitions.settings import ROOT
from tests.support.ports import free_port


@dataclass(frozen=True)
class Nginx:
    """Its ports: `port` is the site without encryption, `tls_port` the same with it, `redirect_port` stands for 80."""

    folder: Path
    port: int
    tls_port: int
    redirect_port: int

    @property
    def logged(self) -> str:
        """Everything that it wrote into any log."""
        return "".join(path.read_text() for path in self.folder.glob("*.log"))


@contextmanager
def nginx(
    folder: Path, backends: Sequence[int], port: int = 0, changed: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Nginx]:
    """nginx in front of the servers on the ports `backends`, for the block; everything it writes lies in `folder`.

    `changed`: patterns in the shipped file, with what is there instead.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "There is no nginx: install the Debian package nginx-light (or run make test)"
    running = Nginx(folder, port or free_port(), free_port(), free_port())
    _write_configuration(running, backends, changed)
    command = [program, "-c", str(folder / "nginx.conf")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command)
    try:
        _wait(running.port)
        yield running
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("nginx does not answer")


def _write_configuration(running: Nginx, backends: Sequence[int], changed: Mapping[str, str]) -> None:
    folder = running.folder
    _make_certificate(folder)
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        r"127\.0\.0\.1:8000": f"127.0.0.1:{backends[0]}",
        r"127\.0\.0\.1:8001": f"127.0.0.1:{backends[-1]}",
        r"/var/log/nginx/error\.log": str(folder / "error.log"),
        r"listen 80;": f"listen 127.0.0.1:{running.redirect_port};",
        r"listen 443 ssl http2;": (f"listen 127.0.0.1:{running.port}; listen 127.0.0.1:{running.tls_port} ssl http2;"),
        r"/etc/ssl/petitions/": f"{folder}/",
        r"sign\.example\.org": "127.0.0.1",
        **changed,
    }
    for pattern, there in changes.items():
        text, number = re.subn(pattern, there, text)
        assert number, pattern
    (folder / "petitions.conf").write_text(text)
    paths = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(  # Debian's own file logs every access of servers that do not say otherwise
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/main.log;\n{user}"
        f"events {{ worker_connections 2000; }}\n"
        f"http {{\naccess_log {folder}/access.log;\n{paths}\ninclude {folder}/petitions.conf;\n}}\n"
    )


def _make_certificate(folder: Path) -> None:
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-subj", "/CN=127.0.0.1"]
    subprocess.run(["openssl", "req", *kind, *files], check=True, capture_output=True)
