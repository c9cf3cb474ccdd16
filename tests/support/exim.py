"""A real mail server from Debian, as a scratch instance: its own configuration, queue, logs and mailboxes."""

import os
import shutil
import signal
import smtplib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port

PATIENCE = 30.0  # seconds, on a busy machine
CONFIG = """
primary_hostname = mail.example.org
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
pid_file_path = {folder}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
deliver_drop_privilege = true
keep_environment =
acl_smtp_rcpt = acl_rcpt
begin acl
acl_rcpt:
  accept domains = example.org
  deny message = relay not permitted
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/mail
"""


class Exim:
    """Takes mails for example.org on `port`, and puts them into one Maildir."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"smtp://127.0.0.1:{port}"

    def mail(self, address: str) -> bytes:
        """The one mail to this address, as it lies on the disk; waits until it is there."""
        line = f"\nTo: {address}\n".encode()
        give_up_at = time.monotonic() + PATIENCE
        while not (found := [raw for raw in self._mails() if line in raw]):
            assert time.monotonic() < give_up_at, f"nothing arrived: {self._log()}"
            time.sleep(0.05)
        [raw] = found
        return raw

    def _mails(self) -> list[bytes]:
        return [path.read_bytes() for path in (self.folder / "mail" / "new").glob("*")]

    def _log(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("log-*"))


@contextmanager
def exim(folder: Path) -> Iterator[Exim]:
    """A running mail server below `folder`, which must be reachable for the server's own user."""
    program = shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "There is no mail server: install the Debian package exim4-daemon-light (or run make test-long)"
    port = free_port()
    for name in ("spool", "mail"):
        (folder / name).mkdir()
    (folder / "exim.conf").write_text(CONFIG.format(folder=folder, port=port))
    if os.getuid() == 0:  # it gives its rights up, as it should
        for path in (folder, folder / "spool", folder / "mail"):
            shutil.chown(path, "Debian-exim", "Debian-exim")
    process = subprocess.Popen([program, "-C", folder / "exim.conf", "-bdf", "-oX", f"127.0.0.1.{port}"])
    try:
        _wait(process, port)
        yield Exim(folder, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "the mail server ended at once"
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE):
                return
        except OSError:
            assert time.monotonic() < give_up_at, "the mail server does not answer"
            time.sleep(0.05)
