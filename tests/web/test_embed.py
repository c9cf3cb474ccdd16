"""The form in a frame of the organisation's own site, and what other sites can read."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from petitions.models import Signature
from petitions.queries.catalogue import PublicCampaign
from petitions.services.staff import accounts
from petitions.web.security import CSP
from tests.support.factories import ANN, CARLA, rows, write_campaign
from tests.web.browsing import browser, page_of, typed, visit

SITE, OTHER = "https://www.section.example", "https://school.example:8443"


@pytest.fixture
def framed(app: Flask, tmp_path: Path) -> str:
    """A campaign that two sites may show; gives its slug."""
    folder = write_campaign(tmp_path / "framed", slug="framed", embed_sites=json.dumps([SITE, OTHER]))
    assert app.test_cli_runner().invoke(args=["campaign", "import", str(folder)]).exit_code == 0
    return "framed"


def ancestors(policy: str) -> str:
    [found] = re.findall(r"frame-ancestors ([^;]*)", policy)
    return str(found)


def test_only_the_sites_of_the_campaign_may_frame_it_and_only_the_frame(app: Flask, framed: str) -> None:
    client = browser(app)
    for path in ("", "river/", "thanks", "river/thanks"):
        for _ in ("built", "from the page cache"):
            response = client.get(f"/embed/en/{framed}/{path}")
            [policy] = response.headers.getlist("Content-Security-Policy")
            assert ancestors(policy) == f"{SITE} {OTHER}", path
            assert "X-Frame-Options" not in response.headers
            assert "Set-Cookie" not in response.headers
    refused = client.post(f"/embed/en/{framed}/sign", data={"first_name": "Ann"})
    assert (refused.status_code, ancestors(refused.headers["Content-Security-Policy"])) == (422, f"{SITE} {OTHER}")
    for path in (f"/en/{framed}/", f"/en/{framed}/cases/river/", f"/en/{framed}/sign", f"/en/{framed}/mine"):
        assert client.get(path).headers["Content-Security-Policy"] == CSP


def test_without_a_list_nobody_may_frame_it(app: Flask, campaign: PublicCampaign) -> None:
    response = browser(app).get(f"/embed/en/{campaign.slug}/")
    assert ancestors(response.headers["Content-Security-Policy"]) == "'none'"


@pytest.mark.parametrize("path", ["", "river/"])
def test_signing_in_the_frame_stays_in_the_frame(app: Flask, framed: str, path: str) -> None:
    client = browser(app)
    page = visit(client, f"/embed/en/{framed}/{path}")
    form = page.one("form", method="post")
    assert form["action"] == f"/embed/en/{framed}/{path}sign"
    assert form["target"] == "_self"
    assert page.one("base")["target"] == "_blank", "other pages of ours open in no frame"
    refused = page_of(client.post(form["action"], data={**form.fields(), "first_name": "Ann"}), 422)
    assert refused.one("form", method="post").fields()["first_name"] == ["Ann"]
    answer = client.post(form["action"], data={**form.fields(), **typed(ANN)})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/embed/en/{framed}/{path}thanks")
    assert not visit(client, answer.headers["Location"]).all("form")
    with app.app_context():
        assert len(rows(Signature)) == (1 if path else 3)


def test_a_frame_of_what_cannot_be_signed_has_no_form_and_what_is_not_there_is_404(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "x", slug="framed", states={"river": "paused", "forest": "won"})
    assert app.test_cli_runner().invoke(args=["campaign", "import", str(folder)]).exit_code == 0
    client = browser(app)
    for case in ("river", "forest"):
        page = visit(client, f"/embed/en/framed/{case}/")
        assert not page.all("form")
    for path in ("nope/", "framed/nope/", "framed/nope/thanks", "nope/badge.svg"):
        assert client.get(f"/embed/en/{path}").status_code == 404
    assert client.get("/embed/pl/framed/").status_code == 404


def test_other_sites_may_read_counts_badge_and_script(app: Flask, framed: str) -> None:
    client = browser(app)
    for path in (
        f"/api/v1/campaigns/{framed}/counts.json",
        f"/embed/fr/{framed}/badge.svg",
        "/embed/files/height.js",
        "/embed/files/frame.css",
    ):
        for _ in ("built", "from the page cache"):
            response = client.get(path)
            assert response.status_code == 200
            assert response.headers.getlist("Access-Control-Allow-Origin") == ["*"], path
            assert response.headers.getlist("Cross-Origin-Resource-Policy") == ["cross-origin"], path
            assert response.headers["Cache-Control"].startswith("public, max-age=")
    assert len(client.get("/embed/files/height.js").data) < 1_000
    assert "Access-Control-Allow-Origin" not in client.get(f"/en/{framed}/").headers


def test_discovery_yields_a_link_for_public_pages_only(app: Flask, framed: str) -> None:
    client = browser(app)
    page = visit(client, f"/en/{framed}/cases/river/")
    found = client.get(page.one("link", type="application/json+oembed")["href"])
    assert (found.json["type"], found.json["version"]) == ("link", "1.0")
    assert found.json["title"] == page.one("h1").text
    base = "http://localhost:8000"
    for url in ("", f"{base}/admin/", f"{base}/en/{framed}/mine", "https://elsewhere.example/en/", f"{base}/en/nope/"):
        assert client.get(f"/api/v1/oembed?url={quote(url)}").status_code == 404, url
    assert client.get("/api/v1/oembed?format=xml").status_code == 501


@pytest.mark.parametrize(
    "site",
    ["http://www.section.example", "https://a.example/path", "https://a.example;", "*", "https://*.a.example", 7],
)
def test_a_site_that_is_no_origin_is_refused_at_import(app: Flask, tmp_path: Path, site: object) -> None:
    folder = write_campaign(tmp_path / "x", slug="framed", embed_sites=json.dumps([site]))
    said = app.test_cli_runner().invoke(args=["campaign", "import", str(folder)])
    assert said.exit_code == 1
    assert "embed_sites" in said.stderr


def test_staff_copy_the_line_of_html(app: Flask, framed: str) -> None:
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(app)
    client.post("/admin/login", data={"name": CARLA.name, "password": CARLA.password})
    page = visit(client, "/admin/embedding")
    assert f"{SITE}, {OTHER}" in page.text
    lines = [node.text for node in page.all("pre")]
    sources = [found for line in lines for found in re.findall(r'src="(https?://[^/"]+)?([^"]+)"', line)]
    assert sources
    for host, path in sources:
        assert host
        assert client.get(path).status_code == 200, path
