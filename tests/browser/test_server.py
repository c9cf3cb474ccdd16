"""The server as `make run` starts it: how it stops, and that two servers share one outbox."""

import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler

from tests.browser.conftest import OpenPage
from tests.browser.visiting import DEMO, HOME
from tests.support.ports import free_port
from tests.support.server import Server

PEOPLE = 24


class Sink(MessageHandler):
    """Takes every mail."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Message] = []

    def handle_message(self, message: Message) -> None:
        """Keep it, as slowly as a real server would."""
        time.sleep(0.02)
        self.taken.append(message)


@pytest.fixture
def sink() -> Iterator[tuple[str, Sink]]:
    """A mail server on this machine, and its address."""
    handler, port = Sink(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield f"smtp://127.0.0.1:{port}", handler
    controller.stop()


def test_the_server_stops_cleanly_when_it_is_asked_to(tmp_path: Path, open_page: OpenPage) -> None:
    server = Server(tmp_path / "instance", is_warm=False)
    said = server.flask("setup")
    assert "demo-key.txt" in said, "it says where the key lies"
    assert server.url in said
    server.start()
    page = open_page(HOME, at=server)  # a browser keeps its connection
    idle = socket.create_connection(("127.0.0.1", server.port))
    begun = time.monotonic()
    assert server.stop(patience=10) == 0
    assert time.monotonic() - begun < 10
    idle.close()
    assert page.title()
    for word in ("Traceback", "ERROR", "Exception"):
        assert word not in server.log


def test_setup_twice_changes_nothing(tmp_path: Path) -> None:
    def kept() -> dict[str, bytes]:
        names = ("*_key", "demo-key.txt", "campaign-keys/*", "recipients.txt")
        return {path.name: path.read_bytes() for name in names for path in server.folder.glob(name)}

    server = Server(tmp_path / "instance", is_warm=False)
    server.flask("setup")
    before = kept()
    assert "demo-key" not in server.flask("setup")
    assert kept() == before
    assert set(before) == {"secret_key", "master_key", "demo-key.txt", DEMO, "recipients.txt"}
    for path in server.folder.rglob("*key*"):
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} is for nobody else"


def test_two_servers_on_one_database_send_each_mail_once(tmp_path: Path, sink: tuple[str, Sink]) -> None:
    url, handler = sink
    settings: dict[str, Any] = {"PETITIONS_MAIL_URL": url, "PETITIONS_LOG_LEVEL": "WARNING"}
    servers = [Server(tmp_path / "instance", is_warm=False, **settings) for _ in range(2)]
    servers[0].flask("setup")
    for server in servers:
        server.start()
    for person in range(PEOPLE):
        fields = {"first_name": "Ann", "email": f"ann{person}@example.org", "cases": ["joel-paredes"]}
        assert servers[person % 2].post(f"/fr/{DEMO}/sign", **fields) == 303
    give_up_at = time.monotonic() + 20
    while len(handler.taken) < PEOPLE and time.monotonic() < give_up_at:
        time.sleep(0.05)
    time.sleep(1.2)  # each worker looks once more
    assert [server.stop(patience=10) for server in servers] == [0, 0]

    assert Counter(str(mail["To"]) for mail in handler.taken) == {f"ann{n}@example.org": 1 for n in range(PEOPLE)}
    assert len({str(mail["Message-ID"]) for mail in handler.taken}) == PEOPLE
    with sqlite3.connect(tmp_path / "instance" / "petitions.db") as database:
        kinds = database.execute("SELECT kind, state, count(*) FROM messages GROUP BY 1, 2").fetchall()
    database.close()
    assert kinds == [("reminder", "queued", PEOPLE)], "each was sent, and waits to remind"
