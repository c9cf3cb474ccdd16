"""R12 and R13: slow, oversized and malformed requests stop nobody behind nginx with the shipped configuration."""

import itertools
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.reliability.conftest import kind
from tests.support.effort import effort, note
from tests.support.nginx import nginx
from tests.support.ports import free_port
from tests.support.raw import CAMPAIGN, Answer, ask, post, sign, sign_form
from tests.support.server import Server

SLOW = 200
FORM = f"{CAMPAIGN}/sign"
# The seeded faults are in the server, not in the database
ON_SQLITE = pytest.mark.parametrize("site", ["sqlite"], indirect=True, scope="module")
REFUSED = {400, 403, 404, 405, 413, 414, 415, 422, 431, 501}


def started(folder: Path, bug: str = "", **env: str) -> Server:
    """A server with the demo campaign that sends no mail, with a seeded bug if asked for."""
    quiet = {"PETITIONS_WORKER": "0", "PETITIONS_LOG_LEVEL": "ERROR", "SEEDED_BUG": bug}
    server = Server(folder, "tests.reliability.serving:app", **quiet, **env)
    server.folder.mkdir(parents=True, exist_ok=True)
    server.flask("setup")
    return server.start().wait_for_all()


@dataclass(frozen=True)
class Site:
    """A server, and the port of the nginx in front of it."""

    server: Server
    port: int


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the tests of this file on each database."""
    folder = tmp_path_factory.mktemp("site")
    url = request.getfixturevalue("postgres").empty_url() if request.param == "postgres" else ""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    running = started(folder / "instance", PETITIONS_DATABASE_URL=url, PETITIONS_BASE_URL=base_url)
    with nginx(folder, [running.port], port):
        yield Site(running, port)
    running.stop()


def database(server: Server) -> str:
    """The name of a server's database as the figures call it."""
    return kind(server.env["PETITIONS_DATABASE_URL"])


def slowly(port: int, ended: threading.Event, quick: bytes, slow: bytes) -> None:
    """Say the beginning at once, and the rest byte by byte with five seconds between."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as link:
            link.sendall(quick)
            for byte in slow:
                link.send(bytes([byte]))
                if ended.wait(5):
                    return
    except OSError:
        return


@contextmanager
def slow_clients(port: int) -> Iterator[None]:
    """Two hundred connections that dawdle: half of them over the head, half over the form."""
    ended = threading.Event()
    whole = post(FORM, sign_form("slow@example.org") + b"&x=" + b"x" * 900)
    threads = [
        threading.Thread(target=slowly, args=(port, ended, *parts))
        for _, parts in zip(range(SLOW), itertools.cycle([(whole[:40], whole[40:]), (whole[:-900], whole[-900:])]))
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def signed(port: int, number: int, timeout: float = 10.0) -> list[Answer]:
    """So many people sign, one after the other."""
    return [sign(port, f"ann{each}.{time.monotonic_ns()}@example.org", timeout=timeout) for each in range(number)]


def test_two_hundred_slow_clients_stop_nobody(site: Site) -> None:
    number = effort(100, 280)  # nginx lets 600 forms through at once
    alone = signed(site.port, number)
    with slow_clients(site.port):
        beside = signed(site.port, number)
    assert {answer.status for answer in alone + beside} == {303}
    before, after = (1000 * statistics.quantiles((a.seconds for a in each), n=20)[-1] for each in (alone, beside))
    did = f"{number} signers beside {SLOW} connections at 1 byte in 5 s"
    note("R12", database(site.server), did, f"0 failed; p95 {after:.0f} ms (alone {before:.0f} ms)")


@ON_SQLITE
def test_without_the_proxy_they_stop_everybody(site: Site) -> None:
    with slow_clients(site.server.port), pytest.raises(TimeoutError):
        signed(site.server.port, 8, timeout=4.0)


def test_a_client_that_never_hangs_up_costs_the_others_no_time(site: Site) -> None:
    lingering = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(40)]
    for link in lingering:  # each is answered and told that we close, and stays
        link.sendall(post(FORM, sign_form("stays@example.org")))
    answers = signed(site.port, 20)
    assert {answer.status for answer in answers} == {303}
    assert sum(answer.seconds for answer in answers) < 2 * len(lingering) / 4  # they would take two seconds each
    for link in lingering:
        link.close()


def get(path: str) -> bytes:
    """A request for a page or a file."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


@contextmanager
def reading_nothing(port: int, clients: int) -> Iterator[None]:
    """So many people ask for a large file a hundred times, and take no answer."""
    links = []
    for _ in range(clients):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", port))
        link.sendall(get("/static/0/vendor/age-0.3.1.min.js") * 100)
        links.append(link)
        time.sleep(0.01)  # so that each worker gets its share
    time.sleep(1)
    try:
        yield
    finally:
        for link in links:
            link.close()


def test_who_takes_no_answer_keeps_no_thread(site: Site) -> None:
    with reading_nothing(site.port, 80):
        assert {answer.status for answer in signed(site.port, 8, timeout=4.0)} == {303}


