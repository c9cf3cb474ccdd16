"""The gunicorn worker: threads, to which only whole requests come. A slow client costs a socket, not a thread.

Gunicorn's own threads read from the socket themselves, so that 32 phones in a tunnel, or one attacker with 32
connections, stop a server of 32 threads; and it says goodbye to slow clients in the one loop that everybody needs.
Here the loop collects what arrives, as a proxy in front would, and a thread sees a request once all of it is here.
What the application has at hand needs no thread: to wake one costs more than the answer.
"""

import re
import socket
import struct
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from fcntl import ioctl
from functools import partial
from select import POLLIN, poll
from selectors import EVENT_READ
from termios import TIOCOUTQ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

ARRIVES_WITHIN = 30.0  # seconds for a whole request, from its first moment
LEAVES_WITHIN = 2.0  # seconds in which a client may take the rest of its answer, once we closed our side
ENDS_WITHIN = 5.0  # seconds for what is arriving when the server is told to end
LOOKS_EACH = 0.2  # seconds between two looks through the waiting room
LONGEST_HEAD = 16_384  # bytes; a longer one is refused here
LONGEST_BODY = 65_536  # bytes; with a longer one the application is asked at once, and refuses it unread
ANSWER_BUFFER = 262_144  # bytes the kernel keeps for a client that reads slowly: every answer of ours fits
PIECE = 65_536
CROWD, MANNERS = 16, 0.00002  # a worker waits so many seconds at the door for each that it serves, up to so many
_PAGE = re.compile(rb"GET (/[\w/.-]*) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class HeadTooLong(Exception):
    """No browser sends such a head."""


class Arriving:
    """What has come of a request so far."""

    def __init__(self, conn: TConn, then: Callable[[], None]) -> None:
        self.conn = conn
        self.then = then  # what to do when bytes or the end came
        self.data = bytearray()
        self.ends_at = time.monotonic() + ARRIVES_WITHIN
        self.is_watched = False
        self.is_told_to_go_on = False
        self.heard = 0  # bytes after our answer
        self.is_cut = False  # nobody waits for its body
        self.is_early = False  # all here, but its client has not taken the answer before

    def is_missing(self) -> bool:
        """Whether the request is not here in full yet, and is worth waiting for. Raises HeadTooLong."""
        end = self.data.find(b"\r\n\r\n")
        if max(end, len(self.data) if end < 0 else 0) > LONGEST_HEAD:
            raise HeadTooLong()
        if end < 0:
            return True
        head = bytes(self.data[: end + 4])
        length = _LENGTH.search(head)
        self.is_cut = bool(_CHUNKED.search(head) or (length and int(length[1]) > LONGEST_BODY))
        if not length or self.is_cut:
            return False
        is_short = len(self.data) < end + 4 + int(length[1])
        if is_short and not self.is_told_to_go_on and _EXPECT.search(head):
            self.is_told_to_go_on = True
            self.conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return is_short


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's thread worker with a waiting room."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting_room: dict[TConn, Arriving] = {}
        self._looks_next = 0.0

    def accept(self, listener: socket.socket) -> None:
        """Let in who knocks, unless another worker does so first: whoever serves fewer is the quicker one."""
        time.sleep(min(self.nr_conns, CROWD) * MANNERS)
        super().accept(listener)

    def set_accept_enabled(self, enabled: bool) -> None:
        """When the server ends: who knocked already is still let in; whoever comes later finds a door that is shut."""
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            door = poll()
            door.register(listener.fileno(), POLLIN)
            for _ in range(self.worker_connections):
                if not door.poll(0):
                    break
                super().accept(listener)
            listener.close()

    def enqueue_req(self, conn: TConn) -> None:
        """A connection has something to say, or is new: listen until it has said all."""
        if self.cfg.is_ssl:  # what arrives is not readable here; gunicorn's own way then
            conn.is_cut = False
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        if conn.timeout is None:  # new
            conn.timeout = 0.0
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER_BUFFER)
        arriving = self.waiting_room[conn] = Arriving(conn, partial(self._listen, conn))
        if conn.parser is not None:  # it may have read ahead, and nothing may ever follow that
            arriving.data += conn.parser.unreader.take_buffered()
        self._listen(conn)
        if self.nr_conns >= self.worker_connections - self.cfg.threads:
            self._make_room()

    def _make_room(self) -> None:
        """Whoever has been speaking for the longest goes, so that the others come in."""
        slowest = next(iter(self.waiting_room), None)
        if slowest is not None:
            self._dismiss(slowest)
            self._close(slowest)

    def _wait_for_more(self, arriving: Arriving) -> None:
        if not arriving.is_watched:
            arriving.is_watched = True
            self.poller.register(arriving.conn.sock, EVENT_READ, lambda _socket: arriving.then())

    def _listen(self, conn: TConn) -> None:
        """Take what is there; hand the request over once it is whole."""
        arriving = self.waiting_room[conn]
        try:
            while arriving.is_missing():
                piece = conn.sock.recv(PIECE)
                if not piece:
                    raise ConnectionResetError
                arriving.data += piece
        except (BlockingIOError, InterruptedError):
            self._wait_for_more(arriving)
            return
        except HeadTooLong:
            self._dismiss(conn)
            with suppress(OSError):
                conn.sock.send(_TOO_LONG)
            self._say_goodbye(conn)
            return
        except OSError:
            self._dismiss(conn)
            self._close(conn)
            return
        self._dismiss(conn)
        if conn.initialized and _unsent(conn.sock):
            arriving.is_watched, arriving.is_early = False, True
            self.waiting_room[conn] = arriving  # or those who read nothing would soon keep every thread
        else:
            self._hand_over(arriving)

    def _hand_over(self, arriving: Arriving) -> None:
        """The request is whole: answer it, at once if the answer is at hand, or let a thread do so."""
        conn = arriving.conn
        conn.init()
        conn.data_ready, conn.is_cut = True, arriving.is_cut
        conn.parser.unreader.unread(bytes(arriving.data))
        if self._is_at_hand(arriving):
            self.finish_request(conn, _done(partial(self.handle, conn)))
        else:
            super().enqueue_req(conn)

    def _is_at_hand(self, arriving: Arriving) -> bool:
        page = _PAGE.match(arriving.data)
        if page is None or arriving.data.find(b"\r\n\r\n") != len(arriving.data) - 4:  # more follows
            return False
        ready = getattr(self.wsgi, "extensions", {}).get("petitions_ready")  # an application's own pages
        return ready is not None and bool(ready.is_at_hand(page[1].decode()))

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Whether the connection serves on: not behind a body that nobody waited for."""
        return not conn.is_cut and bool(super()._keepalive_after(conn, keepalive))

    def _dismiss(self, conn: TConn) -> None:
        """It waits no longer."""
        if self.waiting_room.pop(conn).is_watched:
            self.poller.unregister(conn.sock)

    def _close(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def finish_request(self, conn: TConn, future: "Future[Any]") -> None:
        """The answer is on its way: keep the connection for the next request, or say goodbye without waiting for it."""
        if not future.cancelled() and future.exception() is None and future.result():
            super().finish_request(conn, future)
        else:
            self._say_goodbye(conn)

    def _say_goodbye(self, conn: TConn) -> None:
        """To close on somebody who still speaks would cut off our answer: say that we are done, and hear them out."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.sock.setblocking(False)
        leaving = self.waiting_room[conn] = Arriving(conn, partial(self._hear_out, conn))
        leaving.ends_at = time.monotonic() + LEAVES_WITHIN
        self._hear_out(conn)

    def _hear_out(self, conn: TConn) -> None:
        arriving = self.waiting_room[conn]
        try:
            while (piece := conn.sock.recv(PIECE)) and arriving.heard <= LONGEST_BODY:
                arriving.heard += len(piece)
        except (BlockingIOError, InterruptedError):
            self._wait_for_more(arriving)
            return
        except OSError:
            pass
        self._dismiss(conn)
        self._close(conn)

    def murder_pending(self) -> None:
        """Look after the early ones, and close on those whose time is over; called whenever anything happened."""
        now = time.monotonic()
        if now < self._looks_next:
            return
        self._looks_next = now + LOOKS_EACH
        for arriving in [each for each in self.waiting_room.values() if each.is_early and not _unsent(each.conn.sock)]:
            self._dismiss(arriving.conn)
            self._hand_over(arriving)
        for conn in [conn for conn, arriving in self.waiting_room.items() if arriving.ends_at < now]:
            self._dismiss(conn)
            self._close(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """The server ends: nobody may keep it up for long."""
        super()._cap_keepalive(deadline)
        for arriving in self.waiting_room.values():
            arriving.ends_at = min(arriving.ends_at, time.monotonic() + ENDS_WITHIN)


def _unsent(sock: socket.socket) -> int:
    """How many bytes of earlier answers the client has not taken yet."""
    try:
        number: int = struct.unpack("i", ioctl(sock, TIOCOUTQ, b"\0\0\0\0"))[0]
    except OSError:  # whoever answers will find out what is the matter with it
        return 0
    return number


def _done(work: Callable[[], Any]) -> "Future[Any]":
    """The work's outcome, as a thread would have handed it back."""
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except Exception as why:
        future.set_exception(why)
    return future
