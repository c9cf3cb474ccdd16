"""Headers of every answer, and the origin check of unsafe requests."""

import dataclasses
import gzip
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import brotli
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from petitions.queries.catalogue import PublicCampaign
from petitions.services.staff import accounts
from petitions.settings import SETTINGS
from petitions.web.public import pages as public_pages
from tests.support.factories import ANN, CARLA
from tests.web.browsing import DEMO, browser, link, mails, page_of, public_paths, sign_all, typed, visit
from tests.web.conftest import MakeDemo

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
HSTS = "max-age=31536000; includeSubDomains"
FOR_SHARED_CACHES = "public, max-age=15, s-maxage=0, must-revalidate"
ONLY_ONCE = ("Server-Timing", "X-Powered-By", "Access-Control-Allow-Origin")
SIGN = "/fr/water-2026/sign"


def every_path(app: Flask) -> Iterator[tuple[str, str]]:
    """Method and address of every rule, once with values that exist and once with others."""
    some = {
        "lang": "fr",
        "campaign": DEMO,
        "case": "joel-paredes",
        "token": "nope",
        "digest": "x",
        "key": "0",
        "place": "page",
        "language": "fr",
        "code": "BCDFG",
    }
    some["story"] = "mahadine"
    for rule in app.url_map.iter_rules():
        for values in (some | {"name": "css/site.css"}, dict.fromkeys(some, "zz") | {"name": "nope"}):
            path = rule.rule
            for name in rule.arguments:
                path = re.sub(rf"<(?:\w+:)?{name}>", values[name], path)
            assert "<" not in path, f"give {path} values"
            yield from ((method, path) for method in sorted(rule.methods or ()))


