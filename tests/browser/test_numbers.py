"""The counts on an open page: live, without jumps, and not fetched while the page is hidden."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import DEMO, HOME, hidden_tab, log_in, number, refresh_until, send, watch_of
from tests.support.factories import Person
from tests.support.server import Server

POLL = 20_000  # milliseconds


def polls(page: Page) -> int:
    """How often the page has asked for the numbers."""
    return len([url for url in watch_of(page).requests if url.endswith("/counts")])


def test_what_another_person_confirms_moves_the_number_here(
    page: Page, open_page: OpenPage, server: Server, ann: Person
) -> None:
    page.goto(HOME)
    before = {slug: number(page.locator(f"#count-{slug}")) for slug in ("oqba-hashad", "neth-nahara")}
    total = page.locator("#progress-total span").inner_text()
    server.post(f"/fr/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["oqba-hashad"])
    other = open_page(server.link(ann.email))
    send(other.locator("form").first)
    expect(other.locator(".is-posted")).to_be_visible()

    refresh_until(page, page.locator("#count-oqba-hashad"), str(before["oqba-hashad"] + 1))
    assert number(page.locator("#count-neth-nahara")) == before["neth-nahara"]
    expect(page.locator("#progress-total span")).not_to_have_text(total)
    expect(page.locator("#counts")).to_be_attached()


def test_the_page_asks_every_twenty_seconds_and_not_while_nobody_looks(page: Page) -> None:
    page.clock.install()
    page.goto(HOME)
    page.clock.run_for(POLL - 1000)
    assert polls(page) == 0
    with page.expect_response("**/counts"):
        page.clock.run_for(2000)
    with page.expect_response("**/counts"):
        page.clock.run_for(POLL)
    with hidden_tab(page):
        page.clock.run_for(10 * POLL)
        page.wait_for_timeout(200)
        assert polls(page) == 2
    with page.expect_response("**/counts"):
        page.clock.run_for(POLL)


def test_a_refresh_leaves_an_open_form_alone(page: Page, ann: Person) -> None:
    page.goto(HOME)
    page.locator("#case-joel-paredes .act a").click()
    field = page.locator("#sign-joel-paredes [name=first_name]")
    field.fill(ann.first_name)
    with page.expect_response("**/counts"):
        page.locator("#counts").dispatch_event("refresh")
    page.wait_for_timeout(200)
    expect(field).to_have_value(ann.first_name)
    expect(field).to_be_focused()


def test_the_first_view_asks_for_little_and_only_from_us(open_page: OpenPage, server: Server) -> None:
    for viewport in ({"width": 412, "height": 915}, {"width": 1280, "height": 900}):
        page = open_page(HOME, viewport=viewport)
        page.wait_for_load_state("load")
        page.locator("footer").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        asked = watch_of(page).requests
        assert len(asked) <= 12, asked
        assert len(set(asked)) == len(asked), "nothing is fetched twice"
        assert all(url.startswith(server.url) for url in asked)


BOARD_POLL = 4_100  # milliseconds


def test_the_board_moves_without_a_reload(page: Page, server: Server, ann: Person) -> None:
    page.clock.install()
    log_in(page)
    page.evaluate("document.body.dataset.same = 'page'")
    cells = page.locator("#board tbody tr", has_text="Joel Paredes").locator("td")

    def shown() -> list[int]:
        """Confirmed, waiting and confirmed today, after the next refresh."""
        with page.expect_response("**/admin/board"):
            page.clock.run_for(BOARD_POLL)
        expect(page.locator("#board")).to_be_attached()
        page.wait_for_timeout(100)
        return [number(cells.nth(place)) for place in (0, 1, 3)]

    confirmed, waiting, today = shown()
    server.post(f"/fr/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["joel-paredes"])
    assert shown() == [confirmed, waiting + 1, today]
    server.post(server.link(ann.email).removeprefix(server.url))
    assert shown() == [confirmed + 1, waiting, today + 1]
    assert page.evaluate("document.body.dataset.same") == "page"


def test_a_board_whose_session_has_ended_says_so_and_rests(page: Page) -> None:
    page.clock.install()
    log_in(page)
    tab = page.context.new_page()
    tab.goto("/admin/")
    send(tab.locator("header form"))
    expect(tab.locator("[name=password]")).to_be_visible()
    page.clock.run_for(BOARD_POLL)
    told = page.locator("#board[role=alert]")
    expect(told).to_be_visible()
    expect(page.locator("table")).to_have_count(0)
    asked = len(watch_of(page).requests)
    page.clock.run_for(10 * BOARD_POLL)
    page.wait_for_timeout(200)
    assert len(watch_of(page).requests) == asked
    told.get_by_role("link").click()
    expect(page.locator("[name=password]")).to_be_visible()
