"""Signing without JavaScript: plain forms do everything."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import CASES, DEMO, HOME, fill, path_of, send
from tests.support.factories import Person
from tests.support.server import Server


@pytest.fixture
def plain(open_page: OpenPage) -> Page:
    """A browser that runs no scripts."""
    return open_page(HOME, java_script_enabled=False)


def test_one_case_is_signed_by_its_page_and_the_rest_after_confirming(plain: Page, server: Server, ann: Person) -> None:
    plain.locator("#case-joel-paredes .act a").click()
    assert plain.url.endswith(f"/fr/{DEMO}/cases/joel-paredes/#sign-joel-paredes")
    form = plain.locator("#sign-joel-paredes form")
    fill(form, ann)
    send(form)
    assert path_of(plain) == f"/fr/{DEMO}/cases/joel-paredes/thanks"
    expect(plain.locator("[data-rest]")).to_be_hidden()
    expect(plain.locator("[data-no-memory] a")).to_have_attribute("href", f"{HOME}#sign-all")

    plain.goto(server.link(ann.email))
    send(plain.locator("form").first)
    expect(plain.locator(".is-posted .names li")).to_have_count(1)
    expect(plain.locator("form.rest [name=cases]:checked")).to_have_count(CASES - 1)
    send(plain.locator("form.rest"))
    expect(plain.locator(".is-posted .names li")).to_have_count(CASES)
    expect(plain.locator("form.rest")).to_have_count(0)


def test_all_nine_are_signed_by_one_form(plain: Page, server: Server, ann: Person) -> None:
    form = plain.locator("#sign-all form")
    expect(form.locator("[name=cases]:checked")).to_have_count(CASES)
    fill(form, ann)
    send(form)
    assert path_of(plain) == f"/fr/{DEMO}/thanks"
    assert server.mail(ann.email).count("\n- ") == CASES
    plain.reload()
    plain.go_back()
    expect(form.locator("[name=email]")).to_have_value(ann.email), "the browser's own memory"
    send(form)
    assert path_of(plain) == f"/fr/{DEMO}/thanks"
    assert len(server.mails(ann.email)) == 1


def test_a_mistake_comes_back_with_everything_that_was_typed(plain: Page, ann: Person) -> None:
    form = plain.locator("#sign-all form")
    fill(form, ann)
    form.locator("[name=email]").fill("nowhere")
    form.locator("[name=cases][value=joel-paredes]").uncheck()
    send(form)
    assert path_of(plain) == f"/fr/{DEMO}/sign"
    expect(plain.locator(".problem")).to_be_focused()
    expect(plain.locator("[name=last_name]")).to_have_value(ann.last_name)
    expect(plain.locator("[name=cases]:checked")).to_have_count(CASES - 1)
    plain.locator("[name=email]").fill(ann.email)
    send(plain.locator("#sign-all form"))
    assert path_of(plain) == f"/fr/{DEMO}/thanks"


def test_code_and_not_me_work_by_plain_forms(plain: Page, server: Server, ann: Person) -> None:
    server.post(f"/fr/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["joel-paredes"])
    plain.goto(f"/fr/{DEMO}/code")
    fill_code = plain.locator("main form")
    fill_code.locator("[name=email]").fill(ann.email)
    fill_code.locator("[name=code]").fill("12")
    send(fill_code)
    expect(plain.locator(".problem")).to_be_focused()
    plain.goto(server.link(ann.email))
    send(plain.locator("form").nth(1))
    assert path_of(plain) == f"/fr/{DEMO}/rejected"
