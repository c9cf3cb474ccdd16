"""Without a database every page is a clear 503 with Retry-After; never a 500."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.support.factories import ANN, Keys, close_app, make_app
from tests.support.ports import free_port
from tests.web.browsing import browser, typed


@pytest.fixture
def away(tmp_path: Path, keys: Keys) -> Iterator[Flask]:
    """The application before a Postgres that does not answer."""
    app = make_app(f"postgresql+psycopg://app@127.0.0.1:{free_port()}/away", tmp_path, keys)
    yield app
    close_app(app)


@pytest.mark.parametrize("path", ["/", "/fr/", "/fr/water-2026/cases/river/"])
def test_a_page_says_when_to_come_back(away: Flask, path: str) -> None:
    answer = browser(away).get(path)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0


def test_signing_says_so_too(away: Flask) -> None:
    answer = browser(away).post("/fr/water-2026/sign", data=typed(ANN, ["river"]))
    assert answer.status_code == 503


def test_health_says_no_database(away: Flask) -> None:
    assert browser(away).get("/healthz").status_code == 503
