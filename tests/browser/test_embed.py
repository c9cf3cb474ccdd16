"""The form embedded in the organisation's own site: another origin, no third-party cookies, a sandbox without forms."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visiting import fill, send
from tests.support.chromium import launch_type
from tests.support.factories import ANN, write_campaign
from tests.support.server import Server


class Site(SimpleHTTPRequestHandler):
    """The section's web space; it says nothing on the terminal."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An address on another host name, and the folder that it serves."""
    folder = tmp_path_factory.mktemp("site")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(folder)))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://localhost:{httpd.server_port}", folder
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture(scope="module")
def framed(tmp_path_factory: pytest.TempPathFactory, site: tuple[str, Path]) -> Iterator[Server]:
    """A campaign that the site may show."""
    folder = tmp_path_factory.mktemp("framed")
    server = Server(folder / "instance", PETITIONS_WORKERS="1")
    server.flask("setup")
    content = write_campaign(folder / "content", slug="framed", embed_sites=f'["{site[0]}"]')
    server.flask("campaign", "import", str(content))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def visitor(chromium: Browser) -> Iterator[Browser]:
    """A browser that blocks third-party cookies and storage."""
    browser = launch_type(chromium.browser_type, "--test-third-party-cookie-phaseout")
    yield browser
    browser.close()


def open_site(visitor: Browser, site: tuple[str, Path], html: str) -> Page:
    address, folder = site
    (folder / "index.html").write_text(f"<!doctype html><title>Section</title>{html}", encoding="utf-8")
    page = visitor.new_context(locale="en").new_page()
    page.goto(f"{address}/")
    return page


@pytest.mark.parametrize("has_javascript", [True, False])
def test_visitors_sign_in_the_frame_without_a_cookie(
    visitor: Browser, site: tuple[str, Path], framed: Server, has_javascript: bool
) -> None:
    address, folder = site
    line = f'<iframe src="{framed.url}/embed/en/framed/" style="width:100%"></iframe>'
    line += f'<script src="{framed.url}/embed/files/height.js" async></script>'
    (folder / "index.html").write_text(f"<!doctype html><title>Section</title>{line}", encoding="utf-8")
    context = visitor.new_context(locale="en", java_script_enabled=has_javascript)
    page = context.new_page()
    page.goto(f"{address}/")
    frame = page.frame_locator("iframe")
    form = frame.locator("#sign-all form")
    expect(form.locator("[name=cases]")).to_have_count(3)
    if has_javascript:
        page.wait_for_function("document.querySelector('iframe').offsetHeight > 400")
    email = f"framed{int(has_javascript)}@example.org"
    fill(form, replace(ANN, email=email))
    send(form)
    expect(frame.locator("h2[autofocus]")).to_be_visible()
    assert "/en/confirm/" in framed.mail(email)
    assert context.cookies() == []
    context.close()


def test_a_sandbox_without_forms_shows_the_case_and_a_link_and_no_dead_form(
    visitor: Browser, site: tuple[str, Path], framed: Server
) -> None:
    page = open_site(
        visitor, site, f'<iframe sandbox="allow-scripts" src="{framed.url}/embed/en/framed/river/"></iframe>'
    )
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_be_visible()
    expect(frame.locator("form")).to_be_hidden()
    link = frame.locator('a[href="/en/framed/cases/river/"]')
    expect(link).to_be_visible()
    expect(frame.get_by_text(f"{framed.url}/en/framed/cases/river/")).to_be_visible()
    page.context.close()


def test_a_site_that_is_not_on_the_list_shows_nothing(visitor: Browser, site: tuple[str, Path], framed: Server) -> None:
    page = open_site(
        visitor,
        (site[0].replace("localhost", "127.0.0.1"), site[1]),
        f'<iframe src="{framed.url}/embed/en/framed/"></iframe>',
    )
    page.wait_for_timeout(300)
    assert page.frame_locator("iframe").locator("form").count() == 0
    page.context.close()
