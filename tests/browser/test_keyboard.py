"""Keyboard only: Tab, Space and Enter are enough, and the focus is always visible."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visiting import CASES, HOME, covers_focus, expect_thanks, path_of
from tests.support.factories import Person
from tests.support.server import Server

FOCUSED = "document.activeElement.matches({!r})"
SHOWN = """() => {
  const focused = document.activeElement, around = focused.closest("label.tick") ?? focused;
  return [focused, around].some((element) => getComputedStyle(element).outlineStyle !== "none");
}"""


def tab_to(page: Page, selector: str, most: int = 90) -> None:
    """Press Tab until an element that `selector` means has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED.format(selector)):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_all_but_one_are_signed_by_keyboard(page: Page, server: Server, ann: Person) -> None:
    page.goto(HOME)
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    tab_to(page, "#sign-all [name=cases][value=joel-paredes]")
    page.keyboard.press("Space")
    for name, value in (("first_name", ann.first_name), ("last_name", ann.last_name), ("email", ann.email)):
        tab_to(page, f"#sign-all [name={name}]", 20)
        page.keyboard.type(value)
    page.keyboard.press("Enter")

    expect_thanks(page.locator("#sign-all"))
    assert path_of(page) == HOME
    assert server.mail(ann.email).count("\n- ") == CASES - 1


def test_a_card_is_opened_signed_and_the_others_added_by_keyboard(page: Page, server: Server, ann: Person) -> None:
    page.goto(HOME)
    tab_to(page, "#case-joel-paredes .act a")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-joel-paredes [name=first_name]")).to_be_focused()
    page.keyboard.type(ann.first_name)
    tab_to(page, "#sign-joel-paredes [name=email]", 5)
    page.keyboard.type(ann.email)
    tab_to(page, "#sign-joel-paredes button", 5)
    page.keyboard.press("Space")
    expect_thanks(page.locator("#sign-joel-paredes"))
    tab_to(page, "#sign-joel-paredes [data-rest] button", CASES + 5)
    page.keyboard.press("Enter")
    expect_thanks(page.locator("#sign-joel-paredes"))
    assert server.mail(ann.email, 2).count("\n- ") == CASES


@pytest.mark.parametrize("size", [(1280, 900), (320, 256)], ids=["desktop", "400 % zoom"])
def test_one_always_sees_where_one_is(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(HOME)
    seen = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        assert covers_focus(page) == "", page.evaluate("document.activeElement.outerHTML")
        shown = page.evaluate(SHOWN)
        assert shown, page.evaluate("document.activeElement.outerHTML")
        seen.add(page.evaluate("document.activeElement.outerHTML"))
    assert len(seen) > 40
