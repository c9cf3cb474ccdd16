"""What an outsider can do: HTTP, e-mails in their own mailboxes, an operator's commands, reading stolen files."""

import json
import re
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.support.server import PATIENCE, Server
from tests.support.warm import command

CAMPAIGN = "write-for-rights-2024"
FORM = f"/fr/{CAMPAIGN}/sign"
BOUNCE_SECRET = "only the mail service knows it"
CASE, OTHER_CASE = "joel-paredes", "maryia-kalesnikava"
PAGES = ["/fr/", f"/fr/{CAMPAIGN}/", f"/fr/{CAMPAIGN}/cases/{CASE}/", f"/fr/{CAMPAIGN}/sign"]
COUNTS = f"/api/v1/campaigns/{CAMPAIGN}/counts.json"


@dataclass(frozen=True)
class Reply:
    """What came back; redirects are not followed."""

    status: int
    headers: Mapping[str, str]
    body: str
    seconds: float


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def ask(url: str, fields: Mapping[str, object] | None = None, **headers: str) -> Reply:
    """GET, or POST where there are fields, as a browser on the same site does; underscores in names are hyphens."""
    body = None if fields is None else urllib.parse.urlencode(fields, doseq=True).encode()
    sent = {"Sec-Fetch-Site": "same-origin"} | {name.replace("_", "-"): value for name, value in headers.items()}
    began = time.perf_counter()
    try:
        with _opener.open(urllib.request.Request(url, body, sent), timeout=30) as answer:
            return Reply(
                answer.status, answer.headers, answer.read().decode(errors="replace"), time.perf_counter() - began
            )
    except urllib.error.HTTPError as exc:
        with exc:
            return Reply(exc.code, exc.headers, exc.read().decode(errors="replace"), time.perf_counter() - began)


def until(done: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The value of `done` as soon as it is true; fails when that takes too long."""
    give_up_at = time.monotonic() + patience
    while not (found := done()):
        assert time.monotonic() < give_up_at, "it never came"
        time.sleep(0.02)
    return found


class Outsider:
    """A client of a running demo server. `network` is the client's address as one proxy reports it."""

    def __init__(self, server: Server, database_url: str) -> None:
        self.server = server
        self.database_url = database_url
        self.networks = "PETITIONS_PROXY_HOPS" in server.env

    def get(self, path: str, **headers: str) -> Reply:
        """A page."""
        return ask(self.server.url + path, **headers)

    def post(self, path: str, network: str = "", **fields: object) -> Reply:
        """A form; `network` goes into X-Forwarded-For."""
        headers = {"X_Forwarded_For": network} if network else {}
        return ask(self.server.url + path, fields, **headers)

    def sign(self, email: str, *cases: str, network: str = "", **fields: object) -> Reply:
        """Fill in the form for all."""
        typed = {"first_name": "Ann", "last_name": "Lee", "email": email, "cases": list(cases) or [CASE]}
        return self.post(FORM, network, **{**typed, **fields})

    def confirm(self, email: str, number: int = 1) -> str:
        """Follow the newest mail of `number` and press the button; gives the path of that page."""
        path = self.path_in_mail(email, number)
        assert self.post(path).status == 303
        return path

    def path_in_mail(self, email: str, number: int = 1) -> str:
        """The path of the first link of that mail."""
        return urllib.parse.urlsplit(self.server.link(email, number)).path

    def sign_and_confirm(self, email: str, *cases: str, **fields: object) -> str:
        """A confirmed signer; returns the path of the signer's page."""
        assert self.sign(email, *cases, **fields).status == 303
        return self.own_page(self.confirm(email))

    def own_page(self, confirmed: str) -> str:
        """The path of the own page, which the confirmed page links to."""
        found = re.search(r'href="[^"]*?(/fr/mine/[\w.-]+)"', self.get(confirmed).body)
        assert found, "the page links to no own page"
        return found[1]

    def counts(self) -> dict[str, Any]:
        """The published figures."""
        return dict(json.loads(self.get(COUNTS).body))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a thief of the database can read in it."""
        if self.database_url.startswith("sqlite"):
            with sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=10) as connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(self.database_url.replace("+psycopg", "")) as postgres:
            found = postgres.execute(query.encode())
            return found.fetchall() if found.description else []

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run an operator's command, whatever its exit status."""
        return command(self.server.env, *arguments, given=given)


def hidden_field(page: str) -> str:
    """The name of the field that nobody sees, read from the page as a bot would."""
    found = re.search(r'class="trap".*?<input[^>]*? name="([^"]+)"', page, re.DOTALL)
    assert found, "no hidden field"
    return found[1]


def token_of(path: str) -> str:
    """The token at the end of a link."""
    return Path(path).name
