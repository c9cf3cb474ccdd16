"""More than one machine: two servers on one Postgres behind a real nginx with the shipped configuration."""

import re
import shutil
import socket
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from petitions.services.operations import site_checks
from tests.reliability.test_slow_clients import signed, slow_clients
from tests.support import inspecting
from tests.support.effort import note
from tests.support.nginx import Nginx, nginx
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.raw import CAMPAIGN, ask, post, sign, sign_form
from tests.support.server import Server

CASE, NAME = "joel-paredes", b"Joel Paredes"
PAGES = tuple(f"{CAMPAIGN}/{page}" for page in ("", f"cases/{CASE}/", f"cases/{CASE}/letter/", "sign"))
PAGES += (f"/embed{CAMPAIGN}/",)


@dataclass
class Servers:
    """The proxy's port, and the servers behind it."""

    port: int
    servers: list[Server]
    database: str
    proxy: Nginx

    def answered(self, route: str) -> int:
        """How often a server itself answered a route."""
        return sum(
            len(re.findall(rf"answered method=\w+ route={re.escape(route)} ", each.log)) for each in self.servers
        )


@pytest.fixture(scope="module")
def servers(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Two servers that know nothing of each other but the database and the secrets."""
    folder, port, url = tmp_path_factory.mktemp("servers"), free_port(), postgres.empty_url()
    shared = {
        "PETITIONS_DATABASE_URL": url,
        "PETITIONS_BASE_URL": f"http://127.0.0.1:{port}",
        "PETITIONS_PROXY_HOPS": "1",
    }
    first = Server(folder / "one", **shared)
    first.folder.mkdir()
    first.flask("setup")
    shutil.copytree(first.folder, folder / "two", ignore=shutil.ignore_patterns("mailbox"))
    servers = [first.start(), Server(folder / "two", **shared).start()]
    with nginx(folder, [each.port for each in servers], port) as proxy:
        yield Servers(port, servers, url, proxy)
    for each in servers:
        each.stop()


def hidden_within(server: Server, port: int) -> float:
    """Hide a case that is on every page; returns the seconds until none shows it, and fails after two."""
    give_up_at = time.monotonic() + 4  # it may have been hidden until now
    while not all(NAME in get(port, path)[1] for path in PAGES):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    server.flask("campaign", "case", CASE, "hidden")
    began = time.monotonic()
    while shown := [path for path in PAGES if NAME in get(port, path)[1]]:
        assert time.monotonic() - began < 2, shown
        time.sleep(0.05)
    return time.monotonic() - began


def get(port: int, path: str, *headers: str) -> tuple[int, bytes]:
    """Status and body of a page."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    answer = ask(port, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return answer.status, answer.body


def test_signing_and_confirming_through_either_server(servers: Servers) -> None:
    people = [f"ann{number}@example.org" for number in range(60)]
    assert {sign(servers.port, email).status for email in people} == {303}
    routes = [each.log.count("route=/<lang:lang>/<campaign>/sign") for each in servers.servers]
    assert min(routes) > 10, "both servers work"
    links = []
    for _ in range(300):
        mails = [
            text.read_text(errors="replace") for each in servers.servers for text in each.folder.glob("mailbox/*.eml")
        ]
        ours = [text for text in mails if re.search(r"^To: ann\d+@", text, re.MULTILINE)]
        links = [found[0] for text in ours if (found := re.search(r"http://\S+/confirm/\S+", text))]
        if len(links) >= len(people):
            break
        time.sleep(0.1)
    assert len(links) == len(people), "each mail left once, whoever sent it"
    with inspecting.inside(servers.servers[0].folder, servers.database):
        assert inspecting.unknown(people) == [], "and each waits to be the reminder"
    for number, url in enumerate(links):
        path = url[url.index("/", 8) :]
        assert ask(servers.servers[number % 2].port, post(path, b"")).status == 303
    with inspecting.inside(servers.servers[0].folder, servers.database):
        assert inspecting.faults() == []


def test_the_doctor_counts_the_proxies_that_are_there(servers: Servers) -> None:
    """With one too many, each visitor could claim another network; with one too few, all would share one limit."""
    direct, behind = (f"http://127.0.0.1:{port}" for port in (servers.servers[0].port, servers.port))
    with inspecting.inside(servers.servers[0].folder, servers.database):
        assert (site_checks.proxy_faults(direct, 0), site_checks.proxy_faults(behind, 1)) == ([], [])
        [fault] = site_checks.proxy_faults(behind, 2)
    assert fault.startswith("PETITIONS_PROXY_HOPS is 2, but the program is behind 1")


def test_the_network_limit_is_one_for_both_and_cannot_be_forged(servers: Servers) -> None:
    said: Counter[int] = Counter()
    for number in range(340):  # all of them from this machine, whatever they claim
        forged = f"X-Forwarded-For: 198.51.100.{number % 250}"
        said[ask(servers.port, post(f"{CAMPAIGN}/sign", sign_form(f"crowd{number}@example.org"), forged)).status] += 1
    assert set(said) == {303, 422}, "nginx lets a whole school pass, and leaves the limit to the program"
    assert said[303] <= 300, "the form asks for a proof above that, on both servers together"
    note("limits", "postgres", "340 signers from one address with forged headers, over two servers", str(dict(said)))


def test_slow_clients_stop_nobody_behind_the_proxy(servers: Servers) -> None:
    with slow_clients(servers.port):
        views = [get(servers.port, f"{CAMPAIGN}/counts")[0] for _ in range(100)]
        answers = signed(servers.port, 20)
    assert set(views) == {200}
    assert {answer.status for answer in answers} <= {303, 422}
    slowest = sorted(answer.seconds for answer in answers)[18] * 1000
    note("R12", "postgres", "20 signers behind nginx beside 200 slow connections", f"0 failed; p95 {slowest:.0f} ms")


def said(port: int, path: str, *headers: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, list[str]]:
    """Status and header lines of an answer."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
    answer = ask(port, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return answer.status, answer.head.splitlines()[1:]


OWN = ("Content-Security-Policy: ", "X-Content-Type-Options: nosniff", "Cache-Control: ", "Referrer-Policy: ")


def test_what_nginx_answers_by_itself_is_as_well_guarded(servers: Servers) -> None:
    proxy = servers.proxy
    answers = {
        "301": said(proxy.redirect_port, "/fr/confirm/SECRETTOKEN", host="evil.example"),
        "413": said(proxy.port, f"{CAMPAIGN}/sign", "Content-Length: 70000", method="POST"),
        "200": said(proxy.port, "/fr/"),
        "200 again": said(proxy.port, "/fr/"),
        "404": said(proxy.port, "/fr/no-such-page/"),
    }
    for name, (status, lines) in answers.items():
        assert str(status) == name.split()[0]
        for header in OWN:
            assert len([line for line in lines if line.startswith(header)]) == 1, (name, header, lines)
        assert "Server: nginx" in lines, "no number, and not the server behind"
        if name != "301":  # a browser takes it from encrypted answers only
            assert [line for line in lines if line.startswith("Strict-Transport-Security: ")], name
    assert "Location: https://127.0.0.1/fr/confirm/SECRETTOKEN" in answers["301"][1], "whatever Host said"
    assert "Cache-Control: no-store" in answers["301"][1]
    assert proxy.logged == "", "who looked when is in no log"


def test_old_encryption_and_keys_that_open_recordings_are_refused(servers: Servers) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", servers.proxy.tls_port), 10) as line,
        context.wrap_socket(line) as tls,
    ):
        assert tls.version() == "TLSv1.2"
        assert tls.session is not None
        assert not tls.session.has_ticket


def test_nginx_slows_down_who_guesses_passwords(servers: Servers) -> None:
    logins = Counter(ask(servers.port, post("/admin/login", b"name=x&password=y")).status for _ in range(20))
    assert logins[429] >= 8, logins
    status, lines = said(servers.port, "/admin/login", "Content-Length: 0", method="POST")
    assert status == 429
    assert "Retry-After: 60" in lines
    assert said(servers.port, "/admin/login")[0] == 200, "looking is free"


def test_a_proxy_that_keeps_pages_is_noticed(servers: Servers, tmp_path: Path) -> None:
    cache = f"\nproxy_cache_path {tmp_path}/cache keys_zone=pages:1m;\nupstream petitions"
    keeps = "proxy_pass http://petitions; proxy_cache pages; proxy_cache_valid 1m; proxy_ignore_headers Cache-Control;"
    changes = {"\nupstream petitions": cache, r"proxy_pass http://petitions;": keeps}
    ports = [each.port for each in servers.servers]
    with nginx(tmp_path, ports, 0, changes) as proxy, pytest.raises(AssertionError, match="joel-paredes"):
        hidden_within(servers.servers[0], proxy.port)
    servers.servers[0].flask("campaign", "case", CASE, "open")


def test_a_hidden_case_is_gone_at_once_and_stays_gone_when_the_servers_stop(servers: Servers) -> None:
    seconds = hidden_within(servers.servers[0], servers.port)
    note("hide", "postgres", "through nginx, from the command until the case is on no page", f"{seconds:.1f} s")
    for each in servers.servers:
        each.stop()
    try:
        for path in PAGES:
            status, body = get(servers.port, path)
            assert (status, NAME in body) == (503, False), path
        answer = sign(servers.port, "later@example.org")
        assert answer.status == 503
        for header in (*OWN, "Retry-After: ", "Strict-Transport-Security: "):
            assert answer.head.count(header) == 1, answer.head
    finally:
        for each in servers.servers:
            each.start()
    assert NAME not in get(servers.port, PAGES[0])[1]
    servers.servers[0].flask("campaign", "case", CASE, "open")