def own_headers(response: TestResponse) -> dict[str, str]:
    """What other sites may read says so."""
    is_read = response.status_code < 400 and response.request.method in ("GET", "HEAD")
    paths = "/api/v1/campaigns/[^/]+/counts.json|/embed/files/[^/]+|/embed/.*/badge.svg"
    if is_read and re.fullmatch(paths, response.request.path):
        return {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
    return {}


def has_security_headers(response: TestResponse, *, https: bool = False) -> None:
    """Everything of trust.md, exactly once, and nothing that talks about us."""
    for name, value in {**EVERYWHERE, **own_headers(response)}.items():
        assert response.headers.getlist(name) == [value], (response.request.path, name)
    assert response.headers.getlist("Strict-Transport-Security") == ([HSTS] if https else [])
    assert len(response.headers.getlist("Cache-Control")) == 1
    assert not [name for name in ONLY_ONCE if name in response.headers and name not in own_headers(response)]
    if response.status_code >= 400:
        assert response.headers["Cache-Control"] == "no-store"


# --- headers ---


@pytest.mark.parametrize("https", [False, True], ids=["http", "https"])
def test_every_answer_of_every_route_carries_the_security_headers(make_demo: MakeDemo, https: bool) -> None:
    app = make_demo(base_url="https://petitions.example.org") if https else make_demo(demo=True)
    client = browser(app)
    base = "https://petitions.example.org" if https else "http://localhost"
    seen = set()
    for method, path in every_path(app):
        response = client.open(path, method=method, base_url=base)
        has_security_headers(response, https=https)
        seen.add(response.status_code)
        assert response.status_code < 500, (method, path)
    assert seen >= {200, 302, 303, 404, 422}


def test_answers_to_what_is_no_route_carry_them_too(
    app: Flask, campaign: PublicCampaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(app)
    answers = {
        404: client.get("/nope"),
        308: client.get("/fr/water-2026/stories"),
        400: client.get("/", headers={"Host": "evil.example"}),
        405: client.delete("/fr/"),
        413: client.post(SIGN, data=typed(ANN, first_name="a" * 40_000)),
        403: client.post(SIGN, headers={"Sec-Fetch-Site": "cross-site"}),
        422: sign_all(client, []),
    }
    monkeypatch.setattr(public_pages, "render", None)
    answers[500] = client.get("/fr/")
    for status, response in answers.items():
        assert response.status_code == status
        has_security_headers(response)


def test_no_visitor_ever_gets_a_cookie(make_demo: MakeDemo) -> None:
    app = make_demo(demo=True)
    for cookie in ("", "petitions=x", "session=x; petitions=y"):
        client = browser(app)
        client.environ_base["HTTP_COOKIE"] = cookie
        for method, path in every_path(app):
            response = client.open(path, method=method)
            assert "Set-Cookie" not in response.headers, path
            assert "Cookie" not in response.headers.get("Vary", ""), path
        assert "Set-Cookie" not in client.post(f"/fr/{DEMO}/sign", data=typed(ANN, ["joel-paredes"])).headers


def test_what_is_the_same_for_all_may_be_kept_and_what_is_personal_may_not(demo: Flask) -> None:
    client = browser(demo)
    client.post(f"/fr/{DEMO}/sign", data=typed(ANN, ["joel-paredes"]))
    personal = [link(mails(demo)[0]), f"/fr/{DEMO}/code", f"/fr/{DEMO}/rejected", "/admin/login", "/healthz", "/"]
    personal += [f"/fr/{DEMO}/mine", f"/fr/{DEMO}/mine/sent", f"/fr/{DEMO}/erased"]
    personal += [
        f"/fr/{DEMO}/collectors/",
        f"/fr/{DEMO}/collectors/sent",
        f"/fr/{DEMO}/kit/ordered",
        f"/fr/{DEMO}/for/BCDFG",
    ]
    for path in personal:
        response = client.get(path)
        assert response.status_code in (200, 302)
        assert response.headers["Cache-Control"] == "no-store", path
        assert "ETag" not in response.headers
    shared = [path for path in public_paths("fr") if path not in personal]
    assert len(shared) == 21
    for path in shared:
        assert client.get(path).headers["Cache-Control"] == FOR_SHARED_CACHES, path
    for path in (f"/fr/{DEMO}/counts", f"/api/v1/campaigns/{DEMO}/counts.json"):
        kept = dict(part.strip().split("=") for part in client.get(path).headers["Cache-Control"].split(",")[1:])
        assert int(kept["max-age"]) + int(kept.get("stale-while-revalidate", 0)) < 5, "counts are at most 5 s behind"


# --- ready pages ---

READY = ["/fr/", f"/fr/{DEMO}/cases/joel-paredes/", f"/fr/{DEMO}/counts", f"/api/v1/campaigns/{DEMO}/counts.json"]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("path", READY)
def test_a_page_that_is_known_is_not_sent_again(demo: Flask, path: str) -> None:
    client = browser(demo)
    first = client.get(path)
    assert first.headers.getlist("Vary") == ["Accept-Encoding"]
    for known in (first.headers["ETag"], f'W/"other", {first.headers["ETag"]}'):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.data) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary"):
            assert again.headers[name] == first.headers[name]
        has_security_headers(again)
    assert client.get(path, headers={"If-None-Match": 'W/"other"'}).status_code == 200


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("path", READY)
def test_a_page_is_compressed_for_clients_that_accept_it(demo: Flask, path: str) -> None:
    client = browser(demo)
    plain = client.get(path)
    for asked, coding, unpack in (
        ("gzip, deflate", "gzip", gzip.decompress),
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("br;q=0, GZIP;q=0.5", "gzip", gzip.decompress),
    ):
        packed = client.get(path, headers={"Accept-Encoding": asked})
        assert packed.headers["Content-Encoding"] == coding
        assert unpack(packed.data) == plain.data
        assert len(packed.data) < len(plain.data)
        assert packed.headers["ETag"] == plain.headers["ETag"]
        assert packed.headers["Content-Length"] == str(len(packed.data))
    assert "Content-Encoding" not in plain.headers
    for no in ("", "zstd", "identity", "br;q=0, gzip; q=0", "gzip;q=0", "identity, gzip;q=0.0"):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": no}).headers, no


@pytest.mark.usefixtures("kept")
def test_head_says_what_get_would_and_sends_nothing(demo: Flask) -> None:
    client = browser(demo)
    for path in ["/", "/healthz", *READY]:
        got, headed = client.get(path), client.head(path)
        assert headed.data == b""
        assert headed.status_code == got.status_code
        assert headed.headers.get("ETag") == got.headers.get("ETag")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("path", READY)
def test_what_is_ready_is_answered_before_flask_is_asked_and_just_as_flask_would(demo: Flask, path: str) -> None:
    client = browser(demo)
    by_flask = client.get(path)
    asked: list[str] = []
    demo.before_request_funcs.setdefault(None, []).append(lambda: asked.append(path))
    for method in ("GET", "HEAD"):
        ready = client.open(path, method=method)
        assert asked == []
        assert (ready.status, dict(ready.headers)) == (by_flask.status, dict(by_flask.headers))
        assert ready.data == (by_flask.data if method == "GET" else b"")
    with_query = client.get(f"{path}?x=1")
    assert asked == [path]
    assert dict(with_query.headers) == dict(by_flask.headers)


@pytest.mark.usefixtures("kept")
def test_the_shortcut_lets_nobody_in_whom_flask_would_refuse(demo: Flask) -> None:
    client = browser(demo)
    assert client.get("/fr/").status_code == 200
    assert client.get("/fr/", headers={"Host": "evil.example"}).status_code == 400
    assert client.post("/fr/").status_code == 405
    assert client.get("/fr", follow_redirects=False).status_code == 308
    assert client.get("//fr/").status_code != 200


def test_a_page_changes_its_tag_when_its_words_change(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    before = client.get("/fr/")
    assert client.get("/fr/").headers["ETag"] == before.headers["ETag"]
    sign_all(client, ["river"])
    assert client.get("/fr/").headers["ETag"] == before.headers["ETag"], "only confirmed signatures show"
    client.post(link(mails(app)[0]))
    after = client.get("/fr/", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]


@pytest.mark.usefixtures("kept")
def test_what_htmx_asks_and_what_a_browser_asks_may_share_a_cache(demo: Flask) -> None:
    for first, second in ((False, True), (True, False)):
        app = demo
        one, other = browser(app, htmx=first).get("/fr/"), browser(app, htmx=second).get("/fr/")
        assert one.data == other.data
        assert one.headers["ETag"] == other.headers["ETag"]


# --- static files ---


def test_static_files_may_be_kept_for_ever_under_the_name_of_their_content(demo: Flask) -> None:
    client = browser(demo)
    home = visit(client, "/fr/")
    names = [node.get("href") or node.get("src") for node in home.all("link", "script")]
    static = [name for name in names if name.startswith("/static/")]
    assert len(static) == len(set(static)) == 6
    for name in static:
        response = client.get(name)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable", name
        assert client.get(name, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
        has_security_headers(response)
        # the name belongs to the content: another one may not be kept
        older = client.get(re.sub(r"/static/\w+/", "/static/0123456789ab/", name))
        assert (older.status_code, older.headers["Cache-Control"]) == (200, "no-cache")
        assert older.data == response.data


def test_static_files_say_what_they_are(demo: Flask) -> None:
    client = browser(demo)
    for name, kind in (
        ("css/site.css", "text/css; charset=utf-8"),
        ("js/site.js", "text/javascript; charset=utf-8"),
        ("img/icon.svg", "image/svg+xml"),
        ("fonts/bricolage-grotesque-720.woff2", "font/woff2"),
    ):
        assert client.get(f"/static/x/{name}").content_type == kind


def test_the_style_sheet_names_the_files_that_pages_name(demo: Flask) -> None:
    client = browser(demo)
    home = visit(client, "/fr/")
    css = client.get(home.one("link", rel="stylesheet")["href"]).text
    named = re.findall(r"url\(([^)]+)\)", css)
    assert home.one("link", rel="preload")["href"] in named, "else the font is fetched twice"
    assert named
    for name in named:
        assert client.get(name).headers["Cache-Control"].endswith("immutable"), name


def test_style_sheets_and_scripts_travel_packed(demo: Flask) -> None:
    client = browser(demo)
    for name in ("css/site.css", "js/site.js", "vendor/htmx-4.0.1.min.js", "img/icon.svg"):
        packed = client.get(f"/static/x/{name}", headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(packed.data) == client.get(f"/static/x/{name}").data
    font = client.get("/static/x/fonts/bricolage-grotesque-720.woff2", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in font.headers


# --- where a request comes from ---

OUR_ORIGIN, FOREIGN = "http://localhost", "https://evil.example"
GUARD = [  # Sec-Fetch-Site, Origin, whether a public form passes, whether a staff form does
    ("same-origin", OUR_ORIGIN, True, True),
    ("same-origin", None, True, True),
    ("same-origin", FOREIGN, True, True),  # browsers forbid scripts to set the one; the other may be stripped
    ("none", OUR_ORIGIN, True, False),
    ("none", None, True, False),
    ("cross-site", OUR_ORIGIN, False, False),
    ("cross-site", FOREIGN, False, False),
    ("cross-site", None, False, False),
    ("same-site", OUR_ORIGIN, False, False),  # another host of the same owner
    ("nonsense", OUR_ORIGIN, False, False),
    ("", None, False, False),
    (None, OUR_ORIGIN, True, True),
    (None, FOREIGN, False, False),
    (None, "null", False, False),
    (None, "http://localhost.evil.example", False, False),
    (None, "http://localhost:8000", False, False),
    (None, "https://localhost", False, False),
    (None, "", False, False),
    (None, None, True, False),
]


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize(("site", "origin", "is_public_ok", "is_staff_ok"), GUARD)
def test_a_form_must_come_from_our_own_page(
    app: Flask, site: str | None, origin: str | None, is_public_ok: bool, is_staff_ok: bool
) -> None:
    headers = {name: value for name, value in (("Sec-Fetch-Site", site), ("Origin", origin)) if value is not None}
    with app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = app.test_client()

    public = client.post(SIGN, data=typed(ANN, ["river"]), headers=headers)
    assert public.status_code == (303 if is_public_ok else 403)
    staff = client.post("/admin/login", data={"name": CARLA.name, "password": CARLA.password}, headers=headers)
    assert staff.status_code == (303 if is_staff_ok else 403)
    assert ("Set-Cookie" in staff.headers) is is_staff_ok
    for refused in (public, staff):
        if refused.status_code == 403:
            page_of(refused, 403)
    for path in ("/fr/", "/admin/login"):
        assert client.get(path, headers=headers).status_code == 200, "reading is never refused"


@pytest.mark.usefixtures("campaign")
def test_every_route_that_writes_stands_behind_the_guard(app: Flask) -> None:
    client = app.test_client()
    checked = 0
    for method, path in every_path(app):
        if method not in ("GET", "HEAD", "OPTIONS"):
            response = client.open(path, method=method, headers={"Sec-Fetch-Site": "cross-site"})
            is_one_click = path.startswith("/fr/stop/")  # RFC 8058: mail programs send it; the token is the proof
            assert response.status_code == (404 if is_one_click else 403), (method, path)
            checked += 1
    assert checked >= 14


# --- which host, how much, by which method ---


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "a b", "[::1", ""]
)
def test_an_unknown_host_is_refused_and_named_nowhere(app: Flask, campaign: PublicCampaign, host: str) -> None:
    response = app.test_client().get("/fr/", headers={"Host": host})
    assert response.status_code == 400
    assert "evil" not in response.text
    assert "evil" not in str(response.headers)
    has_security_headers(response)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:9999"])
def test_on_this_machine_each_of_its_names_will_do(app: Flask, campaign: PublicCampaign, host: str) -> None:
    assert app.test_client().get("/fr/", headers={"Host": host}).status_code == 200


def test_a_real_installation_answers_to_its_own_name_only(make_demo: MakeDemo) -> None:
    client = make_demo(base_url="https://petitions.example.org").test_client()
    for host, status in (
        ("petitions.example.org", 200),
        ("petitions.example.org:443", 200),
        ("localhost", 400),
        ("127.0.0.1", 400),
        ("example.org", 400),
        ("www.petitions.example.org", 400),
    ):
        assert client.get("/fr/", headers={"Host": host}).status_code == status, host


def test_redirects_stay_on_this_site_whatever_the_address_says(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    for path in (
        "//evil.example/fr",
        "/fr//evil.example",
        "/fr/water-2026/stories?next=//evil.example",
        "/\\evil.example",
    ):
        response = client.get(path)
        if 300 <= response.status_code < 400:
            assert re.match(r"(http://localhost)?/(?!/)", response.location), response.location


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize(("size", "status"), [(32 * 1024, 422), (32 * 1024 + 1, 413), (1_000_000, 413)])
@pytest.mark.parametrize("path", [SIGN, "/fr/water-2026/cases/river/sign", "/fr/water-2026/code", "/admin/login"])
def test_a_form_may_have_32_kilobytes(app: Flask, path: str, size: int, status: int) -> None:
    filler = b"x=" + b"a" * (size - 2)
    response = browser(app).post(path, data=filler, content_type="application/x-www-form-urlencoded")
    assert response.status_code == status
    has_security_headers(response)
    page_of(response, status)


@pytest.mark.usefixtures("campaign")
def test_a_form_without_a_length_may_not_be_longer(app: Flask) -> None:
    stream = BytesIO(b"x=" + b"a" * 1_000_000)
    environ: dict[str, Any] = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    kind = "application/x-www-form-urlencoded"
    response = browser(app).post(SIGN, input_stream=stream, content_type=kind, environ_overrides=environ)
    assert response.status_code == 413
    assert stream.tell() < 100_000, "and it is not read to its end"


@pytest.mark.usefixtures("campaign")
def test_a_form_may_not_have_a_thousand_parts(app: Flask) -> None:
    parts = {f"f{n}": "x" for n in range(250)}
    assert browser(app).post(SIGN, data=parts, content_type="multipart/form-data").status_code == 413


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(
    "path", ["/fr/", "/healthz", "/api/v1/campaigns/water-2026/counts.json", "/static/x/css/site.css"]
)
def test_a_method_that_is_not_meant_is_405(app: Flask, path: str, method: str) -> None:
    response = browser(app).open(path, method=method)
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    has_security_headers(response)


# --- behind a proxy ---


def test_the_clients_address_is_taken_from_the_right_and_only_behind_our_own_proxy(make_demo: MakeDemo) -> None:
    def statuses(app: Flask) -> list[int]:
        """Eve tries codes for many addresses, and names a new network each time."""
        client = browser(app)
        return [
            client.post(
                f"/fr/{DEMO}/code",
                data={"email": f"e{n}@example.org", "code": "000000"},
                headers={"X-Forwarded-For": f"10.0.{n}.1, 192.0.2.7"},
            ).status_code
            for n in range(61)
        ]

    assert statuses(make_demo())[-1] == 429, "without a proxy the header is worth nothing"
    assert statuses(make_demo(proxy_hops=1))[-1] == 429, "with one, its own entry stands at the right"


@pytest.mark.parametrize(
    ("base_url", "limit"), [("http://localhost:8000", 422), ("https://petitions.example.org", 429)]
)
def test_behind_a_proxy_that_was_forgotten_all_share_one_limit_and_on_this_machine_nobody_has_one(
    app: Flask, campaign: PublicCampaign, base_url: str, limit: int
) -> None:
    SETTINGS.put(app, dataclasses.replace(SETTINGS.of(app), base_url=base_url))
    client = browser(app)
    client.environ_base["REMOTE_ADDR"] = "127.0.0.1"
    form = [{"email": f"e{n}@example.org", "code": "000000"} for n in range(61)]
    assert [client.post(f"/fr/{campaign.slug}/code", data=each).status_code for each in form] == [422] * 60 + [limit]


def test_clients_behind_the_same_proxy_are_distinguished(make_demo: MakeDemo) -> None:
    client = browser(make_demo(proxy_hops=1))
    answers = [
        client.post(
            f"/fr/{DEMO}/code",
            data={"email": f"e{n}@example.org", "code": "000000"},
            headers={"X-Forwarded-For": f"192.0.2.{n % 2}"},
        ).status_code
        for n in range(61)
    ]
    assert answers == [422] * 61


def test_one_network_of_the_new_kind_is_a_64th_part(make_demo: MakeDemo) -> None:
    client = browser(make_demo(proxy_hops=1))
    answers = [
        client.post(
            f"/fr/{DEMO}/code",
            data={"email": f"e{n}@example.org", "code": "000000"},
            headers={"X-Forwarded-For": f"2001:db8::{n:x}"},
        ).status_code
        for n in range(61)
    ]
    assert answers == [422] * 60 + [429]
