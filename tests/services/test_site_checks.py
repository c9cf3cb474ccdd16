"""Each fault around the program is named in a sentence, and nothing is asked of other machines about a local site."""

import io
import ssl
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import dns.exception
import dns.resolver
import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.db.transactions import transaction
from petitions.domain.retention import SEEN
from petitions.models import Mark, Message
from petitions.queries.catalogue import PublicCampaign
from petitions.services.mailing import outbox
from petitions.services.operations import site_checks
from petitions.settings import SETTINGS, Settings
from tests.support.factories import newest, sign
from tests.support.ports import free_port

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


ASKING = ("address_faults", "proxy_faults", "sender_faults", "certificate_faults")


@pytest.fixture
def config(context: Flask) -> Settings:
    """The settings of a local installation."""
    found: Settings = SETTINGS.of(context)
    return found


@pytest.fixture
def site() -> Iterator[str]:
    """A web server that answers everything with 200."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def records(monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]) -> None:
    """DNS says this: TXT records by name, or an exception."""

    def resolve(name: str, _kind: str, **_: Any) -> list[Any]:
        said = found.get(name, dns.resolver.NXDOMAIN())
        if isinstance(said, Exception):
            raise said
        return [SimpleNamespace(strings=[said.encode()])]

    monkeypatch.setattr(dns.resolver, "resolve", resolve)


def test_a_sound_local_installation_has_no_faults_and_asks_nobody(
    config: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ASKING:
        monkeypatch.setattr(site_checks, name, lambda *_: pytest.fail("a local site is not asked for"))
    assert site_checks.checked(config) == ([], [])


def test_memory_and_files_that_run_out_are_reported(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_checks, "LEAST_MEMORY", 2**60)
    monkeypatch.setattr(site_checks, "LEAST_INODES", 2**60)
    memory, files = site_checks.checked(config)[0]
    assert memory.startswith("The memory is nearly full: ")
    assert files.startswith("The disk can take only ")


def test_catalogues_that_were_not_compiled_are_reported(tmp_path: Path) -> None:
    for language in ("de", "fr"):
        (tmp_path / language / "LC_MESSAGES").mkdir(parents=True)
        (tmp_path / language / "LC_MESSAGES" / "messages.po").touch()
    (tmp_path / "fr" / "LC_MESSAGES" / "messages.mo").touch()
    assert site_checks.catalogues_faults(tmp_path) == ["Pages in de may show English or old words: run make install"]


def test_a_worker_that_ended_is_reported(config: Settings) -> None:
    with transaction() as store:
        store.merge(Mark(**SEEN._asdict(), at=now()))
    assert site_checks.checked(config)[0] == []
    with stopped_at(now() + timedelta(hours=4)):
        [fault] = site_checks.checked(config)[0]
    assert fault.startswith("The worker did nothing since ")


def test_an_address_that_does_not_answer_is_reported(site: str) -> None:
    assert site_checks.address_faults(site) == []
    [fault] = site_checks.address_faults(f"http://127.0.0.1:{free_port()}")
    assert "does not answer (" in fault


@pytest.mark.parametrize(
    ("chain", "hops", "effect"),
    [
        ("{forged}, 198.51.100.7", 1, ""),
        ("198.51.100.7", 1, ""),  # a proxy that drops what visitors claim
        ("{forged}", 0, ""),
        ("{forged}", 1, "visitors can claim any network"),
        ("{forged}, 198.51.100.7, 10.0.0.3", 1, "all visitors share one network's limits"),
    ],
)
def test_a_wrong_number_of_proxies_is_reported(
    context: Flask, monkeypatch: pytest.MonkeyPatch, chain: str, hops: int, effect: str
) -> None:
    """The request of the doctor reaches the program as proxies forward it, and its answer is for the doctor only."""
    client = context.test_client()

    def forwarded(request: urllib.request.Request, **_: object) -> io.BytesIO:
        sent = dict(request.header_items())
        headers = {**sent, "X-Forwarded-For": chain.format(forged=sent["X-forwarded-for"])}
        headers.pop("X-forwarded-for")
        answer = client.get("/proxies", headers=headers)
        assert answer.status_code == 200
        wrong = {**headers, "X-petitions-probe": sent["X-petitions-probe"][:-1] + "g"}
        assert client.get("/proxies", headers=wrong).status_code == 404
        return io.BytesIO(answer.data)

    monkeypatch.setattr(urllib.request, "urlopen", forwarded)
    found = site_checks.proxy_faults("https://sign.example.org", hops)
    assert [effect in fault for fault in found] == ([True] if effect else [])
    assert client.get("/proxies").status_code == 404


def test_a_certificate_that_ends_soon_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [30]
    ends = lambda: time.strftime("%b %d %H:%M:%S %Y GMT", time.gmtime(time.time() + left[0] * 86_400 + 60))  # noqa: E731

    class Connection:
        def __enter__(self) -> "Connection":
            return self

        def __exit__(self, *_: object) -> None:
            """Closed."""

        def getpeercert(self) -> dict[str, str]:
            return {"notAfter": ends()}

    context = SimpleNamespace(wrap_socket=lambda *_, **__: Connection())
    monkeypatch.setattr(ssl, "create_default_context", lambda: context)
    monkeypatch.setattr(site_checks.socket, "create_connection", lambda *_: Connection())
    assert site_checks.certificate_faults("sign.example.org", 443) == []
    left[0] = 5
    assert site_checks.certificate_faults("sign.example.org", 443) == [
        "The certificate of sign.example.org ends in 5 days: it is not renewed"
    ]


def test_a_sender_without_records_is_reported_and_dns_that_is_away_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    records(monkeypatch, {"example.org": "v=spf1 -all", "_dmarc.example.org": "v=DMARC1; p=none"})
    assert site_checks.sender_faults("example.org") == []
    records(monkeypatch, {"example.org": "something else"})
    spf, dmarc = site_checks.sender_faults("example.org")
    assert spf.startswith("example.org has no SPF record")
    assert dmarc.startswith("example.org has no DMARC record")
    away = dns.exception.Timeout()
    records(monkeypatch, {"example.org": away, "_dmarc.example.org": away})
    assert site_checks.sender_faults("example.org") == []


def test_a_public_site_is_asked_for(config: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ASKING:
        monkeypatch.setattr(site_checks, name, lambda *given, n=name: asked.append(n) or [f"{n} {given}"])
    public = replace(config, base_url="https://sign.example.org", mail_from="Section <sign@example.org>")
    faults, _ = site_checks.checked(public)
    assert asked == list(ASKING)
    assert faults[2:] == ["sender_faults ('example.org',)", "certificate_faults ('sign.example.org', 443)"]


def test_failed_mails_and_missing_translations_are_noted(
    config: Settings, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(campaign)
    outbox.mark_failed(newest(Message).id, "smtp_550")
    notes = site_checks.checked(config)[1]
    assert notes == ["E-mails that could not be delivered in the last seven days: 1 (smtp_550: 1)"]
    monkeypatch.setattr(type(campaign.cases[0]), "locale_for", lambda *_: "fr")
    assert f"{campaign.slug}: 3 cases are not translated into en" in site_checks.checked(config)[1]
