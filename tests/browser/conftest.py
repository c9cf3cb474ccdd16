"""A real Chromium and a real server.

Every page that a test opens is monitored: at the end the console must be empty, nothing may have been loaded from
another host, and neither cookies nor storage may have been used.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.visiting import watched
from tests.support.chromium import launch
from tests.support.factories import ANN, CARLA, Person, write_campaign
from tests.support.server import Server

SECONDS = 8_000  # milliseconds, on a busy machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder needs a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; each page has a context of its own."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo campaign, and Carla who works there."""
    server = Server(tmp_path_factory.mktemp("server") / "instance")
    server.flask("setup")
    server.flask("staff", "create", CARLA.name, "--password", CARLA.password)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rtl_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A campaign that is read from the right, with every field and every state."""
    folder = tmp_path_factory.mktemp("rtl")
    server = Server(folder / "instance", PETITIONS_WORKERS="1")
    server.flask("setup")
    states = {"forest": "paused", "lake": "won"}
    plain = {"asks_birth_date": "true"}
    cases = ("river", "forest", "lake", "well")
    content = write_campaign(folder / "rtl", languages=("ar", "fr"), cases=cases, states=states, **plain)
    server.flask("campaign", "import", str(content))
    server.start()
    yield server
    server.stop()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, server: Server) -> Iterator[OpenPage]:
    """Opens a page in a browser of its own: `open_page("/fr/", color_scheme="dark")`."""
    contexts: list[BrowserContext] = []
    watches = []

    def open_page(path: str = "", *, at: Server = server, ready: bool = True, **context: Any) -> Page:
        settings = {"base_url": at.url, "locale": "fr-FR", "viewport": {"width": 1280, "height": 900}}
        contexts.append(chromium.new_context(**(settings | {"reduced_motion": "reduce"} | context)))
        contexts[-1].set_default_timeout(SECONDS)
        page = contexts[-1].new_page()
        watches.append(watched(page, at.url))
        if path:
            page.goto(path)
        return page

    yield open_page
    for watch, context in zip(watches, contexts, strict=True):
        watch.end()
        context.close()
    for watch in watches:
        watch.check()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A visitor's page, not opened yet."""
    return open_page()


_numbers = count(1)


@pytest.fixture
def ann() -> Person:
    """Ann, with an address of this test's own: all tests share one server."""
    return replace(ANN, email=f"ann{next(_numbers)}@example.org")
