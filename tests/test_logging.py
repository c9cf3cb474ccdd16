"""Logs: one line per event, and a scan for personal data in everything that we and gunicorn log."""

import base64
import io
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from petitions import logs, sending
from petitions.models import Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services import ledger
from petitions.services.signing import signing
from petitions.settings import ROOT
from tests.support.factories import ANN, Keys, Person, code_of, newest, rows, token_of
from tests.support.ports import free_port

CANARY = Person("Zebrafink", "Quokkavic", "zebrafink.canary@quokka.example")
ADDRESS = "203.0.113.77"
FORM = {"first_name": CANARY.first_name, "last_name": CANARY.last_name, "email": CANARY.email}
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
OLD_FORMAT = logging.Formatter("%(levelname)s %(message)s")  # what any library would use: writes whole tracebacks


@contextmanager
def listening(formatter: logging.Formatter, level: int = logging.DEBUG) -> Iterator[io.StringIO]:
    """All that every logger says during the block."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def leaks(text: str, *more: str) -> list[str]:
    """Which canaries stand in the text, also encoded."""
    words = [CANARY.first_name, CANARY.last_name, CANARY.email, "zebrafink.canary", ADDRESS, *more]
    spelled = {
        form for word in words for form in (word, quote(word, safe=""), base64.b64encode(word.encode()).decode())
    }
    return sorted(word for word in spelled if word.lower() in text.lower())


@pytest.fixture(params=["text", "json"])
def formatter(request: pytest.FixtureRequest) -> logs.LineFormatter:
    """Ours."""
    return logs.LineFormatter(request.param == "json")


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    """A visitor's browser, whose address must not be logged."""
    app.testing = False
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = ADDRESS
    return client


def live(app: Flask, campaign: PublicCampaign, visitor: FlaskClient) -> list[str]:
    """Everything that happens to a signer; gives the secrets that came up."""
    here = f"/fr/{campaign.slug}"
    assert visitor.post(f"{here}/cases/river/sign", data=FORM, headers=SAME_ORIGIN).status_code == 303
    with app.app_context():
        token, code = token_of(newest(Signer).id), code_of(newest(Signer).id)
        assert sending.send_due() == 1
    for path in (f"/fr/confirm/{token}", f"/fr/confirm/{token}?email={CANARY.email}"):
        assert visitor.get(path).status_code == 200
    wrong = {"email": CANARY.email, "code": "no code"}
    assert visitor.post(f"{here}/code", data=wrong, headers=SAME_ORIGIN).status_code == 422
    assert visitor.post(f"/fr/confirm/{token}", headers=SAME_ORIGIN).status_code == 303
    assert (
        visitor.post(f"{here}/sign", data=FORM | {"email": "zebrafink.canary@"}, headers=SAME_ORIGIN).status_code == 422
    )
    assert (
        visitor.post(f"{here}/sign", data=FORM | {"email": "z@quokka.example"}, headers=SAME_ORIGIN).status_code == 422
    )
    sent = visitor.post(f"{here}/cases/lake/sign", data=FORM | {"email": "ann@quokka.example"}, headers=SAME_ORIGIN)
    assert sent.status_code == 303
    with app.app_context():
        other = token_of(newest(Signer).id)
    assert visitor.post(f"/fr/confirm/{other}/not-me", headers=SAME_ORIGIN).status_code == 303
    assert visitor.get(f"/fr/{CANARY.email}/?q={CANARY.last_name}").status_code == 404
    assert visitor.get(f"/{CANARY.email}").status_code == 404
    assert visitor.open(f"/fr/{campaign.slug}/", method=CANARY.first_name.upper()).status_code == 405
    assert visitor.post(f"{here}/sign", data=FORM).status_code == 422  # no origin: counted against the network
    assert visitor.get("/", headers={"Host": f"{CANARY.first_name}.example"}).status_code == 400
    return [token, other, code, f"{code[:3]} {code[3:]}"]


def test_nothing_personal_is_ever_logged(
    app: Flask, campaign: PublicCampaign, visitor: FlaskClient, formatter: logs.LineFormatter
) -> None:
    with listening(formatter) as heard:
        secrets = live(app, campaign, visitor)
        ledger = rows_of_ledger(app)
    assert "/<lang:lang>/confirm/<token>" in heard.getvalue(), "the scan heard the access log"
    assert leaks(heard.getvalue() + ledger, *secrets) == []


def rows_of_ledger(app: Flask) -> str:
    """The ledger is written beside the logs, and as openly."""
    with app.app_context():
        return ledger.path().read_text()


def test_the_scan_finds_what_a_careless_line_would_write(app: Flask, campaign: PublicCampaign) -> None:
    with listening(OLD_FORMAT) as heard:
        logging.getLogger("careless").info("signed by %s from %s", CANARY.email, ADDRESS)
        logging.getLogger("careless").info("%s", quote(CANARY.email, safe=""))
    assert len(leaks(heard.getvalue())) >= 4


def _quoting(*_: object) -> None:
    raise ValueError(f"cannot store {CANARY.email}")


