"""Writing a letter in the browser: risky words are highlighted, and only the letter is printed."""

import re
import sqlite3
from contextlib import closing

from playwright.sync_api import expect

from tests.attacks.outsider import until
from tests.browser.conftest import OpenPage
from tests.browser.visiting import DEMO
from tests.support.server import Server


def test_what_to_avoid_is_marked_and_paper_shows_only_the_letter(open_page: OpenPage) -> None:
    page = open_page(f"/en/{DEMO}/cases/neth-nahara/letter/")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    text, found = page.get_by_label("Text of the letter"), page.locator("[data-found]")
    expect(found).to_be_empty()
    name = page.get_by_label("Your name")
    line = name.evaluate("field => getComputedStyle(field).border")
    expect(text).to_have_css("border", line)  # the letter looks like the other fields
    expect(page.get_by_role("rowheader").first).to_have_css("text-align", "start")
    text.fill("I send MONEY. Moneyed people and religions are many.")
    expect(found).to_contain_text("religion, money")
    text.fill("Please set her free.")
    expect(found).to_be_empty()
    name.fill("Ann Example")
    assert [url for url in sent if "/static/" not in url] == [], "nothing typed leaves the browser"

    page.emulate_media(media="print")
    expect(page.locator(".sheet")).to_contain_text("Please set her free.")
    expect(page.locator(".sheet")).to_contain_text("Ann Example")
    for hidden in ("header.masthead", "h1", "textarea", "footer"):
        expect(page.locator(hidden).first).to_be_hidden()


def test_the_letter_in_the_addressees_language_can_be_changed_too(open_page: OpenPage) -> None:
    page = open_page(f"/en/{DEMO}/cases/joel-paredes/letter/")
    text = page.get_by_label("Text of the letter")
    text.fill("My own words.")
    page.get_by_text("in another language").click()
    page.get_by_role("button", name="Write in this language").click()
    expect(text).to_have_attribute("lang", "es")
    expect(text).to_have_value(re.compile("Joel Paredes"))
    page.keyboard.press("ControlOrMeta+z")
    expect(text).to_have_value("My own words.")


def test_chromium_tells_which_donation_link_was_followed(open_page: OpenPage, server: Server) -> None:
    def counted() -> list[tuple[str, int]]:
        with closing(sqlite3.connect(server.folder / "petitions.db")) as database:
            return database.execute("SELECT subject, number FROM action_counts WHERE kind = 'donation'").fetchall()

    page = open_page(f"/en/{DEMO}/privacy")
    page.get_by_role("contentinfo").get_by_role("link", name="Donate").click()
    page.wait_for_url("**/donate/")
    assert until(counted) == [("footer", 1)]
