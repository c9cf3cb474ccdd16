"""Raw HTTP requests, for what no HTTP library would send."""

import socket
import time
from dataclasses import dataclass
from urllib.parse import urlencode

CAMPAIGN = "/fr/write-for-rights-2024"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 if the connection ended without an answer. Seconds from the first byte sent."""

    status: int
    head: str
    body: bytes
    seconds: float


def ask(port: int, *pieces: bytes, timeout: float = 10.0) -> Answer:
    """Send the pieces on a connection of its own, and read until the answer is whole or the server hangs up."""
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as link:
        try:
            for piece in pieces:
                link.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it answered before we were done
        return _read(link, began)


def _read(link: socket.socket, began: float) -> Answer:
    data = b""
    while not _is_whole(data):
        try:
            piece = link.recv(65_536)
        except ConnectionResetError:
            break
        if not piece:
            break
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return Answer(status, head.decode("latin-1"), body, time.perf_counter() - began)


def _is_whole(data: bytes) -> bool:
    head, found, body = data.partition(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(found) and bool(length) and len(body) >= int(length[0].partition(b":")[2])


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A form's request as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Sec-Fetch-Site: same-origin", "Connection: close"]
    lines += [f"Content-Length: {len(body) if length is None else length}"] if length != -1 else []
    lines += ["Content-Type: application/x-www-form-urlencoded", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def sign_form(email: str, *cases: str) -> bytes:
    """The request body that signs these cases of the demo campaign."""
    return urlencode({"first_name": "Ann", "email": email, "cases": cases or ["joel-paredes"]}, doseq=True).encode()


def sign(port: int, email: str, *cases: str, timeout: float = 10.0) -> Answer:
    """Sign the demo campaign as a browser would, on a connection of its own."""
    return ask(port, post(f"{CAMPAIGN}/sign", sign_form(email, *cases)), timeout=timeout)