def test_an_unexpected_failure_shows_kind_and_place_but_not_what_was_typed(
    campaign: PublicCampaign, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch, formatter: logs.LineFormatter
) -> None:
    monkeypatch.setattr(signing, "_seal", _quoting)
    with listening(formatter) as heard:
        sent = visitor.post(f"/fr/{campaign.slug}/cases/river/sign", data=FORM, headers=SAME_ORIGIN)
    assert sent.status_code == 500
    assert "error=ValueError at=test_logging.py:" in heard.getvalue()
    assert leaks(heard.getvalue()) == []
    assert all(line for line in heard.getvalue().splitlines())


def test_a_traceback_is_one_line_and_quotes_nobody(formatter: logs.LineFormatter) -> None:
    with listening(formatter) as heard, listening(OLD_FORMAT) as careless:
        try:
            _quoting()
        except ValueError:
            logging.getLogger("any").exception("it\nfailed")
    assert len(heard.getvalue().splitlines()) == 1
    assert leaks(heard.getvalue()) == []
    assert leaks(careless.getvalue()) != []


def test_a_request_is_one_line_with_its_number(
    app: Flask, campaign: PublicCampaign, visitor: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(logs.LineFormatter(True), logging.INFO) as heard:
        visitor.get(f"/fr/{campaign.slug}/", headers={"X-Request-ID": "forged"})
        visitor.get("/nowhere/at/all")
    lines = [json.loads(line) for line in heard.getvalue().splitlines()]
    numbers = [line["request"] for line in lines]
    assert len(set(numbers)) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", number) for number in numbers)
    first, second = (line["message"] for line in lines)
    assert re.fullmatch(r"answered method=GET route=/<lang:lang>/<campaign>/ status=200 ms=\d+\.\d", first)
    assert re.fullmatch(r"answered method=GET route=- status=404 ms=\d+\.\d", second)
    assert logs.request_id.get() == "-"


def test_json_says_the_same_as_text() -> None:
    record = logging.LogRecord("petitions.web", logging.INFO, __file__, 1, "refused code=%s", ("busy",), None)
    said = json.loads(logs.LineFormatter(True).format(record))
    assert {key: said[key] for key in ("level", "name", "request", "message")} == {
        "level": "INFO",
        "name": "petitions.web",
        "request": "-",
        "message": "refused code=busy",
    }
    assert logs.LineFormatter(False).format(record) == " ".join(said.values())


# gunicorn


Server = Callable[..., tuple[int, Path]]


@pytest.fixture
def server(tmp_path: Path, keys: Keys) -> Iterator[Server]:
    """Starts a real server on an empty database; gives its port, and the file with all it says."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**settings: str) -> tuple[int, Path]:
        port = free_port()
        environ = {
            **os.environ,
            "PETITIONS_INSTANCE": str(tmp_path / "instance"),
            "PETITIONS_BIND": f"127.0.0.1:{port}",
            "PETITIONS_SECRET_KEY": keys.secret_key,
            "PETITIONS_MASTER_KEY": keys.master_key,
            "PETITIONS_DEMO": "1",
            "PETITIONS_WORKERS": "1",
            **settings,
        }
        setup = [sys.executable, "-m", "flask", "--app", "app", "setup"]
        subprocess.run(setup, cwd=ROOT, env=environ, check=True, capture_output=True)
        log = tmp_path / "log"
        with log.open("wb") as file:
            command = [sys.executable, "-m", "gunicorn", "app:app"]
            running.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdout=file, stderr=file))
        give_up_at = time.monotonic() + 30
        while time.monotonic() < give_up_at:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                return port, log
            except OSError:
                time.sleep(0.1)
        raise AssertionError(log.read_text())

    yield start
    for process in running:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


BAD_REQUESTS = {
    "no request line": f"{CANARY.email}\r\n\r\n",
    "bad version": f"GET /?email={CANARY.email} HTTP/9.9\r\n\r\n",
    "bad header": f"GET / HTTP/1.1\r\nHost: localhost\r\n{CANARY.email} : x\r\n\r\n",
    "bad method": f"ge{CANARY.first_name}( / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "bad length": f"POST /{CANARY.email} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {CANARY.email}\r\n\r\n",
    "long line": f"GET /{CANARY.email}{'x' * 9000} HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("form", ["text", "json"])
def test_gunicorn_says_nothing_about_visitors_either(server: Server, form: str) -> None:
    port, log = server(PETITIONS_LOG_FORMAT=form)
    for request in BAD_REQUESTS.values():
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(request.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 4"), request
    text = log.read_text()
    assert text.count("server handle_error error=") == len(BAD_REQUESTS), text
    assert "ip=" not in text
    assert leaks(text) == []
    assert [line for line in text.splitlines() if "127.0.0.1" in line and "Listening" not in line] == []
    if form == "json":
        assert all(json.loads(line)["level"] for line in text.splitlines() if line.startswith("{"))
        assert [line for line in text.splitlines() if not line.startswith("{")] == []


def test_signers_leave_no_trace_beside_the_database(app: Flask, campaign: PublicCampaign, visitor: FlaskClient) -> None:
    live(app, campaign, visitor)
    with app.app_context():
        assert ANN.email not in rows_of_ledger(app)
        assert all(row.sealed is None or CANARY.email.encode() not in row.sealed for row in rows(Signer))
