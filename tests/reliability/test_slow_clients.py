"""R12 and R13: neither slow nor oversized nor malformed requests stop the others, against the server as it ships."""

import fcntl
import itertools
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.reliability.conftest import kind
from tests.support.effort import effort, note
from tests.support.raw import CAMPAIGN, Answer, ask, post, sign, sign_form
from tests.support.server import Server

SLOW = 200
FORM = f"{CAMPAIGN}/sign"
REFUSED = {400, 403, 404, 405, 413, 414, 415, 422, 431, 501}


def started(folder: Path, bug: str = "", **env: str) -> Server:
    """A server with the demo campaign that sends no mail, with a seeded bug if asked for."""
    quiet = {"PETITIONS_WORKER": "0", "PETITIONS_LOG_LEVEL": "ERROR", "SEEDED_BUG": bug}
    server = Server(folder, "tests.reliability.serving:app", **quiet, **env)
    server.folder.mkdir(parents=True, exist_ok=True)
    server.flask("setup")
    return server.start().wait_for_all()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of this file on each database."""
    url = request.getfixturevalue("postgres").empty_url() if request.param == "postgres" else ""
    running = started(tmp_path_factory.mktemp("server"), PETITIONS_DATABASE_URL=url)
    yield running
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


def test_two_hundred_slow_clients_stop_nobody(server: Server) -> None:
    number = effort(100, 2_000)
    alone = signed(server.port, number)
    with slow_clients(server.port):
        beside = signed(server.port, number)
    assert {answer.status for answer in alone + beside} == {303}
    before, after = (1000 * statistics.quantiles((a.seconds for a in each), n=20)[-1] for each in (alone, beside))
    did = f"{number} signers beside {SLOW} connections at 1 byte in 5 s"
    note("R12", database(server), did, f"0 failed; p95 {after:.0f} ms (alone {before:.0f} ms)")


def test_the_threads_as_gunicorn_ships_them_are_stopped(tmp_path: Path) -> None:
    running = started(tmp_path / "seeded", GUNICORN_CMD_ARGS="--worker-class gthread")
    try:
        with slow_clients(running.port), pytest.raises(TimeoutError):
            signed(running.port, 8, timeout=4.0)
    finally:
        running.stop()


def test_a_client_that_never_hangs_up_costs_the_others_no_time(server: Server) -> None:
    lingering = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for link in lingering:  # each is answered and told that we close, and stays
        link.sendall(post(FORM, sign_form("stays@example.org")))
    answers = signed(server.port, 20)
    assert {answer.status for answer in answers} == {303}
    assert sum(answer.seconds for answer in answers) < 2 * len(lingering) / 4  # they would take two seconds each
    for link in lingering:
        link.close()


def get(path: str) -> bytes:
    """A request for a page or a file."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def style_sheet(server: Server) -> float:
    """The seconds until the style sheet is here, while the only thread waits for the database."""
    found = re.search(r"/static/[^\"]+/css/site.css", ask(server.port, get("/fr/")).body.decode())
    assert found
    signer = threading.Thread(target=sign, args=(server.port, "waits@example.org"))
    with (server.folder / "petitions.db.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        signer.start()
        time.sleep(0.5)
        try:
            answer = ask(server.port, get(found[0]), timeout=3)
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
            signer.join()
    assert answer.status == 200
    return answer.seconds


@pytest.mark.parametrize("bug", ["", "a thread for everything"])
def test_what_is_at_hand_waits_for_no_thread(tmp_path: Path, bug: str) -> None:
    running = started(tmp_path, bug, PETITIONS_WORKERS="1", PETITIONS_THREADS="1")
    try:
        with pytest.raises(TimeoutError) if bug else nullcontext():
            assert style_sheet(running) < 1
    finally:
        running.stop()


@contextmanager
def reading_nothing(port: int, clients: int) -> Iterator[None]:
    """So many people ask for a large file eight times, and take no answer."""
    links = []
    for _ in range(clients):
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", port))
        links.append(link)
        time.sleep(0.01)  # so that each worker gets its share
    for link in links * 8:
        link.sendall(get("/static/0/vendor/age-0.3.1.min.js"))
        time.sleep(0.005)
    try:
        yield
    finally:
        for link in links:
            link.close()


@pytest.mark.parametrize("bug", ["", "never mind who reads"])
def test_who_takes_no_answer_keeps_no_thread(tmp_path: Path, bug: str) -> None:
    running = started(tmp_path, bug)
    try:
        with reading_nothing(running.port, 80), pytest.raises(TimeoutError) if bug else nullcontext():
            assert {answer.status for answer in signed(running.port, 8, timeout=4.0)} == {303}
    finally:
        running.stop()


def test_the_workers_share_their_visitors_fairly(tmp_path: Path) -> None:
    running = started(tmp_path)
    try:
        before = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in running.workers()]
        links = []
        for _ in range(40):
            links.append(socket.create_connection(("127.0.0.1", running.port)))
            time.sleep(0.005)
        time.sleep(0.2)
        after = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in running.workers()]
        shares = [late - early for early, late in zip(before, after, strict=True)]
        assert sum(shares) == pytest.approx(40, abs=2)
        assert min(shares) >= 10, shares
        for link in links:
            link.close()
    finally:
        running.stop()


def test_a_request_in_pieces_is_one_request(server: Server) -> None:
    whole = post(FORM, sign_form("pieces@example.org"))
    for cut in (1, 30, len(whole) - 40, len(whole) - 1):
        assert ask(server.port, whole[:cut], whole[cut:]).status == 303


def test_two_requests_in_one_breath_are_two_answers(server: Server) -> None:
    get = f"GET {CAMPAIGN}/counts HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
        link.sendall(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
        said = b""
        while piece := link.recv(65_536):
            said += piece
    assert said.count(b"HTTP/1.1 200") == 2


def test_who_asks_first_whether_to_send_is_told_to_go_on(server: Server) -> None:
    whole = post(FORM, sign_form("polite@example.org"), "Expect: 100-continue")
    head, _, body = whole.partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
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


@pytest.mark.parametrize(
    ("name", "pieces"), list(malformed()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_no_browser_sends_is_refused_at_once(server: Server, name: str, pieces: list[bytes]) -> None:
    answer = ask(server.port, *pieces)
    assert answer.status in REFUSED, f"{name}: {answer.head}"
    assert b"Traceback" not in answer.body
    assert answer.seconds < 5, "a gigabyte is not read to its end"
    assert sign(server.port, "after@example.org").status == 303


def test_a_server_that_waits_for_every_body_is_found(tmp_path: Path) -> None:
    running = started(tmp_path / "seeded", "wait for every body")
    try:
        with pytest.raises(TimeoutError):
            ask(running.port, post(FORM, b"", length=10**9), timeout=6.0)
    finally:
        running.stop()


def test_a_gigabyte_in_fact_costs_neither_time_nor_memory(server: Server) -> None:
    piece = b"x" * 1_000_000
    answer = ask(server.port, post(FORM, b"", length=10**9), *([piece] * effort(50, 1_000)))
    assert answer.status in (0, 413)
    assert max(server.memory()) < 250
    note(
        "R13",
        database(server),
        f"{len(list(malformed()))} malformed or oversized requests",
        "all refused, 0 of them with 500",
    )
