"""A real Caddy with the shipped file: addresses, headers, sizes, slow clients, and what it writes down."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.reliability.test_proxy import CASE, hidden_within
from tests.reliability.test_slow_clients import signed, slow_clients, started
from tests.support.caddy import Caddy, caddy
from tests.support.effort import note
from tests.support.ports import free_port
from tests.support.raw import CAMPAIGN, ask, post, sign_form
from tests.support.server import Server

FORM = f"{CAMPAIGN}/sign"
GUARDS = ("Content-Security-Policy: ", "X-Content-Type-Options: ", "Cache-Control: ", "Referrer-Policy: ")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Caddy]]:
    """A server behind Caddy, as docs/install.md sets it up."""
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    hops = {"PETITIONS_PROXY_HOPS": "1", "PETITIONS_BASE_URL": f"http://127.0.0.1:{port}"}
    server = started(folder / "instance", **hops)
    with caddy(folder, server.port, port) as proxy:
        yield server, proxy
    server.stop()


def get(port: int, path: str) -> bytes:
    """The request for a page."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()


def to_site(port: int, body: bytes, *headers: str) -> bytes:
    """A form's request under the site's own name, which Caddy distinguishes by."""
    return post(FORM, body, *headers).replace(b"Host: 127.0.0.1\r\n", f"Host: 127.0.0.1:{port}\r\n".encode())


def test_every_answer_has_the_guards_and_none_names_the_server(site: tuple[Server, Caddy]) -> None:
    port = site[1].port
    answers = {
        200: ask(port, get(port, "/fr/")),
        404: ask(port, get(port, "/fr/no-such-page/")),
        413: ask(port, to_site(port, b"x" * 66_000)),
    }
    for status, answer in answers.items():
        assert answer.status == status
        for header in (*GUARDS, "Strict-Transport-Security: "):
            assert answer.head.count(header) == 1, (status, header, answer.head)
        assert "Server: " not in answer.head


def test_visitors_cannot_forge_their_address(site: tuple[Server, Caddy]) -> None:
    port = site[1].port
    statuses: Counter[int] = Counter()
    for number in range(310):
        forged = f"X-Forwarded-For: 198.51.100.{number % 250}"
        form = sign_form(f"crowd{number}@example.org")
        statuses[ask(port, to_site(port, form, forged)).status] += 1
    assert statuses[422] >= 10, "the form asks for a proof of work after 300 from one network"
    assert statuses[303] + statuses[422] == 310


def test_slow_clients_stop_nobody(site: tuple[Server, Caddy]) -> None:
    port = site[1].port
    with slow_clients(port):
        answers = signed(port, 20)
    assert {answer.status for answer in answers} <= {303, 422}
    slowest = sorted(answer.seconds for answer in answers)[18] * 1000
    note("R12", "sqlite", "20 signers behind Caddy beside 200 slow connections", f"0 failed; p95 {slowest:.0f} ms")


def test_a_hidden_case_is_gone_at_once(site: tuple[Server, Caddy]) -> None:
    server, proxy = site
    seconds = hidden_within(server, proxy.port)
    server.flask("campaign", "case", CASE, "open")
    note("hide", "sqlite", "through Caddy, from the command until the case is on no page", f"{seconds:.1f} s")


def test_a_stopped_server_is_said_in_words_and_nothing_is_written_down(site: tuple[Server, Caddy]) -> None:
    server, proxy = site
    server.stop()
    try:
        answer = ask(proxy.port, get(proxy.port, "/fr/confirm/SECRETTOKEN"))
        assert answer.status == 503
        assert "Retry-After: 10" in answer.head
        assert "Renvoyez-le" in answer.body.decode()
    finally:
        server.start()
    written = proxy.output.read_text()
    assert "SECRETTOKEN" not in written
    assert "127.0.0.1" not in written.replace(f"http://127.0.0.1:{proxy.port}", "")
