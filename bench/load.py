"""A load generator: one thread, a limited number of keep-alive connections, prepared raw HTTP/1.1 requests."""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

DEADLINE = 30.0  # seconds without any answer after which the server counts as hung


@dataclass
class Outcome:
    """What a stretch of load brought. Latencies in milliseconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency below which `share` of the answers came, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.sent_at = 0.0
        self.is_last = False  # the server said that it closes the connection

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """The status once a whole answer is here, 0 if the server closed the connection."""
        data = self.socket.recv(262_144)
        if not data:
            return 0
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        length = _content_length(head)
        if len(body) < length:
            return None
        self.buffer = body[length:]
        self.is_last = b"\r\nconnection: close" in head.lower()
        return int(head[9:12])


def run(port: int, requests: Iterator[bytes], *, connections: int, seconds: float, most: int = 10**9) -> Outcome:
    """Keep `connections` requests under way for `seconds`, or until `most` are sent; then wait for the last answers."""
    outcome = Outcome()
    selector = selectors.DefaultSelector()
    sent = 0
    began = time.perf_counter()
    for request in (next(requests, None) for _ in range(min(connections, most))):
        if request is not None:
            connection = _Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
            sent += 1
    while selector.get_map():
        ready = selector.select(DEADLINE)
        if not ready:
            raise RuntimeError(f"no answer within {DEADLINE} s")
        for key, _ in ready:
            connection = key.data
            status = connection.answered()
            if status is None:
                continue
            now = time.perf_counter()
            outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
            if status:
                outcome.latencies.append((now - connection.sent_at) * 1000)
            request = next(requests, None) if now - began < seconds and sent < most else None
            if status == 0 or connection.is_last:
                selector.unregister(connection.socket)
                connection.socket.close()
                if request is not None:
                    connection = _Connection(port)
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
            if request is None:
                if connection.socket.fileno() >= 0:
                    selector.unregister(connection.socket)
                    connection.socket.close()
            else:
                sent += 1
                connection.send(request)
    outcome.seconds = time.perf_counter() - began
    return outcome


def get(path: str, port: int) -> bytes:
    """A GET as a browser would send it, compressed answers welcome."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n".encode()


def post(path: str, port: int, body: str) -> bytes:
    """A form as a browser would send it."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
