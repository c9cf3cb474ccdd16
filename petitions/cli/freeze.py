"""`flask campaign freeze`: a closed campaign as plain files in all its languages, which any web space serves."""

import html
import re
from collections import deque
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask.testing import FlaskClient

from petitions.cli.helpers import refusals
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.services.keys.keyring import settings

LINK = re.compile(r'(?:href|src)="([^"]+)"|content="(https?://[^"]+)"')
# What lead to a form or to paper while the campaign ran: these links lead to the campaign, or to the case
OF_CAMPAIGN = ("sign", "thanks", "code", "mine", "kit", "rejected", "erased")
OF_CASE = ("sign", "thanks", "letter")
MOST_FILES = 20_000


@click.command("freeze")
@click.argument("slug")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@with_appcontext
def freeze(slug: str, folder: Path) -> None:
    """Write the closed campaign SLUG as plain files into FOLDER, which must be new or empty.

    Any web server can show them at the same address, so that old links still work. Pages are as they are now, without
    forms; the files hold no personal data.
    """
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty")
    with refusals():
        campaign = catalogue().campaign(slug)
    if not campaign.is_over:
        raise click.ClickException(f"{slug} still accepts signatures: close it first")
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way to the application itself
    app.config["FROZEN"] = True
    try:
        number = Freezer(app.test_client(), campaign, folder).run()
    finally:
        app.config["FROZEN"] = False
    click.echo(f"{slug}: {number} files in {folder}.")


class Freezer:
    """Follows every link of the campaign's pages, and writes what it finds."""

    def __init__(self, client: FlaskClient, campaign: PublicCampaign, folder: Path) -> None:
        self._client = client
        self._campaign = campaign
        self._folder = folder
        self._base = settings().base_url
        self._host = urlsplit(self._base).netloc
        self._homes = {language: f"/{language}/{campaign.slug}/" for language in campaign.languages}

    def run(self) -> int:
        """Write all files; returns how many. Raises ClickException if a link of a page leads nowhere."""
        waiting, seen = deque([*self._homes.values(), "/manifest.webmanifest"]), set(self._homes.values())
        while waiting and len(seen) < MOST_FILES:
            path = waiting.popleft()
            for link in self._write(path):
                if link not in seen:
                    seen.add(link)
                    waiting.append(link)
        return len(seen) + self._redirects()

    def _write(self, path: str) -> list[str]:
        """Write one page or file; returns its links on this site."""
        answer = self._client.get(path, base_url=self._base)
        if answer.status_code in (301, 302):
            self._redirect(path, urlsplit(answer.headers["Location"]).path)
            return []
        if answer.status_code != 200:
            raise click.ClickException(f"{path} answers {answer.status_code}, so the copy would have a dead link")
        file = self._file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.data)
        if not answer.content_type.startswith("text/html"):
            return re.findall(r"url\(([^)]+)\)", answer.text) if path.endswith(".css") else []
        found = [urljoin(path, html.unescape(link or picture)) for link, picture in LINK.findall(answer.text)]
        return [link for each in found if (link := self._own(each))]

    def _own(self, link: str) -> str:
        """The path of a link on this site that belongs to the campaign; empty for all others."""
        parts = urlsplit(urldefrag(link).url)
        if parts.netloc not in ("", self._host) or parts.scheme not in ("", "http", "https") or parts.query:
            return ""
        is_ours = parts.path.startswith((*self._homes.values(), "/static/", "/manifest"))
        return parts.path if is_ours else ""

    def _redirects(self) -> int:
        """Pages at old addresses that lead to where the campaign or the case is now; returns how many."""
        first = self._homes[self._campaign.languages[0]]
        leads = {"/": first} | {f"/{language}/": home for language, home in self._homes.items()}
        for home in self._homes.values():
            leads |= {f"{home}{old}/": home for old in OF_CAMPAIGN}
            for case in self._campaign.cases:
                page = f"{home}cases/{case.slug}/"
                leads |= {f"{page}{old}/": page for old in OF_CASE}
        for path, target in leads.items():
            self._redirect(path, target)
        return len(leads)

    def _redirect(self, path: str, target: str) -> None:
        file = self._file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        where = html.escape(target)
        file.write_text(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={where}">'
            f'<link rel="canonical" href="{where}"><title>{where}</title><a href="{where}">{where}</a>\n'
        )

    def _file(self, path: str) -> Path:
        """Where a plain web server looks for `path`: a page without an ending is a folder with index.html."""
        place = self._folder / path.strip("/")
        is_page = path.endswith("/") or "." not in path.rpartition("/")[2]
        return place / "index.html" if is_page else place
