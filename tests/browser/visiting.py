"""Actions of a visitor on a page, and checks of what must not appear."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from tests.support.factories import CARLA, Person

DEMO = "write-for-rights-2024"
HOME = "/fr/"
CASES = 9
# Chromium itself writes a line for each answer that is no success; refused forms are 422 on purpose.
EXPECTED = ("the server responded with a status of 4", "the server responded with a status of 503")

RUN = "(options) => axe.run(document, options).then((results) => results.violations)"
EVERYTHING = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}


@dataclass
class Watch:
    """What happened on a page."""

    page: Page
    own: str
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def end(self) -> None:
        """Look what is left in the browser."""
        is_staff = any("/admin/" in url for url in self.requests)
        self.kept = [] if is_staff else [cookie["name"] for cookie in self.page.context.cookies()]
        if self.page.url.startswith("http") and not self.page.is_closed():
            self.kept += self.page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))")

    def check(self) -> None:
        """Nothing from elsewhere, nothing in the console, nothing kept."""
        foreign = [url for url in self.requests if not url.startswith((f"{self.own}/", "data:", "blob:"))]
        assert foreign == []
        assert [words for words in self.said if not any(part in words for part in (*EXPECTED, *self.allowed))] == []
        assert self.kept == [], "a visitor's browser keeps nothing of us"


def watched(page: Page, own: str) -> Watch:
    """Watch `page` from now on; `own` is the host that it may talk to."""
    watch = Watch(page, own)

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watch.said.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        watch.requests.append(request.url)

    page.on("console", heard)
    page.on("pageerror", lambda exc: watch.said.append(f"exception: {exc}"))
    page.on("request", asked)
    page.context.watch = watch  # type: ignore[attr-defined]
    return watch


def watch_of(page: Page) -> Watch:
    """What was seen on `page` so far."""
    watch: Watch = page.context.watch  # type: ignore[attr-defined]
    return watch


def fill(form: Locator, person: Person) -> None:
    """Type name and address."""
    form.locator("[name=first_name]").fill(person.first_name)
    form.locator("[name=last_name]").fill(person.last_name)
    form.locator("[name=email]").fill(person.email)


def send(form: Locator) -> None:
    """Press the form's button."""
    form.locator("button[type=submit]").click()


def open_card(page: Page, case: str) -> Locator:
    """Press "Sign" on a card; gives its form."""
    page.locator(f"#case-{case} .act a").click()
    form = page.locator(f"#sign-{case} form")
    expect(form).to_be_visible()
    return form


def expect_thanks(part: Locator) -> None:
    """The part says thank you, and that is where the reader is."""
    heading = part.locator("h2[autofocus]")
    expect(heading).to_be_visible()
    expect(heading).to_be_focused()


def refresh_until(page: Page, locator: Locator, text: str) -> None:
    """Ask for the numbers, as the page does by itself every 20 seconds, until they say `text`."""
    for _ in range(12):
        page.locator("#counts").dispatch_event("refresh")
        try:
            expect(locator).to_have_text(text, timeout=700)
            return
        except AssertionError:
            continue
    expect(locator).to_have_text(text, timeout=100)


def number(locator: Locator) -> int:
    """The number that is shown, 0 where none is."""
    digits = "".join(char for char in locator.inner_text() if char.isdecimal())
    return int(digits or 0)


def faults(page: Page) -> list[str]:
    """What axe finds wrong for people with disabilities, in light and in dark.

    Its source goes in as the debugger's, past our policy. In the dark only colours differ, so only they are looked at.
    """
    page.evaluate(Axe().axe_script)
    page.emulate_media(color_scheme="light")
    found = page.evaluate(RUN, EVERYTHING)
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(RUN, COLOURS)
    page.emulate_media(color_scheme="light")
    return [f"{each['id']}: {node['target']} {node['html'][:160]}" for each in found for node in each["nodes"]]


def log_in(page: Page) -> None:
    """Carla signs in."""
    page.goto("/admin/login")
    page.locator("[name=name]").fill(CARLA.name)
    page.locator("[name=password]").fill(CARLA.password)
    page.locator("main button[type=submit]").click()
    expect(page.locator("#board, main h1").first).to_be_visible()


TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const sticksOut = (box) => box.right > width + 1 || box.left < -1;
  return [...document.querySelectorAll("body *")]
    .filter((element) => sticksOut(element.getBoundingClientRect()))
    .map((element) => `${element.tagName}.${element.className} ${element.textContent.slice(0, 40)}`).slice(0, 5);
}"""
MARGINS = """() => Object.fromEntries(
  [...document.querySelectorAll(".masthead, .notice, main, .foot")].map((part) => {
    const box = part.getBoundingClientRect(), style = getComputedStyle(part);
    const end = document.documentElement.clientWidth - box.right + parseFloat(style.paddingRight);
    return [part.className || part.tagName.toLowerCase(), [box.left + parseFloat(style.paddingLeft), end]];
  }))"""
LINES = """(most) => {
  const found = [];
  for (const block of document.querySelectorAll("main :is(p, li, label)")) {
    const lines = new Map(), walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (const word of node.data.matchAll(/\\S+\\s?/g)) {
        const range = new Range();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].trimEnd().length);
        const box = range.getBoundingClientRect(), line = Math.round(box.bottom / 8);
        if (box.width) lines.set(line, (lines.get(line) || "") + word[0]);
      }
    }
    found.push(...[...lines.values()].filter((line) => line.trim().length > most));
  }
  return found.slice(0, 5);
}"""
COVERED = """() => {
  const focused = document.activeElement, box = focused.getBoundingClientRect();
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return seen && (focused.contains(seen) || seen.contains(focused)) ? "" : `${seen?.tagName}.${seen?.className}`;
}"""
TWINS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""


def is_too_wide(page: Page) -> list[str]:
    """What sticks out, if the page scrolls sideways."""
    found: list[str] = page.evaluate(TOO_WIDE)
    return found


def margins(page: Page) -> dict[str, list[float]]:
    """How far what each part of the page holds stands from the window's left and right edge, in pixels."""
    found: dict[str, list[float]] = page.evaluate(MARGINS)
    return found


def long_lines(page: Page, most: int) -> list[str]:
    """Lines of text with more than `most` characters."""
    found: list[str] = page.evaluate(LINES, most)
    return found


def covers_focus(page: Page) -> str:
    """What lies over the element that has the focus; nothing if one can see it."""
    found: str = page.evaluate(COVERED)
    return found


def twins(page: Page) -> list[str]:
    """Ids that stand there twice, after all that was swapped."""
    found: list[str] = page.evaluate(TWINS)
    return found


@contextmanager
def hidden_tab(page: Page) -> Iterator[None]:
    """Nobody looks at the page."""
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    yield
    page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true })")


def path_of(page: Page) -> str:
    """Where the browser's bar says we are."""
    return urlsplit(page.url).path
