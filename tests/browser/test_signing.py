"""Signing in a real browser: one case inline, all cases, confirmation, and updated counts."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import (
    CASES,
    DEMO,
    HOME,
    expect_thanks,
    fill,
    number,
    open_card,
    path_of,
    refresh_until,
    send,
    twins,
    watch_of,
)
from tests.support.factories import Person
from tests.support.server import Server


def test_one_case_is_signed_in_its_card_without_leaving_the_page(
    page: Page, open_page: OpenPage, server: Server, ann: Person
) -> None:
    page.goto(HOME)
    before = number(page.locator("#count-joel-paredes"))
    title = page.title()
    page.evaluate("document.body.dataset.same = 'page'")
    form = open_card(page, "joel-paredes")
    fill(form, ann)
    send(form)

    expect_thanks(page.locator("#sign-joel-paredes"))
    assert path_of(page) == HOME
    assert page.title() == title
    assert page.evaluate("document.body.dataset.same") == "page", "the page was never loaded again"
    expect(page.locator("#case-joel-paredes")).to_have_class(re.compile(r"\bis-signed\b"))

    mailbox = open_page("/demo/mailbox/")
    server.mail(ann.email)
    mailbox.reload()
    mailbox.locator("article", has_text=ann.email).locator("a").first.click()
    send(mailbox.locator("form").first)
    expect(mailbox.locator(".names li")).to_have_count(1)
    refresh_until(page, page.locator("#count-joel-paredes"), str(before + 1))
    assert path_of(page) == HOME
    expect(page.locator("#sign-joel-paredes")).to_be_visible()


def test_the_others_are_added_with_one_click_and_no_retyping(page: Page, server: Server, ann: Person) -> None:
    page.goto(HOME)
    form = open_card(page, "neth-nahara")
    fill(form, ann)
    send(form)
    expect_thanks(page.locator("#sign-neth-nahara"))
    assert "Neth Nahara" in server.mail(ann.email)

    rest = page.locator("#sign-neth-nahara form[data-rest]")
    expect(rest.locator("[name=cases]:checked")).to_have_count(CASES - 1)
    assert rest.locator("input:visible:not([type=checkbox])").count() == 0, "nothing to type"
    send(rest)

    expect_thanks(page.locator("#sign-neth-nahara"))
    expect(page.locator(".stamp.is-signed")).to_have_count(CASES)
    expect(page.locator("#sign-neth-nahara form")).to_have_count(0)
    assert path_of(page) == HOME
    assert twins(page) == []
    second = server.mail(ann.email, 2)
    assert second.count("\n- ") == CASES, "one link confirms all nine"


def test_a_second_card_knows_what_was_typed_and_the_first_is_not_asked_again(
    page: Page, server: Server, ann: Person
) -> None:
    page.goto(HOME)
    form = open_card(page, "joel-paredes")
    fill(form, ann)
    form.locator("[name=newsletter]").check()
    send(form)
    expect_thanks(page.locator("#sign-joel-paredes"))

    second = open_card(page, "oqba-hashad")
    expect(second.locator("[name=email]")).to_have_value(ann.email)
    expect(second.locator("[name=first_name]")).to_have_value(ann.first_name)
    expect(second.locator("[name=newsletter]")).to_be_checked()
    expect(page.locator("#sign-all [name=email]")).to_have_value(ann.email)
    send(second)
    expect_thanks(page.locator("#sign-oqba-hashad"))
    expect(page.locator("#sign-oqba-hashad [data-rest] [name=cases]")).to_have_count(CASES - 2)
    assert twins(page) == []

    page.reload()
    expect(page.locator("#sign-all [name=email]")).to_have_value("")
    assert ann.email not in page.content(), "the memory is the page's own"


def test_all_nine_are_signed_with_one_form(page: Page, server: Server, ann: Person) -> None:
    page.goto(HOME)
    form = page.locator("#sign-all form")
    expect(form.locator("[name=cases]:checked")).to_have_count(CASES)
    expect(form.locator("[name=newsletter]")).not_to_be_checked()
    fill(form, ann)
    send(form)

    expect_thanks(page.locator("#sign-all"))
    assert path_of(page) == HOME
    expect(page.locator(".stamp.is-signed")).to_have_count(CASES)
    assert server.mail(ann.email).count("\n- ") == CASES


def test_the_button_says_all_only_while_all_are_ticked(page: Page, server: Server, ann: Person) -> None:
    page.goto("/en/")
    form = page.locator("#sign-all form")
    of_all = form.get_by_role("button", name="Sign all 9 petitions", exact=True)
    of_some = form.get_by_role("button", name="Sign the ticked petitions", exact=True)
    expect(of_all).to_be_visible()
    form.locator("[name=cases][value=joel-paredes]").uncheck()
    expect(of_some).to_be_visible()
    form.locator("[name=cases][value=joel-paredes]").check()
    expect(of_all).to_be_visible()
    form.locator("[name=cases][value=joel-paredes]").uncheck()
    fill(form, ann)
    send(form)
    expect_thanks(page.locator("#sign-all"))
    expect(page.locator(".stamp.is-signed")).to_have_count(CASES - 1)
    assert "Joel Paredes" not in server.mail(ann.email)


def test_a_mistake_moves_the_focus_to_what_is_wrong_and_keeps_the_rest(page: Page, server: Server, ann: Person) -> None:
    page.goto(HOME)
    form = page.locator("#sign-all form")
    form.locator("[name=first_name]").fill("李")
    form.locator("[name=email]").fill("no address")
    form.locator("[name=cases][value=neth-nahara]").uncheck()
    send(form)

    summary = page.locator("#sign-all .problem")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(1)
    expect(form.locator("[name=first_name]")).to_have_value("李")
    expect(form.locator("[name=email]")).to_have_value("no address")
    expect(form.locator("[name=email]")).to_have_attribute("aria-invalid", "true")
    expect(form.locator("[name=cases]:checked")).to_have_count(CASES - 1)
    expect(form.locator("[name=cases][value=neth-nahara]")).not_to_be_checked()
    expect(form.locator("[data-some]")).to_have_text("Signer les pétitions cochées")
    assert path_of(page) == HOME
    summary.get_by_role("link").click()
    expect(form.locator("[name=email]")).to_be_focused()

    form.locator("[name=email]").fill(ann.email)
    send(form)
    expect_thanks(page.locator("#sign-all"))
    assert "李" not in server.mail(ann.email), "no name in a mail that may reach a stranger"


def test_a_mistake_in_a_card_stays_in_the_card(page: Page) -> None:
    page.goto(HOME)
    form = open_card(page, "dang-dinh-bach")
    send(form)
    expect(page.locator("#sign-dang-dinh-bach .problem")).to_be_focused()
    expect(page.locator("#sign-dang-dinh-bach .problem a")).to_have_count(2)
    assert twins(page) == []
    expect(page.locator("#sign-all .problem")).to_be_hidden()


def test_the_case_page_signs_inline_too(page: Page, server: Server, ann: Person) -> None:
    page.goto(f"/de/{DEMO}/cases/sebnem-korur-fincanci/")
    form = page.locator("#sign-sebnem-korur-fincanci form")
    fill(form, ann)
    send(form)
    expect_thanks(page.locator("#sign-sebnem-korur-fincanci"))
    assert path_of(page) == f"/de/{DEMO}/cases/sebnem-korur-fincanci/"
    assert "/de/confirm/" in server.link(ann.email)
    rest = page.locator("#sign-sebnem-korur-fincanci form[data-rest]")
    expect(rest.locator("[name=cases]")).to_have_count(CASES - 1)
    send(rest)
    expect_thanks(page.locator("#sign-sebnem-korur-fincanci"))
    assert server.mail(ann.email, 2).count("\n- ") == CASES


def test_a_double_click_is_one_signature(page: Page, server: Server, ann: Person) -> None:
    page.goto(HOME)
    form = open_card(page, "joel-paredes")
    fill(form, ann)
    form.locator("button[type=submit]").dblclick(no_wait_after=True)
    expect_thanks(page.locator("#sign-joel-paredes"))
    assert len([url for url in watch_of(page).requests if url.endswith("/sign")]) == 1
    assert "1." not in server.mail(ann.email)
    assert len(server.mails(ann.email)) == 1


def test_the_link_confirms_and_offers_the_rest_at_once(page: Page, server: Server, ann: Person) -> None:
    server.post(f"/fr/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["joel-paredes", "neth-nahara"])
    page.goto(server.link(ann.email))
    expect(page.locator(".names li")).to_have_count(2)
    send(page.locator("form").first)
    expect(page.locator(".is-posted .names li")).to_have_count(2)
    expect(page.locator("form.rest [name=cases]:checked")).to_have_count(CASES - 2)
    page.locator("form.rest [name=cases][value=oqba-hashad]").uncheck()
    send(page.locator("form.rest"))
    expect(page.locator(".is-posted .names li")).to_have_count(CASES - 1)
    page.reload()
    page.go_back()
    expect(page.locator(".is-posted .names li")).to_have_count(CASES - 1)
    assert len(server.mails(ann.email)) == 1


def test_it_was_not_me_is_one_click_too(page: Page, server: Server, ann: Person) -> None:
    server.post(f"/en/{DEMO}/sign", first_name="Eve", email=ann.email, cases=["joel-paredes"])
    link = server.link(ann.email)
    page.goto(link)
    page.get_by_role("button", name="It was not me").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Withdrawn")
    assert link.rpartition("/")[2] not in page.url
    page.goto(link)
    expect(page.locator(".returned .code")).to_have_text("404")


def test_the_code_is_enough_where_no_link_can_be_opened(page: Page, server: Server, ann: Person) -> None:
    server.post(f"/en/{DEMO}/sign", first_name="Ann", email=ann.email, cases=["joel-paredes"])
    [digits] = re.findall(r"\b\d{3} \d{3}\b", server.mail(ann.email))
    page.goto("/en/")
    page.locator("footer").get_by_role("link", name="Enter a code from our e-mail").click()
    page.locator("[name=email]").fill(ann.email.upper())
    page.locator("[name=code]").fill("000 000" if digits != "000 000" else "000 001")
    page.get_by_role("button", name="Confirm my signatures").click()
    expect(page.locator(".problem")).to_be_focused()
    expect(page.locator("[name=email]")).to_have_value(ann.email.upper())
    page.locator("[name=code]").fill(digits)
    page.get_by_role("button", name="Confirm my signatures").click()
    expect(page.locator(".is-posted .names li")).to_have_text(["Joel Paredes"])


def test_another_language_is_one_click_away(page: Page) -> None:
    page.goto("/")
    assert path_of(page) == HOME, "the browser asks for French"
    page.get_by_role("link", name="LB").click()
    assert path_of(page) == "/lb/"
    assert page.locator("html").get_attribute("lang") == "lb"
