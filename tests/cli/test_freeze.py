"""A closed campaign as plain files: served by a plain file server, every link of every page works."""

import functools
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from flask import Flask

from petitions.kit import builder
from tests.support.factories import BASE_URL, make_campaign
from tests.web.page import Page

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Quiet(SimpleHTTPRequestHandler):
    """Python's own file server, without its log."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder at an address of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def get(url: str) -> tuple[int, str]:
    """Status and text."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as exc:
        exc.close()
        return exc.code, ""


@on_sqlite
def test_every_link_works_without_the_program(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 30)
    make_campaign(app, tmp_path / "campaign")
    runner = app.test_cli_runner()
    refused = runner.invoke(args=["campaign", "freeze", "water-2026", str(tmp_path / "site")])
    assert refused.exit_code == 1
    assert "still accepts signatures" in refused.stderr
    make_campaign(app, tmp_path / "campaign", state='"closed"')
    done = runner.invoke(args=["campaign", "freeze", "water-2026", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    with served(tmp_path / "site") as site:
        waiting, seen = [f"{site}/fr/water-2026/"], set()
        while waiting:
            url = waiting.pop()
            seen.add(url)
            status, text = get(url)
            assert status == 200, url
            if not text.startswith("<!doctype html>"):
                continue
            assert "<form" not in text, url
            page = Page(text)
            links = [node[name] for node in page.walk() for name in ("href", "src") if node.get(name)]
            links += [
                meta["content"].replace(BASE_URL, site)
                for meta in page.all("meta")
                if meta.get("property") == "og:image"
            ]
            for link in links:
                target = urldefrag(urljoin(url, link.replace(BASE_URL, site))).url
                if urlsplit(target).netloc == urlsplit(site).netloc and target not in seen:
                    waiting.append(target)
        paths = {urlsplit(url).path for url in seen}
        assert {f"/{language}/water-2026/cases/river/" for language in ("fr", "en")} <= paths
        assert any(path.endswith(".jpg") for path in paths)
        for old in ("/", "/fr/", "/fr/water-2026/sign/", "/en/water-2026/cases/river/letter/", "/fr/water-2026/kit/"):
            status, text = get(site + old)
            assert status == 200, old
            [target] = re.findall(r"url=([^\"]+)", text)
            assert get(site + target)[0] == 200
