"""Public pages in each language, in each state of a campaign and of a case."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete

from petitions import locales
from petitions.clock import stopped_at
from petitions.content import reading as content_reading
from petitions.db.transactions import transaction
from petitions.domain.states import TallyKind
from petitions.models import Recipient, Signer
from petitions.queries.catalogue import CATALOGUE_CACHE, PublicCampaign
from petitions.services.campaigns import folders
from petitions.services.paper import tallies
from petitions.web.public import pages as public_pages
from tests.support.factories import (
    ANN,
    EVE,
    Keys,
    add_section_key,
    confirm,
    make_campaign,
    rows,
    write,
    write_campaign,
)
from tests.web.browsing import (
    DEMO,
    LANGUAGES,
    STAFF_PATHS,
    browser,
    link,
    mails,
    page_of,
    public_paths,
    sign_all,
    sign_one,
    visit,
)
from tests.web.conftest import MakeDemo
from tests.web.page import Page

WATER = "/en/water-2026"
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
END = datetime(2026, 6, 1, 8, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)


def import_folder(app: Flask, folder: Path) -> None:
    """Let `app` know the campaign in `folder`."""
    with app.app_context():
        folders.import_campaign(content_reading.read(folder), CATALOGUE_CACHE.of(app))


def takes_signatures(page: Page) -> bool:
    """Whether there is any way to sign."""
    return any(form["action"].endswith("/sign") for form in page.all("form"))


# --- each page, each language ---


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_its_language_and_keeps_the_html_rules(demo: Flask, language: str) -> None:
    client = browser(demo)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es"  # the address alone decides
    for path in public_paths(language):
        page = visit(client, path)
        assert page.one("html")["lang"] == language, path
        assert "Petitions" not in page.title, f"{path} does not name the campaign"


def test_no_page_is_forgotten_here(make_demo: MakeDemo) -> None:
    app = make_demo(demo=True)
    looked_at = {app.url_map.bind("localhost").match(path)[0] for path in (*public_paths("fr"), *STAFF_PATHS)}
    looked_at |= {"pages.root", "demo.mailbox", "admin.login_form"}
    behind_a_link = {
        "confirming.confirm_form",
        "signer_page.page",
        "signer_page.stop_form",
        "collecting.own_page",  # test_collecting.py
        *("collecting.certificate", "admin.print_certificates"),  # test_contest.py
        *("kit_orders.order_form", "admin.print_labels"),  # test_kit_orders.py
        "admin.invitation",  # test_people.py
        "admin.edit_case",  # test_campaigns.py
    }  # test_html.py and the browser open these
    no_page = {
        "static",
        "health.healthz",
        "health.readyz",
        "health.proxies",
        "health.metrics",
        "api_counts.campaign_counts",
        "well_known.security_txt",
        "signer_page.data",
    }
    no_page |= {
        "api_oembed.oembed",
        "embed.badge",
        "embed.file",
        "pages.counts",
        "admin.board_part",
        "admin.board_csv",
        "admin.journal_csv",
        "admin.download_campaign",
        "admin.decrypt_export_file",
        "kit.kit_pdf",
        "kit.kit_zip",
        "kit.letter_pdf",
        *("cards.campaign_card", "cards.case_card", "cards.story_card"),
        *("figures.as_csv", "events.calendar", "events.feed", "donating.code"),
        "sharing.mastodon",  # needs the name of a server: test_sharing.py
        *("crawlers.sitemap", "crawlers.robots", "crawlers.manifest"),
    }
    opened = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    assert opened - looked_at - behind_a_link - no_page == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_home_shows_nine_cases_with_country_topic_demand_and_a_way_to_sign(demo: Flask, language: str) -> None:
    home = visit(browser(demo), f"/{language}/")

    stamps = home.all("article", data__case=True)
    assert len(stamps) == 9
    assert len({stamp["data-case"] for stamp in stamps}) == 9
    belarus = stamps[0]
    assert belarus["data-case"] == "maryia-kalesnikava"
    assert belarus.one("span", class_="country").text == locales.country_name("BY", language)
    for stamp in stamps:
        assert stamp.one("h3").text
        assert stamp.one("p", class_="summary").text
        assert stamp.one("p", class_="topic").text
        assert stamp.one("p", class_="progress is-empty").text
        assert stamp.one("svg", role="img")["aria-label"]
        button = stamp.one("a", class_="button")
        assert button["href"].endswith(f"/cases/{stamp['data-case']}/#sign-{stamp['data-case']}")
        assert stamp.one("h3").text in button["aria-label"], (
            "nine buttons that sound alike help nobody who only hears them"
        )


def test_home_holds_a_form_for_all_with_every_box_ticked_and_no_news(demo: Flask) -> None:
    home = visit(browser(demo), "/fr/")
    form = home.form("/sign")

    boxes = form.all("input", name="cases")
    assert [box["value"] for box in boxes] == [stamp["data-case"] for stamp in home.all("article", data__case=True)]
    assert all("checked" in box.attrs and box["type"] == "checkbox" for box in boxes)
    assert form.field("newsletter").get("checked", "no") == "no"
    unseen = {"pass_code", "remark", "elapsed", "proof", "email_asked"}
    assert set(form.fields()) == {"cases", "first_name", "last_name", "email"} | unseen
    assert not any("".join(form.fields()[name]) for name in unseen), "the page is the same for everybody"


def test_home_has_every_part(demo: Flask) -> None:
    home = visit(browser(demo), "/fr/")
    for part in ("hero", "cases", "steps", "stories", "donation"):
        assert any(part in node.get("class").split() for node in home.walk()), part
    assert len(home.one("section", class_="steps").all("li")) == 4
    assert home.one("footer").one("a", href=f"/fr/{DEMO}/privacy").text


def test_home_by_name_is_home(demo: Flask) -> None:
    client = browser(demo)
    one, other = visit(client, "/fr/"), visit(client, f"/fr/{DEMO}/")
    assert one.one("main").text == other.one("main").text
    assert one.one("link", rel="canonical")["href"] == other.one("link", rel="canonical")["href"]


def test_case_page_shows_the_story_the_demand_and_whom_it_is_for(app: Flask, campaign: PublicCampaign) -> None:
    page = visit(browser(app), f"{WATER}/cases/river/")

    assert page.h1 == "The river (en)"
    for words in ("The river is dry.", "We demand the river.", "Addressee: The minister", "Goal: 100 signatures"):
        assert words in page.text
    assert page.form("/cases/river/sign").all("input", name="cases") == []
    neighbours = page.one("nav", class_="neighbours")
    assert [a["href"] for a in neighbours.all("a")] == [f"{WATER}/cases/lake/", f"{WATER}/cases/forest/", "/en/"]


def test_a_single_case_has_no_previous_and_no_next_case(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "one", cases=["river"])
    page = visit(browser(app), f"{WATER}/cases/river/")
    assert [a["href"] for a in page.one("nav", class_="neighbours").all("a")] == ["/en/"]
    home = visit(browser(app), "/en/")
    assert len(home.all("article", data__case=True)) == 1


@pytest.mark.parametrize("language", ["ar", "fa", "he"])
def test_a_campaign_that_is_read_from_the_right_mirrors_every_page(app: Flask, tmp_path: Path, language: str) -> None:
    make_campaign(app, tmp_path / "rtl", languages=[language, "fr"])
    client = browser(app)
    for path in public_paths(language, "water-2026", "river"):
        page = visit(client, path)
        assert (page.one("html")["lang"], page.one("html")["dir"]) == (language, "rtl"), path
    email = visit(client, f"/{language}/water-2026/sign").form("/sign").field("email")
    assert email["dir"] == "ltr"
    assert visit(client, "/fr/").one("html")["dir"] == "ltr"


def test_every_page_is_byte_for_byte_the_same_for_htmx(demo: Flask) -> None:
    plain, swapped = browser(demo), browser(demo, htmx=True)
    swapped.environ_base["HTTP_HX_REQUEST_TYPE"] = "partial"
    for path in [*public_paths("fr"), f"/fr/{DEMO}/counts", "/fr/nothing-here/"]:
        one, other = plain.get(path), swapped.get(path)
        assert one.data == other.data, path
        assert "HX-Request" not in one.headers.get("Vary", "")


def test_the_counts_are_a_part_of_their_own(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        confirm(campaign, ANN, "river")
    home = visit(browser(app), "/fr/")
    part = browser(app).get("/fr/water-2026/counts")

    assert part.status_code == 200
    swapped = Page(part.text).all(data__hx_swap_oob="true") or Page(part.text).all("p", "span")
    ids = {node["id"] for node in swapped if "id" in node.attrs}
    assert {"progress-total", "progress-river", "count-river", "progress-lake", "count-lake"} <= ids
    for name in ids:  # what the part brings is what a fresh page shows
        assert home.one(id=name).text == Page(part.text).one(id=name).text
        assert Page(part.text).one(id=name)["data-hx-swap-oob"] == "true"
    assert home.one(id="counts")["data-hx-get"] == "/fr/water-2026/counts"


def test_the_pages_say_where_they_live_in_each_language(demo: Flask) -> None:
    for path in ("/lb/", f"/lb/{DEMO}/", f"/lb/{DEMO}/cases/joel-paredes/", f"/lb/{DEMO}/stories/"):
        page = visit(browser(demo), path)
        here = f"/lb/{DEMO}/" if path == "/lb/" else path
        assert page.one("link", rel="canonical")["href"] == f"http://localhost{here}"
        others = {node["hreflang"]: node["href"] for node in page.all("link", rel="alternate", hreflang=True)}
        assert others == {code: f"http://localhost{here.replace('/lb/', f'/{code}/')}" for code in LANGUAGES}
        assert page.one("meta", name="description")["content"]


@pytest.mark.parametrize("path", [f"/fr/{DEMO}/{page}" for page in ("sign", "thanks", "code", "rejected")])
def test_pages_that_are_no_reading_matter_stay_out_of_search_engines(demo: Flask, path: str) -> None:
    assert visit(browser(demo), path).one("meta", name="robots")["content"] == "noindex"


def test_words_of_a_campaign_are_text_and_never_markup(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "evil", cases=["river"])
    evil = "<img src=x onerror=go()>\"&'"
    for file in folder.rglob("*.md"):
        text = file.read_text()
        text = text.replace("The river (fr)", evil.replace('"', '\\"')).replace("is dry", f"is dry {evil}")
        write(file, text.replace("Water for all", evil.replace('"', '\\"')))
    import_folder(app, folder)

    assert visit(browser(app), "/fr/").h1 == evil
    page = visit(browser(app), "/fr/water-2026/cases/river/")
    assert page.h1 == evil
    assert page.all("img") == []


# --- which language ---


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", "fr"),
        ("de", "de"),
        ("de-AT,de;q=0.9", "de"),
        ("lb-LU, fr;q=0.5", "lb"),
        ("en;q=0.5, de;q=0.9", "de"),
        ("es, pt;q=0.8, en;q=0.1", "en"),
        ("es", "fr"),
        ("*", "fr"),
        ("zh-Hant-TW", "fr"),
        ("de-", "de"),
        ("';--, \u00ff", "fr"),
    ],
)
def test_the_door_leads_to_the_language_that_the_browser_asks_for(demo: Flask, asked: str, given: str) -> None:
    response = browser(demo).get("/", headers={"Accept-Language": asked})

    assert (response.status_code, response.location) == (302, f"/{given}/")
    assert "Accept-Language" in response.headers["Vary"]


def test_the_door_offers_only_what_the_campaign_speaks(app: Flask, campaign: PublicCampaign) -> None:
    assert browser(app).get("/", headers={"Accept-Language": "de, en;q=0.5"}).location == "/en/"


@pytest.mark.parametrize("path", [path for path in public_paths("fr") if not path.startswith("/embed/")])
def test_the_switcher_leads_to_the_same_page_in_each_language(demo: Flask, path: str) -> None:
    client = browser(demo)
    links = visit(client, path).one("nav", class_="languages").all("a")

    assert [a["hreflang"] for a in links] == [a["lang"] for a in links] == list(LANGUAGES)
    assert [a["href"] for a in links] == [path.replace("/fr/", f"/{code}/", 1) for code in LANGUAGES]
    assert [a["lang"] for a in links if a.get("aria-current") == "true"] == ["fr"]
    assert [a.one("abbr")["title"] for a in links] == ["Français", "English", "Lëtzebuergesch", "Deutsch"]
    for a in links:
        assert visit(client, a["href"]).one("html")["lang"] == a["lang"]


# --- nothing there ---


@pytest.mark.parametrize(
    "path",
    [
        "/xx/",  # no language at all
        "/zzz/",
        "/es/",  # a language, but none of ours
        "/ar/",
        f"/es/{DEMO}/",
        f"/xx/{DEMO}/cases/joel-paredes/",
        f"/xx/{DEMO}/sign",
        "/fr/nope/",
        "/fr/nope/sign",
        "/fr/nope/thanks",
        "/fr/nope/code",
        "/fr/nope/counts",
        "/fr/nope/rejected",
        f"/fr/{DEMO}/nope",
        f"/fr/{DEMO}/cases/nope/",
        f"/fr/{DEMO}/cases/nope/sign",
        f"/fr/{DEMO}/cases/nope/thanks",
        f"/fr/{DEMO}/cases/joel-paredes/nope",
        "/fr/confirm/nope",
        "/xx/confirm/nope",
        "/fr/confirm/%00",
        "/fr/confirm/%ff%fe",
        "/fr/%00/",
        "/fr/%ff/",
        f"/fr/{'x' * 5000}/",
        "/nope",
        "/index.php",
        "/FR/",
        "/demo/mailbox/",
        "/admin/nope",
        "/static/css/site.css",
        "/static/x/../app.py",
        "/static/x/%2e%2e/app.py",
    ],
)
@pytest.mark.parametrize("asked", ["fr", "es, de;q=0.5"])
def test_an_address_that_leads_nowhere_is_404_in_words(demo: Flask, path: str, asked: str) -> None:
    response = browser(demo).get(path, headers={"Accept-Language": asked})
    page = page_of(response, 404)

    assert page.one("html")["lang"] in LANGUAGES, "a page in no language of ours would be a promise"
    assert page.one("a", class_="button")["href"] == "/"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_speaks_the_language_of_the_address(demo: Flask, language: str) -> None:
    response = browser(demo).get(f"/{language}/{DEMO}/cases/nope/", headers={"Accept-Language": "es"})
    assert page_of(response, 404).one("html")["lang"] == language


def test_before_the_first_campaign_every_address_is_404(app: Flask) -> None:
    for path in ("/", "/fr/", "/fr/water-2026/", "/api/v1/campaigns/water-2026/counts.json"):
        assert browser(app).get(path).status_code == 404


def test_a_fault_of_ours_is_500_without_a_word_about_it(
    demo: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of ann@example.org")

    monkeypatch.setattr(public_pages, "render", stumble)
    page = page_of(browser(demo).get("/fr/"), 500)

    assert page.one("html")["lang"] == "fr"
    for words in (page.html, caplog.text):
        assert "secret" not in words
        assert "ann@example.org" not in words
    assert "unexpected error=RuntimeError" in caplog.text


def test_a_method_that_is_not_meant_is_405_and_says_which_are(demo: Flask) -> None:
    response = browser(demo).post("/fr/")
    assert page_of(response, 405).text
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


# --- the campaign's states, by word and by clock ---


def test_a_draft_is_not_there(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "first")
    import_folder(app, write_campaign(tmp_path / "second", slug="secret", state='"draft"'))
    client = browser(app)
    for path in public_paths("fr", "secret", "river")[1:]:
        assert client.get(path).status_code == 404, path
    assert client.get("/api/v1/campaigns/secret/counts.json").status_code == 404
    assert visit(client, "/fr/").title == "Water fr – Water for all"


@pytest.mark.parametrize("state", ["closed", "archived"])
def test_a_campaign_that_is_over_is_read_but_not_signed(app: Flask, tmp_path: Path, state: str, htmx: bool) -> None:
    campaign = make_campaign(app, tmp_path / "campaign")
    with app.app_context():
        confirm(campaign, ANN)
    make_campaign(app, tmp_path / "campaign", state=f'"{state}"')
    client = browser(app, htmx=htmx)

    home = visit(client, "/en/")
    assert "It is over." in home.text
    assert "1 of 100 signatures" in home.text
    for path in public_paths("en", "water-2026", "river"):
        assert not takes_signatures(visit(client, path, follow_redirects=True)), path
    assert "This case no longer accepts signatures." in visit(client, f"{WATER}/cases/river/").text
    for refused in (sign_all(client, ["river"], EVE), sign_one(client, "river", EVE)):
        assert 400 <= refused.status_code < 500
    with app.app_context():
        assert len(rows(Signer)) == 1


def test_the_clock_opens_and_closes_a_campaign(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign", opens_at=BEGIN.isoformat(), closes_at=END.isoformat())
    client = browser(app)

    with stopped_at(BEGIN - A_SECOND):
        home = visit(client, "/en/")
        assert "Signing has not begun yet." in home.text
        assert not takes_signatures(home)
        assert not takes_signatures(visit(client, f"{WATER}/cases/river/"))
        assert 400 <= sign_all(client, ["river"]).status_code < 500
    for open_moment in (BEGIN, END - A_SECOND):
        with stopped_at(open_moment):
            assert takes_signatures(visit(client, "/en/"))
            assert takes_signatures(visit(client, f"{WATER}/cases/river/"))
            assert sign_all(client, ["river"]).status_code == 303
    with stopped_at(END):
        home = visit(client, "/en/")
        assert "It is over." in home.text
        assert not takes_signatures(home)
        assert not takes_signatures(visit(client, f"{WATER}/cases/river/"))
        assert 400 <= sign_all(client, ["river"], EVE).status_code < 500
    with app.app_context():
        assert len(rows(Signer)) == 1


def test_home_is_the_newest_campaign_that_is_open(app: Flask, tmp_path: Path) -> None:
    for slug, begin in (("old", "2025-01-01"), ("new", "2026-01-01"), ("future", "2027-01-01")):
        make_campaign(app, tmp_path / slug, slug=slug, opens_at=f"{begin}T00:00:00+01:00")
    with stopped_at(BEGIN):
        assert visit(browser(app), "/fr/").form("/sign")["action"] == "/fr/new/sign"
        assert visit(browser(app), "/fr/old/").form("/sign")["action"] == "/fr/old/sign"


# --- the case's states ---

SAID = {
    "paused": "Signing for this case is paused for the moment.",
    "won": "Good news: the demand is met. Thank you.",
    "closed": "This case no longer accepts signatures.",
}


@pytest.mark.parametrize("state", SAID)
def test_a_case_that_rests_is_shown_and_not_signed(app: Flask, tmp_path: Path, state: str, htmx: bool) -> None:
    make_campaign(app, tmp_path / "campaign", states={"river": state})
    client = browser(app, htmx=htmx)

    home = visit(client, "/en/")
    stamp = home.one("article", data__case="river")
    assert SAID[state] in stamp.text
    assert f"is-{state}" in stamp["class"].split()
    assert stamp.all("a", class_="button") == []
    assert [box["value"] for box in home.form("/sign").all("input", name="cases")] == ["forest", "lake"]
    page = visit(client, f"{WATER}/cases/river/")
    assert SAID[state] in page.text
    assert not takes_signatures(page)
    assert sign_one(client, "river").status_code == 422
    assert sign_all(client, ["river", "lake"]).status_code == 422
    with app.app_context():
        assert rows(Signer) == []


@pytest.mark.parametrize("state", ["hidden", "draft"])
def test_a_hidden_case_is_gone_everywhere(app: Flask, tmp_path: Path, state: str, htmx: bool) -> None:
    campaign = make_campaign(app, tmp_path / "campaign")
    with app.app_context():
        confirm(campaign, ANN)
    make_campaign(app, tmp_path / "campaign", states={"river": state})
    client = browser(app, htmx=htmx)

    for path in public_paths("en", "water-2026", "lake"):
        page = visit(client, path)
        # the tests' own address names the lake only
        assert "river" not in page.html.lower(), path
    assert "river" not in client.get(f"{WATER}/counts").text
    for path in ("", "sign", "thanks"):
        assert client.get(f"{WATER}/cases/river/{path}").status_code == 404
    numbers = client.get("/api/v1/campaigns/water-2026/counts.json").json
    assert set(numbers["cases"]) == {"forest", "lake"}
    assert numbers["total"]["confirmed"] == 2
    assert sign_one(client, "river", EVE).status_code == 404
    assert sign_all(client, ["river", "lake"], EVE).status_code == 422
    with app.app_context():
        assert len(rows(Signer)) == 1


def test_the_total_is_the_sum_of_what_is_shown(app: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(app, tmp_path / "campaign")
    with app.app_context():
        confirm(campaign, ANN)
    make_campaign(app, tmp_path / "campaign", states={"river": "hidden"})
    client = browser(app)

    shown = client.get("/api/v1/campaigns/water-2026/counts.json").json["total"]["confirmed"]
    for html in (client.get("/en/").text, client.get(f"{WATER}/counts").text):
        assert Page(html).one(id="progress-total").text.startswith(f"{shown} of 1,000 signatures")


def test_a_hidden_case_is_gone_from_the_links_in_mails_too(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    client = browser(app)
    sign_all(client, ["river", "lake"])
    path = link(mails(app)[-1])
    make_campaign(app, tmp_path / "campaign", states={"river": "hidden"})
    assert "river" not in visit(client, path).html.lower()


# --- no key, no form ---


@pytest.fixture
def keyless(app: Flask, campaign: PublicCampaign) -> Flask:
    """The application without a key to seal to."""
    with app.app_context(), transaction() as store:
        store.execute(delete(Recipient))
    return app


def test_without_a_key_to_seal_to_there_is_no_form_and_nothing_is_taken(keyless: Flask, keys: Keys, htmx: bool) -> None:
    client = browser(keyless, htmx=htmx)
    for path in public_paths("en", "water-2026", "river"):
        assert not takes_signatures(visit(client, path)), path
    for refused in (sign_all(client, ["river"]), sign_one(client)):
        assert "Signing is not possible yet." in page_of(refused, 503).text or refused.status_code == 503
    with keyless.app_context():
        assert rows(Signer) == []

    add_section_key(keyless, keys)
    assert takes_signatures(visit(client, "/en/"))
    assert sign_all(client, ["river"]).status_code == 303


def test_the_button_says_one_thing_and_it_is_true(app: Flask, campaign: PublicCampaign) -> None:
    client = browser(app)
    every = visit(client, "/en/").form("/water-2026/sign")
    assert every.one("button").text == "Sign all 3 petitions"
    some = page_of(sign_all(client, ["river"], email=""), 422).form("/water-2026/sign")
    assert some.one("button").text == "Signer les pétitions cochées"


# --- numbers ---


def test_nobody_is_shown_zero(app: Flask, campaign: PublicCampaign) -> None:
    home = visit(browser(app), "/en/")
    assert home.one(id="progress-river").text == "Goal: 100 signatures"
    assert home.one(id="count-river").text == ""
    assert home.all("progress") == [], "no empty bars"
    invited = "Goal: 1,000 signatures Every petition begins with a few signatures. Yours can be one of the first."
    assert home.one(id="progress-total").text == invited
    assert invited.partition(" Every")[2] in browser(app).get(f"{WATER}/counts").text
    with app.app_context():
        confirm(campaign, ANN, "river")
    home = visit(browser(app), "/en/")
    assert home.one(id="progress-river").text == "1 of 100 signatures"
    assert home.one(id="count-river").text == "1"
    assert home.one(id="progress-lake").text == "Goal: 100 signatures"
    assert home.one(id="progress-total").text == "1 of 1,000 signatures"
    assert len(home.all("progress")) == 2


def test_nobody_is_invited_to_what_cannot_be_signed(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "shut", states=dict.fromkeys(("river", "forest", "lake"), "closed"), goal="0")
    home = visit(browser(app), "/en/")
    assert home.one(id="progress-total").text == "No signature published yet"
    assert home.one(id="progress-lake").text == "Goal: 100 signatures"


def test_paper_counts_as_signatures_and_letters_stand_beside_them(app: Flask, campaign: PublicCampaign) -> None:
    today = datetime(2026, 3, 1, tzinfo=UTC).date()
    with app.app_context():
        confirm(campaign, ANN, "river")
        tallies.record_tally(campaign.case("river"), TallyKind.PAPER, 1200, today)
        tallies.record_tally(campaign.case("river"), TallyKind.LETTERS, 7, today)
    page = visit(browser(app), f"{WATER}/cases/river/")
    wanted = "1,201 signatures: the goal of 100 is reached · 1,200 of them on paper · 7 letters"
    assert page.one(id="progress-river").text == wanted
    assert page.one(id="progress-river").one("progress")["value"] == "100"


def test_numbers_are_grouped_as_the_language_does(app: Flask, campaign: PublicCampaign) -> None:
    with app.app_context():
        number = 12_345
        tallies.record_tally(campaign.case("river"), TallyKind.PAPER, number, datetime(2026, 3, 1, tzinfo=UTC).date())
    client = browser(app)
    value = visit(client, "/en/").one(id="count-river")
    assert (value.text, value["aria-hidden"]) == ("12,345", "true"), "the line below says it with its unit"
    assert visit(client, "/fr/").one(id="count-river").text == "12 345"


def test_a_campaign_without_a_goal_counts_all_the_same(app: Flask, tmp_path: Path) -> None:
    campaign = make_campaign(app, tmp_path / "campaign", goal="0")
    with app.app_context():
        confirm(campaign, ANN)
    total = visit(browser(app), "/en/").one(id="progress-total")
    assert total.text == "3 signatures"
    assert total.all("progress") == []


# --- what a campaign may switch on ---


def test_the_date_of_birth_is_asked_only_where_it_is_needed(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign")
    for path in public_paths("en", "water-2026", "river"):
        assert 'name="birth_date"' not in visit(browser(app), path).html
    assert "date of birth" not in visit(browser(app), f"{WATER}/privacy").text
    make_campaign(app, tmp_path / "campaign", asks_birth_date="true")
    for path in ("/en/", f"{WATER}/sign", f"{WATER}/cases/river/", f"{WATER}/cases/river/sign"):
        assert visit(browser(app), path).all("input", name="birth_date"), path
    assert "date of birth" in visit(browser(app), f"{WATER}/privacy").text


def test_the_privacy_page_says_what_the_settings_are(app: Flask, tmp_path: Path) -> None:
    make_campaign(app, tmp_path / "campaign", closes_at=END.isoformat(), timezone='"Europe/Luxembourg"')
    text = visit(browser(app), f"{WATER}/privacy").text
    for words in ("A section, 1, Main Street, privacy@example.org", "14 days", "1 June 2026"):
        assert words in text
    assert "1er juin 2026" in visit(browser(app), "/fr/water-2026/privacy").text
    make_campaign(app, tmp_path / "campaign")
    assert "The end of this campaign is not fixed yet." in visit(browser(app), f"{WATER}/privacy").text


# --- what is not translated yet ---


def test_a_case_without_a_translation_is_shown_in_the_source_language_and_says_so(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "campaign")
    (folder / "cases/river/en.md").unlink()
    import_folder(app, folder)
    client = browser(app)

    stamp = visit(client, "/en/").one("article", data__case="river")
    assert stamp.one("h3").text == "The river (fr)"
    assert stamp.one("h3").language == "fr"
    assert visit(client, "/en/").one("article", data__case="lake").one("h3").language == "en"
    page = visit(client, f"{WATER}/cases/river/")
    assert page.one("h1").language == "fr"
    assert next(node for node in page.all("p") if node.text == "The river is dry.").language == "fr"
    assert page.form("/sign").language == "en", "the form is in the reader's own language"
    assert sign_one(client, "river").status_code == 303


def test_a_draft_translation_is_not_shown(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "campaign")
    file = folder / "cases/river/en.md"
    write(file, file.read_text().replace("+++\n", '+++\nstate = "draft"\n', 1))
    import_folder(app, folder)
    assert visit(browser(app), f"{WATER}/cases/river/").h1 == "The river (fr)"


def test_a_campaign_or_story_without_a_translation_says_so_too(app: Flask, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "campaign")
    (folder / "texts/en.md").unlink()
    (folder / "stories/spring/en.md").unlink()
    import_folder(app, folder)
    client = browser(app)

    home = visit(client, "/en/")
    assert home.one("h1").language == "fr"
    assert next(node for node in home.all("p") if node.text == "Water is a right, in fr.").language == "fr"
    told = next(node for node in visit(client, f"{WATER}/stories/").all("h2") if "spring" in node.text)
    assert told.language == "fr"


# --- the demo mailbox ---


def test_the_demo_mailbox_shows_every_mail_and_exists_only_in_demo_mode(make_demo: MakeDemo) -> None:
    app = make_demo(demo=True)
    client = browser(app)
    assert visit(client, "/demo/mailbox/").all("article") == []
    for language in LANGUAGES:
        data = {"first_name": "Ann", "email": f"ann+{language}@example.org", "cases": ["joel-paredes"]}
        assert client.post(f"/{language}/{DEMO}/sign", data={**data, "last_name": language}).status_code == 303
    assert len(mails(app)) >= 1

    letters = visit(client, "/demo/mailbox/").all("article")
    assert [letter["lang"] for letter in letters] == ["en", "fr"], "two people may share a mailbox, newest first"
    confirm_page = letters[0].all("a")[0]["href"].removeprefix("http://localhost")
    assert visit(client, confirm_page).form(confirm_page), "the first link leads to the button"
    assert browser(make_demo()).get("/demo/mailbox/").status_code == 404
