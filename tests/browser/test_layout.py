"""Layout on a small phone, at a zoom of 400 %, and in a right-to-left language."""

from collections.abc import Iterable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import (
    CASES,
    DEMO,
    expect_thanks,
    fill,
    is_too_wide,
    log_in,
    long_lines,
    margins,
    open_card,
    send,
)
from tests.support.factories import Person
from tests.support.server import Server
from tests.web.browsing import LANGUAGES, STAFF_PATHS, public_paths

SMALL = {"width": 320, "height": 640}
ZOOMED = {"width": 320, "height": 256}  # a window of 1280 x 1024 at 400 %


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_scrolls_sideways_on_320_pixels(open_page: OpenPage, language: str) -> None:
    page = open_page(viewport=SMALL)
    for path in [*public_paths(language), f"/{language}/{DEMO}/nothing/", "/demo/mailbox/", "/admin/login"]:
        page.goto(path)
        assert is_too_wide(page) == [], path


def test_no_state_scrolls_sideways_on_320_pixels(open_page: OpenPage, server: Server, ann: Person) -> None:
    page = open_page("/de/", viewport=SMALL)
    form = open_card(page, "wetsuweten-land-defenders")
    assert is_too_wide(page) == []
    send(form)
    expect(page.locator("#sign-wetsuweten-land-defenders .problem")).to_be_focused()
    assert is_too_wide(page) == []
    fill(form, ann)
    send(form)
    expect_thanks(page.locator("#sign-wetsuweten-land-defenders"))
    expect(page.locator("[data-rest]")).to_be_visible()
    assert is_too_wide(page) == []
    page.goto(server.link(ann.email))
    assert is_too_wide(page) == []
    send(page.locator("form").first)
    expect(page.locator("form.rest")).to_be_visible()
    assert is_too_wide(page) == []
    page.locator("main a[href*='/mine/']").click()
    assert is_too_wide(page) == []
    page.goto("/demo/mailbox/")
    assert is_too_wide(page) == []


def test_long_words_do_not_burst_the_page(open_page: OpenPage) -> None:
    page = open_page(f"/fr/{DEMO}/sign", viewport=SMALL)
    for name in ("first_name", "last_name", "email"):
        page.locator(f"[name={name}]").fill("W" * 2000)
    send(page.locator("#sign-all form"))
    expect(page.locator(".problem")).to_be_focused()
    assert is_too_wide(page) == []


def test_the_staff_pages_scroll_in_boxes_of_their_own(open_page: OpenPage) -> None:
    page = open_page(viewport=SMALL, locale="de-DE")
    log_in(page)
    expect(page.locator("#board table")).to_be_visible()
    for path in STAFF_PATHS:
        page.goto(path)
        assert is_too_wide(page) == [], path
        lines = page.locator(".tasks a").evaluate_all("links => links.map(each => each.getBoundingClientRect().top)")
        assert 1 <= len(set(lines)) <= 2, (path, "the tasks take at most two lines")
    page.goto("/admin/invalidations")
    box, name = page.locator(".ticks input").first.bounding_box(), page.locator(".ticks bdi").first.bounding_box()
    assert box
    assert name
    assert box["x"] + box["width"] < name["x"], "no box covers its words"
    page.locator(".ticks .tick").first.evaluate("box => box.parentElement.className = 'field'")
    assert page.locator(".field > .tick").evaluate("box => getComputedStyle(box).display") == "flex"


def test_at_400_percent_all_nine_can_be_signed(open_page: OpenPage, server: Server, ann: Person) -> None:
    page = open_page("/fr/", viewport=ZOOMED)
    page.locator(".footbar a").click()
    form = page.locator("#sign-all form")
    expect(page.locator("#sign-all-title")).to_be_in_viewport()
    fill(form, ann)
    send(form)
    expect_thanks(page.locator("#sign-all"))
    expect(page.locator("#sign-all h2")).to_be_in_viewport()
    assert server.mail(ann.email).count("\n- ") == CASES


def test_a_campaign_from_the_right_is_mirrored_and_can_be_signed(
    open_page: OpenPage, rtl_server: Server, ann: Person
) -> None:
    page = open_page("/ar/", at=rtl_server)
    brand, languages = page.locator(".brand").bounding_box(), page.locator(".languages").bounding_box()
    assert brand
    assert languages
    assert brand["x"] > languages["x"], "the brand stands at the right"
    form = page.locator("#sign-all form")
    fill(form, ann)
    form.locator("[name=birth_date]").fill("27/3/1985")
    assert page.locator("#all-email").evaluate("(field) => getComputedStyle(field).direction") == "ltr"
    send(form)
    expect_thanks(page.locator("#sign-all"))
    assert "/ar/confirm/" in rtl_server.link(ann.email)
    page.goto(rtl_server.link(ann.email))
    send(page.locator("form").first)
    expect(page.locator(".is-posted .names li")).to_have_count(2)


@pytest.mark.parametrize("size", [SMALL, ZOOMED, {"width": 768, "height": 900}, {"width": 1280, "height": 900}])
def test_a_campaign_from_the_right_never_scrolls_sideways(
    open_page: OpenPage, rtl_server: Server, size: dict[str, int]
) -> None:
    page: Page = open_page(at=rtl_server, viewport=size)
    for path in public_paths("ar", "water-2026", "river"):
        page.goto(path)
        assert is_too_wide(page) == [], path


def test_content_stands_in_the_middle_of_wide_windows_in_short_lines(open_page: OpenPage, rtl_server: Server) -> None:
    def look_at(page: Page, paths: Iterable[str]) -> None:
        for path in paths:
            page.goto(path)
            for width in (1280, 1600):
                page.set_viewport_size({"width": width, "height": 900})
                for part, (start, end) in margins(page).items():
                    assert start >= 32, (path, width, part, start)
                    assert abs(start - end) <= 1, (path, width, part, start, end)
            assert long_lines(page, 75) == [], path

    page = open_page(locale="de-DE")
    look_at(page, [*public_paths("de"), "/de/nothing/", "/demo/mailbox/", "/admin/login"])
    log_in(page)
    look_at(page, STAFF_PATHS)
    look_at(open_page(at=rtl_server), public_paths("ar", "water-2026", "river"))
    page.locator("main").evaluate("main => main.style.padding = '0 20px 0 0'")
    assert margins(page)["main"] == [0, 20]
    page.locator("main p").first.evaluate("p => { p.style.maxInlineSize = 'none'; p.textContent = 'a '.repeat(60); }")
    assert long_lines(page, 75)
