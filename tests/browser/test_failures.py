"""When network, server or proxy fail, the typed text is kept, and the page shows what happened."""

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.visiting import CASES, HOME, expect_thanks, fill, open_card, path_of, send, watch_of
from tests.support.factories import Person
from tests.support.server import Server

LOST = "The connection was lost. What you typed is still here: please send it again."
REFUSED = (
    "We got no proper answer and do not know whether it was recorded. What you typed is still here. "
    "Please send it again: nothing counts twice."
)


@pytest.fixture
def form(page: Page, ann: Person) -> Locator:
    """The form for all, filled in, one box unticked."""
    page.goto("/en/")
    form = page.locator("#sign-all form")
    fill(form, ann)
    form.locator("[name=cases][value=joel-paredes]").uncheck()
    return form


def still_there(page: Page, form: Locator, person: Person, words: str) -> None:
    """The form stands as it was typed, and says why nothing happened."""
    problem = page.locator("#sign-all .problem")
    expect(problem).to_have_text(words)
    expect(problem).to_be_focused()
    expect(problem).to_have_attribute("role", "alert")
    expect(form.locator("[name=first_name]")).to_have_value(person.first_name)
    expect(form.locator("[name=email]")).to_have_value(person.email)
    expect(form.locator("[name=cases]:checked")).to_have_count(CASES - 1)
    expect(form.locator("button[type=submit]")).to_be_enabled()
    assert path_of(page) == "/en/"
    expect(page.locator(".stamp.is-signed")).to_have_count(0)


def test_a_lost_connection_keeps_what_was_typed_and_says_so(
    page: Page, form: Locator, server: Server, ann: Person
) -> None:
    watch_of(page).allowed += ["net::ERR", "Failed to fetch", "htmx"]
    page.route("**/sign", lambda route: route.abort("connectionreset"))
    send(form)
    still_there(page, form, ann, LOST)
    page.unroute("**/sign")
    send(form)
    expect_thanks(page.locator("#sign-all"))
    assert server.mail(ann.email).count("\n- ") == CASES - 1


def test_an_answer_that_was_lost_after_signing_is_no_second_signature(
    page: Page, form: Locator, server: Server, ann: Person
) -> None:
    def swallow(route: Route) -> None:
        route.fetch(max_redirects=0)  # it arrived, but its answer does not
        route.abort("connectionreset")

    watch_of(page).allowed += ["net::ERR", "Failed to fetch", "htmx"]
    page.route("**/sign", swallow)
    send(form)
    still_there(page, form, ann, LOST)
    assert server.mail(ann.email)
    page.unroute("**/sign")
    send(form)
    expect_thanks(page.locator("#sign-all"))
    assert len(server.mails(ann.email)) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, "<!doctype html><title>502</title><h1>Bad gateway</h1>"),
        (500, "<!doctype html><title>500</title><h1>Return to sender</h1>"),
        (413, "<!doctype html><title>413</title><h1>Too large</h1>"),
        (429, "<!doctype html><title>429</title><h1>Too often</h1>"),
        (200, "<!doctype html><title>Free wireless</title><h1>Please accept our terms</h1>"),
        (503, ""),
    ],
)
def test_an_answer_of_another_server_does_not_take_the_forms_place(
    page: Page, form: Locator, ann: Person, status: int, body: str
) -> None:
    watch_of(page).allowed += ["the server responded with a status of 5", "htmx"]
    page.route("**/sign", lambda route: route.fulfill(status=status, body=body, content_type="text/html"))
    send(form)
    still_there(page, form, ann, REFUSED)
    assert "Bad gateway" not in page.content()


def test_a_busy_server_puts_its_own_words_into_the_form(page: Page, form: Locator, ann: Person) -> None:
    def busy(route: Route) -> None:
        answer = route.fetch(post_data=(route.request.post_data or "").replace("example.org", ""))
        assert answer.status == 422
        route.fulfill(response=answer, status=503, headers={**answer.headers, "retry-after": "5"})

    page.route("**/sign", busy)
    send(form)
    expect(page.locator("#sign-all .problem")).to_be_focused()
    expect(form.locator("[name=first_name]")).to_have_value(ann.first_name)


def test_a_card_that_cannot_be_opened_stays_a_link(page: Page) -> None:
    watch_of(page).allowed += ["net::ERR", "Failed to fetch", "htmx"]
    page.goto(HOME)
    page.route("**/cases/**", lambda route: route.abort())
    page.locator("#case-joel-paredes .act a").click()
    page.wait_for_timeout(300)
    expect(page.locator("#case-joel-paredes .act a")).to_be_visible()
    page.unroute("**/cases/**")
    open_card(page, "joel-paredes")


def test_while_a_form_is_on_its_way_its_button_rests(page: Page, form: Locator) -> None:
    held: list[Route] = []
    page.route("**/sign", lambda route: held.append(route))
    send(form)
    expect(form.locator("button[type=submit]")).to_be_disabled()
    held[0].continue_()
    expect_thanks(page.locator("#sign-all"))


def test_a_poll_that_fails_troubles_nobody(page: Page) -> None:
    watch_of(page).allowed += ["net::ERR", "Failed to fetch", "htmx", "status of 5"]
    page.goto(HOME)
    shown = page.locator("#progress-total").inner_text()
    for answer in (lambda route: route.abort(), lambda route: route.fulfill(status=500, body="<h1>no</h1>")):
        page.route("**/counts", answer)
        page.locator("#counts").dispatch_event("refresh")
        page.wait_for_timeout(300)
        page.unroute("**/counts")
        expect(page.locator("#progress-total")).to_have_text(shown)
        expect(page.locator(".problem:visible")).to_have_count(0)
    expect(page.locator("#sign-all form")).to_be_visible()