@ON_SQLITE
def test_without_the_proxy_they_would(site: Site) -> None:
    with reading_nothing(site.server.port, 80), pytest.raises(TimeoutError):
        signed(site.server.port, 8, timeout=4.0)


def test_a_request_in_pieces_is_one_request(site: Site) -> None:
    whole = post(FORM, sign_form("pieces@example.org"))
    for cut in (1, 30, len(whole) - 40, len(whole) - 1):
        assert ask(site.port, whole[:cut], whole[cut:]).status == 303


def test_two_requests_in_one_breath_are_two_answers(site: Site) -> None:
    get = f"GET {CAMPAIGN}/counts HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as link:
        link.sendall(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
        said = b""
        while piece := link.recv(65_536):
            said += piece
    assert said.count(b"HTTP/1.1 200") == 2


def test_expect_100_continue_is_answered(site: Site) -> None:
    whole = post(FORM, sign_form("polite@example.org"), "Expect: 100-continue")
    head, _, body = whole.partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as link:
        link.sendall(head + b"\r\n\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 100 Continue")
        link.sendall(body)
        said = b""
        while b" 303 " not in said:
            piece = link.recv(1000)
            assert piece, said
            said += piece


def malformed() -> Iterator[tuple[str, list[bytes]]]:
    """What no browser sends: a name, and its bytes."""
    form = sign_form("ann@example.org")
    yield "a gigabyte announced", [post(FORM, b"x" * 5_000_000, length=10**9)]
    yield "a gigabyte that never comes", [post(FORM, b"", length=10**9)]
    yield "chunks without an end", [post(FORM, b"5\r\nhello\r\n" * 20_000, "Transfer-Encoding: chunked", length=-1)]
    yield "length and chunks", [post(FORM, b"0\r\n\r\n", "Transfer-Encoding: chunked", length=5)]
    yield "two lengths", [post(FORM, form, "Content-Length: 1")]
    yield "a negative length", [post(FORM, form, length=-7)]
    yield "ten thousand fields", [post(FORM, b"&".join(b"f%d=1" % n for n in range(10_000)))]
    yield "three thousand short fields", [post(FORM, b"&".join(b"a=" for _ in range(3_000)))]
    yield "33 KB of name", [post(FORM, b"first_name=" + b"x" * 33_000)]
    yield "an address of 8 KB", [f"GET /fr/{'x' * 8200} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()]
    yield "an address of 40 KB", [f"GET /fr/{'x' * 40_000} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()]
    yield "a head of 20 KB", [post(FORM, form, *(f"X-{n}: {'y' * 150}" for n in range(130)))]
    yield "two hundred headers", [post(FORM, form, *(f"X-{n}: y" for n in range(200)))]
    yield "invalid UTF-8", [post(FORM, b"first_name=%ff%fe&last_name=\xff\xfe&email=%c3%28&cases=%80")]
    yield "NUL", [post(FORM, b"first_name=A%00B&email=a%00@example.org&cases=joel-paredes%00")]
    yield "lone surrogates", [post(FORM, b"first_name=%ed%a0%80&last_name=%ed%bf%bf&email=ann@example.org&cases=x")]
    yield "NUL in the address", [b"GET /fr/%00/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
    yield "invalid UTF-8 in the address", [b"GET /fr/%ff%fe/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
    yield "raw bytes in the address", [b"GET /fr/\xff\xfe/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"]
    yield "no protocol", [b"hello\r\n\r\n"]
    yield "TLS", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n"]
    yield "a host of ours with a NUL", [b"GET /fr/ HTTP/1.1\r\nHost: 127.0.0.1\x00\r\n\r\n"]
    yield "another host", [b"GET /fr/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"]
    yield "multipart without an end", [post(FORM, b"--x\r\n" * 100, "Content-Type: multipart/form-data; boundary=x")]
    yield "a header with a line break", [post(FORM, form, "X-A: b\rc: d")]


@pytest.mark.parametrize("is_behind_nginx", [True, False])
def test_what_no_browser_sends_is_refused_at_once(site: Site, is_behind_nginx: bool) -> None:
    port = site.port if is_behind_nginx else site.server.port
    for name, pieces in malformed():
        answer = ask(port, *pieces)
        assert answer.status in REFUSED, f"{name}: {answer.head}"
        assert b"Traceback" not in answer.body, name
        assert answer.seconds < 5, f"{name}: a gigabyte is not read to its end"
        assert sign(port, "after@example.org").status == 303, name


def test_a_server_that_waits_for_every_body_is_found(tmp_path: Path) -> None:
    running = started(tmp_path / "seeded", "wait for every body")
    try:
        with pytest.raises(TimeoutError):
            ask(running.port, post(FORM, b"", length=10**9), timeout=3.0)
    finally:
        running.stop()


def test_a_gigabyte_in_fact_costs_neither_time_nor_memory(site: Site) -> None:
    piece = b"x" * 1_000_000
    answer = ask(site.port, post(FORM, b"", length=10**9), *([piece] * effort(50, 1_000)))
    assert answer.status in (0, 413)
    assert max(site.server.memory()) < 250
    note(
        "R13",
        database(site.server),
        f"{len(list(malformed()))} malformed or oversized requests",
        "all refused, 0 of them with 500",
    )
