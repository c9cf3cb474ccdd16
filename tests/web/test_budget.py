"""The size of the first view, for old phones and slow connections."""

import gzip

import pytest
from flask import Flask

from tests.web.browsing import LANGUAGES, browser, visit

PACKED = {"Accept-Encoding": "gzip"}
FIRST_VIEW = 14 * 1024  # what a server may send before it hears back: ten packets
SCRIPTS = 16 * 1024
FONT = 30 * 1024
REQUESTS = 12


def weight(app: Flask, path: str) -> int:
    """The bytes of one answer on the line, without its headers."""
    response = browser(app).get(path, headers=PACKED)
    assert response.status_code == 200
    if response.headers.get("Content-Encoding") == "gzip":
        assert gzip.decompress(response.data)
    return len(response.data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_and_looks_of_home_arrive_in_the_first_flight(demo: Flask, language: str) -> None:
    home = visit(browser(demo), f"/{language}/")
    styles = [node["href"] for node in home.all("link", rel="stylesheet")]
    parts = {path: weight(demo, path) for path in [f"/{language}/", *styles]}
    assert len(styles) == 1
    assert b".admin" not in browser(demo).get(styles[0]).data, "no visitor loads what only staff see"
    assert sum(parts.values()) <= FIRST_VIEW, parts


def test_scripts_and_font_stay_small(demo: Flask) -> None:
    home = visit(browser(demo), "/fr/")
    scripts = {node["src"]: weight(demo, node["src"]) for node in home.all("script", src=True)}
    fonts = {node["href"]: weight(demo, node["href"]) for node in home.all("link", as_="font")}

    assert sum(scripts.values()) <= SCRIPTS, scripts
    assert all("defer" in node.attrs for node in home.all("script", src=True))
    assert len(fonts) == 1
    assert sum(fonts.values()) <= FONT, fonts


def test_nobody_draws_more_than_twelve_things(demo: Flask) -> None:
    home = visit(browser(demo), "/fr/")
    asked = [node for node in home.all("script", "img") if node.get("loading") != "lazy"]
    asked += [node for node in home.all("link") if node["rel"] in ("stylesheet", "preload", "icon")]
    css = browser(demo).get(home.one("link", rel="stylesheet")["href"]).text
    assert 1 + len(asked) + css.count("url(") <= REQUESTS
