"""axe finds no violation on any page, in any language and state, in light and dark mode."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import DEMO, expect_thanks, faults, fill, log_in, open_card, send
from tests.support.effort import effort
from tests.support.factories import Person
from tests.support.server import Server
from tests.web.browsing import LANGUAGES, STAFF_PATHS, public_paths

SMALL = {"width": 360, "height": 740}


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.goto("/fr/")
    page.evaluate(
        """() => {
          document.querySelector("h1").style.color = "#eee3d0";
          document.querySelector("#all-email").removeAttribute("id");
        }"""
    )
    found = "\n".join(faults(page))
    assert "color-contrast" in found
    assert "label" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_for_everybody(page: Page, language: str) -> None:
    """Each page in two of the four languages: its labels and structure come from one template."""
    paths = [*public_paths(language), f"/{language}/{DEMO}/nothing/"]
    part, parts = LANGUAGES.index(language), effort(2, 1)
    for path in (path for number, path in enumerate(paths) if number % parts == part % parts):
        page.goto(path)
        assert faults(page) == [], path


def test_a_page_from_the_right_is_for_everybody(open_page: OpenPage, rtl_server: Server, ann: Person) -> None:
    page = open_page(at=rtl_server)
    for path in public_paths("ar", "water-2026", "river"):
        page.goto(path)
        assert faults(page) == [], path
    page.goto("/ar/")
    form = open_card(page, "river")
    send(form)
    expect(page.locator("#sign-river .problem")).to_be_focused()
    assert faults(page) == []
    fill(form, ann)
    form.locator("[name=birth_date]").fill("27/3/1985")
    send(form)
    expect_thanks(page.locator("#sign-river"))
    assert faults(page) == []


@pytest.mark.parametrize("viewport", [SMALL, {"width": 1280, "height": 900}], ids=["small", "wide"])
def test_every_state_of_home_is_for_everybody(open_page: OpenPage, ann: Person, viewport: dict[str, int]) -> None:
    page = open_page("/fr/", viewport=viewport)
    form = open_card(page, "joel-paredes")
    assert faults(page) == [], "an opened card"
    send(form)
    expect(page.locator("#sign-joel-paredes .problem")).to_be_focused()
    send(page.locator("#sign-all form"))
    expect(page.locator("#sign-all .problem")).to_be_focused()
    assert faults(page) == [], "two forms with mistakes"
    fill(form, ann)
    send(form)
    expect_thanks(page.locator("#sign-joel-paredes"))
    expect(page.locator("[data-rest]")).to_be_visible()
    assert faults(page) == [], "thanks, and the offer of the rest"
    send(page.locator("[data-rest]"))
    expect(page.locator("[data-rest]")).to_have_count(0)
    assert faults(page) == [], "all signed"


def test_what_lies_behind_a_link_is_for_everybody(page: Page, server: Server, ann: Person) -> None:
    server.post(f"/fr/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["joel-paredes"])
    page.goto(server.link(ann.email))
    assert faults(page) == []
    send(page.locator("form").first)
    expect(page.locator("form.rest")).to_be_visible()
    assert faults(page) == []
    page.goto(f"/fr/{DEMO}/code")
    send(page.locator("main form"))
    expect(page.locator(".problem")).to_be_focused()
    assert faults(page) == []
    page.goto("/demo/mailbox/")
    assert faults(page) == []


def test_the_signers_own_page_is_for_everybody(page: Page, server: Server, ann: Person) -> None:
    server.post(f"/lb/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["joel-paredes"])
    stop = next(word for word in server.mail(ann.email).split() if "/stop/" in word)
    page.goto(server.link(ann.email))
    send(page.locator("form").first)
    page.locator("main a[href*='/mine/']").click()
    assert faults(page) == []
    send(page.locator("form[action$='/name']"))
    expect(page.locator(".problem")).to_be_focused()
    assert faults(page) == []
    page.goto(stop)
    assert faults(page) == []
    send(page.locator("main form"))
    assert faults(page) == []


def test_the_door_for_staff_is_for_everybody(page: Page) -> None:
    page.goto("/admin/login")
    assert faults(page) == []
    send(page.locator("main form"))
    expect(page.locator(".problem")).to_be_focused()
    assert faults(page) == []


@pytest.mark.parametrize("viewport", [SMALL, {"width": 1280, "height": 900}], ids=["small", "wide"])
def test_the_staff_pages_are_for_everybody(open_page: OpenPage, viewport: dict[str, int]) -> None:
    page = open_page(locale="de-DE", viewport=viewport)
    log_in(page)
    for path in STAFF_PATHS:
        page.goto(path)
        assert faults(page) == [], path
