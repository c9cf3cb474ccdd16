"""Growing past one machine: two servers on one Postgres behind a real nginx with the configuration that ships."""

import os
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from petitions.settings import ROOT
from tests.reliability.test_slow_clients import signed, slow_clients
from tests.support import inspecting
from tests.support.effort import effort, note
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.raw import CAMPAIGN, ask, post, sign, sign_form
from tests.support.server import Server

VIEWS = effort(0, 1_000)


@dataclass
class Farm:
    """The proxy's port, and the servers behind it."""

    port: int
    servers: list[Server]
    database: str

    def answered(self, route: str) -> int:
        """How often a server itself answered a route."""
        return sum(
            len(re.findall(rf"answered method=\w+ route={re.escape(route)} ", each.log)) for each in self.servers
        )


def nginx_of(folder: Path, port: int, backends: list[int]) -> subprocess.Popen[bytes]:
    """nginx with the shipped file; changed is only what it says must be changed."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert program, "no nginx: install nginx-light"
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        r"127\.0\.0\.1:8000": f"127.0.0.1:{backends[0]}",
        r"127\.0\.0\.1:8001": f"127.0.0.1:{backends[1]}",
        r"/var/cache/nginx/petitions": str(folder / "cache"),
        r"/var/log/nginx/error\.log": str(folder / "error.log"),
        r"listen 80;": f"listen 127.0.0.1:{free_port()};",
        r"listen 443 ssl http2;": f"listen 127.0.0.1:{port};",
        r"ssl_certificate(_key)? [^;]+;": "",
        r"sign\.example\.org": "127.0.0.1",
    }
    for pattern, there in changes.items():
        text, number = re.subn(pattern, there, text)
        assert number, pattern
    (folder / "petitions.conf").write_text(text)
    paths = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n{user}"
        f"events {{ worker_connections 2000; }}\nhttp {{\n{paths}\ninclude {folder}/petitions.conf;\n}}\n"
    )
    subprocess.run([program, "-t", "-c", str(folder / "nginx.conf")], check=True, capture_output=True)
    return subprocess.Popen([program, "-c", str(folder / "nginx.conf")])


@pytest.fixture(scope="module")
def farm(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Two servers that know nothing of each other but the database and the secrets."""
    folder, port, url = tmp_path_factory.mktemp("farm"), free_port(), postgres.empty_url()
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
    proxy = nginx_of(folder, port, [each.port for each in servers])
    for _ in range(50):
        time.sleep(0.1)
        if (folder / "pid").exists():
            break
    yield Farm(port, servers, url)
    proxy.terminate()
    proxy.wait()
    for each in servers:
        each.stop()


def get(port: int, path: str, *headers: str) -> tuple[int, bytes]:
    """Status and body of a page."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    answer = ask(port, ("\r\n".join(lines) + "\r\n\r\n").encode())
    return answer.status, answer.body


def test_a_thousand_views_are_one_question_to_the_servers(farm: Farm) -> None:
    path = f"{CAMPAIGN}/cases/joel-paredes/"
    before = farm.answered("/<lang:lang>/<campaign>/cases/<case>/")
    began = time.monotonic()
    said = Counter(get(farm.port, path)[0] for _ in range(VIEWS))
    assert said == {200: VIEWS}
    assert time.monotonic() - began < 15, "else the page was rightly asked for again"
    asked = farm.answered("/<lang:lang>/<campaign>/cases/<case>/") - before
    assert asked == 1
    note("cache", "postgres", f"{VIEWS} views of a page through nginx within its 30 s", f"{asked} origin hit")


def test_signing_and_confirming_through_either_server(farm: Farm) -> None:
    people = [f"ann{number}@example.org" for number in range(60)]
    assert {sign(farm.port, email).status for email in people} == {303}
    routes = [each.log.count("route=/<lang:lang>/<campaign>/sign") for each in farm.servers]
    assert min(routes) > 10, "both servers work"
    links = []
    for _ in range(300):
        mails = [
            text.read_text(errors="replace") for each in farm.servers for text in each.folder.glob("mailbox/*.eml")
        ]
        links = [found[0] for text in mails if (found := re.search(r"http://\S+/confirm/\S+", text))]
        if len(links) >= len(people):
            break
        time.sleep(0.1)
    assert len(links) == len(people), "each mail left once, whoever sent it"
    for number, url in enumerate(links):
        path = url[url.index("/", 8) :]
        assert ask(farm.servers[number % 2].port, post(path, b"")).status == 303
    with inspecting.inside(farm.servers[0].folder, farm.database):
        assert inspecting.faults() == []
        assert inspecting.unknown(people) == []


def test_the_network_limit_is_one_for_both_and_cannot_be_forged(farm: Farm) -> None:
    said: Counter[int] = Counter()
    for number in range(340):  # all of them from this machine, whatever they claim
        forged = f"X-Forwarded-For: 198.51.100.{number % 250}"
        said[ask(farm.port, post(f"{CAMPAIGN}/sign", sign_form(f"crowd{number}@example.org"), forged)).status] += 1
    assert set(said) == {303, 422}, said
    assert said[303] <= 300, "the form asks for a proof above that, on both servers together"
    note("limits", "postgres", "340 signers from one address with forged headers, over two servers", str(dict(said)))


def test_slow_clients_stop_nobody_behind_the_proxy(farm: Farm) -> None:
    with slow_clients(farm.port):
        views = [get(farm.port, f"{CAMPAIGN}/counts")[0] for _ in range(100)]
        answers = signed(farm.port, 20)
    assert set(views) == {200}
    assert {answer.status for answer in answers} <= {303, 422}
    slowest = sorted(answer.seconds for answer in answers)[18] * 1000
    note("R12", "postgres", "20 signers behind nginx beside 200 slow connections", f"0 failed; p95 {slowest:.0f} ms")


def test_pages_outlive_their_servers(farm: Farm) -> None:
    assert get(farm.port, "/fr/")[0] == 200
    for each in farm.servers:
        each.stop()
    try:
        assert get(farm.port, "/fr/")[0] == 200
        answer = sign(farm.port, "later@example.org")
        assert answer.status == 503
        assert "Retry-After: " in answer.head
    finally:
        for each in farm.servers:
            each.start()
    assert get(farm.port, f"{CAMPAIGN}/stories/")[0] == 200
