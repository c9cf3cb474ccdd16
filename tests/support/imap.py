"""A mail server's folder over IMAP: just what `petitions.mail.mailboxes` asks of one (RFC 3501)."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Session(socketserver.StreamRequestHandler):
    server: "ImapServer"

    def handle(self) -> None:
        self._say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            self.server.said.append(command)
            self._answer(command)
            self._say(f"{tag} {'NO' if command in self.server.refused else 'OK'} done")
            if command.startswith("LOGOUT"):
                break

    def _answer(self, command: str) -> None:
        store = self.server.messages
        if command.startswith("CAPABILITY"):
            self._say("* CAPABILITY IMAP4rev1")
        elif command.startswith("SELECT"):
            self._say(f"* {len(store)} EXISTS")
        elif "SEARCH" in command:
            self._say("* SEARCH " + " ".join(str(uid) for uid in store if uid not in self.server.flags))
        elif found := re.match(r"UID FETCH (\d+)", command):
            raw = store[int(found[1])]
            self.wfile.write(b"* 1 FETCH (UID %s BODY[] {%d}\r\n%s)\r\n" % (found[1].encode(), len(raw), raw))
        elif found := re.match(r"UID STORE (\d+) \S+ \((.+)\)", command):
            self.server.flags[int(found[1])] = found[2]
        elif command.startswith("EXPUNGE"):
            for uid in [uid for uid, flag in self.server.flags.items() if flag == r"\Deleted"]:
                store.pop(uid, None)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class ImapServer(socketserver.ThreadingTCPServer):
    """Messages by number, their flags, and what clients said."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: dict[int, bytes] = {}
        self.flags: dict[int, str] = {}
        self.said: list[str] = []
        self.refused: set[str] = set()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A server on a free port, for the block."""
    with ImapServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
