"""Browsers without a window: Flask's test client, with a browser's headers.

These tests look at HTTP, so SQLite is enough; tests/services tests the database on both. The page cache is off unless a
test uses `kept`.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache, FileSystemBytecodeCache

from petitions.cli.setup import DEMO_CAMPAIGN
from petitions.content import reading as content_reading
from petitions.queries import catalogue
from petitions.queries.catalogue import CATALOGUE_CACHE
from petitions.services.campaigns import folders
from petitions.web import page_cache
from tests.support.factories import Keys, close_app, copy_instance, make_app
from tests.web.browsing import browser

FRESH = (page_cache.FRESH_SECONDS, catalogue.FRESH_SECONDS)


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_cache, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(catalogue, "FRESH_SECONDS", 0.0)


@pytest.fixture
def kept(_nothing_is_kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages stay ready for as long as on a real server."""
    monkeypatch.setattr(page_cache, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(catalogue, "FRESH_SECONDS", 60.0)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, sqlite_templates: Path, tmp_path: Path) -> str:
    """An SQLite file of this test's own, ready to sign; with the small campaign if the test asks for `campaign`."""
    template = "campaign" if "campaign" in request.fixturenames else "bare"
    shutil.copy(sqlite_templates / f"{template}.db", tmp_path / "petitions.db")
    copy_instance(sqlite_templates / template, tmp_path)
    return f"sqlite:///{tmp_path / 'petitions.db'}"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """Templates, compiled once for all applications: that takes half the time of these tests otherwise."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(database_url: str, tmp_path: Path, keys: Keys, compiled: BytecodeCache) -> Iterator[Flask]:
    """The application, able to seal; no context is pushed, so that requests do not share `g`."""
    app = make_app(database_url, tmp_path, keys)
    app.jinja_env.bytecode_cache = compiled
    yield app
    close_app(app)


@pytest.fixture(scope="session")
def demo_template(sqlite_templates: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A file with the demo campaign in it, to copy."""
    folder = tmp_path_factory.mktemp("demo")
    path = Path(shutil.copy(sqlite_templates / "bare.db", folder / "demo.db"))
    copy_instance(sqlite_templates / "bare", folder)
    app = make_app(f"sqlite:///{path}", folder, keys)
    with app.app_context():
        folders.import_campaign(content_reading.read(DEMO_CAMPAIGN), CATALOGUE_CACHE.of(app))
    close_app(app)
    return path


MakeDemo = Callable[..., Flask]


@pytest.fixture
def make_demo(demo_template: Path, tmp_path: Path, keys: Keys, compiled: BytecodeCache) -> Iterator[MakeDemo]:
    """Makes an application with the demo campaign, under any settings."""
    made: list[Flask] = []

    def make(**settings: Any) -> Flask:
        folder = tmp_path / f"demo-{len(made)}"
        folder.mkdir()
        shutil.copy(demo_template, folder / "petitions.db")
        copy_instance(demo_template.parent, folder)
        made.append(make_app(f"sqlite:///{folder / 'petitions.db'}", folder, keys, **settings))
        made[-1].jinja_env.bytecode_cache = compiled
        return made[-1]

    yield make
    for app in made:
        close_app(app)


@pytest.fixture
def demo(make_demo: MakeDemo) -> Flask:
    """The application with the demo campaign: nine cases, four languages."""
    return make_demo()


@pytest.fixture(params=["plain", "htmx"])
def htmx(request: pytest.FixtureRequest) -> bool:
    """Whether htmx sends the request. It must make no difference: one URL has one representation."""
    return request.param == "htmx"


@pytest.fixture
def ann(app: Flask, htmx: bool) -> FlaskClient:
    """Ann's browser, with and without htmx."""
    return browser(app, htmx=htmx)


@pytest.fixture
def eve(app: Flask) -> FlaskClient:
    """Eve's browser."""
    return browser(app)
