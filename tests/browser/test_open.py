"""Decrypting an export in the officer's browser, on the page and offline in the saved file."""

import csv
import io
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.models import Signer
from petitions.queries.catalogue import CATALOGUE_CACHE, catalogue
from petitions.queries.recipient_keys import check_of
from petitions.services.keys import recipient_keys
from petitions.services.signing import confirming
from petitions.services.signing.signing import sign_cases
from petitions.services.staff import accounts
from tests.support.factories import (
    CARLA,
    Keys,
    Person,
    close_app,
    copy_instance,
    make_app,
    make_campaign,
    make_entry,
    newest,
    token_of,
)
from tests.support.ports import free_port

pytestmark = pytest.mark.browser
WORDS = "correct horse battery"
PEOPLE = [
    Person("Sinéad", "O’Connor", "sinead@example.org"),
    Person("", "Şebnem Korur Fincancı", "sebnem@example.org"),
    Person("李", "", "li@example.org"),
    Person("می\u200cخواهم", "منال العتيبي", "manahel@example.org"),
    Person("-Ann", "Lee", "+formula@example.org"),
    Person("Joel, “el Niño”", "D'Ávila", "joel@example.org"),
]
SECONDS = 60_000  # milliseconds: the passphrase is slow on purpose


@dataclass(frozen=True)
class Office:
    """A server with signers, and what lies on the officer's machine."""

    app: Flask
    url: str
    folder: Path
    key: Path


@pytest.fixture(scope="module")
def office(sqlite_templates: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Office]:
    """Six signers, one of them corrected, sealed to a key behind a passphrase; all over plain HTTP on this machine."""
    folder = tmp_path_factory.mktemp("office")
    shutil.copy(sqlite_templates / "bare.db", folder / "petitions.db")
    copy_instance(sqlite_templates / "bare", folder)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = make_app(f"sqlite:///{folder / 'petitions.db'}", folder, keys, base_url=url)
    public, text = sealing.new_key_file("officer", WORDS)
    (folder / "key.age").write_text(text)
    with app.app_context():
        recipient_keys.add_recipient("officer", public, CATALOGUE_CACHE.of(app))
        accounts.create_account(CARLA.name, CARLA.password)
    campaign = make_campaign(app, folder / "campaign")
    with app.app_context():
        for person in PEOPLE:
            sign_cases(make_entry(campaign, person, "river", newsletter=True))
            confirming.confirm_signer(token_of(newest(Signer).id))
        with transaction() as store:  # no form takes such a name, but a list must not run it
            whose = sealing.bound_to(campaign.slug, newest(Signer).link_id)
            names = {"first_name": "=1+1", "last_name": "＝李"}
            last = sealing.seal({**names, **whose}, catalogue().public_keys)
            store.execute(Signer.__table__.update().where(Signer.id == newest(Signer).id).values(sealed_name=last))
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Office(app, url, folder, folder / "key.age")
    server.shutdown()
    thread.join()
    server.server_close()
    close_app(app)


@pytest.fixture
def console() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def officer(chromium: Browser, office: Office, console: list[str]) -> Iterator[Page]:
    """The officer's browser, signed in; nothing may go to another host, and nothing may be complained of."""
    context = chromium.new_context(base_url=office.url, locale="en", accept_downloads=True)
    page = watched(context, console)
    page.goto("/admin/login")
    page.get_by_label("Name").fill(CARLA.name)
    page.get_by_label("Password").fill(CARLA.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    yield page
    context.close()
    assert console == []


def watched(context: BrowserContext, console: list[str]) -> Page:
    """A new page whose complaints land in `console`."""
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    # Chromium's advice to put a password field into a form is not taken: without JavaScript, it would be sent
    page.on("console", lambda each: console.append(each.text) if "not contained in a form" not in each.text else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    return page


def saved(page: Page, click: str, folder: Path) -> Path:
    """The file that a click brings."""
    with page.expect_download() as download:
        page.locator(click).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def handed_over(page: Page, folder: Path) -> Path:
    """The sealed rows, downloaded as staff do."""
    page.goto("/admin/export")
    page.get_by_label("Your password, once more").fill(CARLA.password)
    path = saved(page, "main button", folder)
    assert path.name.startswith("water-2026-")
    assert "Connor" not in path.read_text()
    return path


def open_list(page: Page, rows: Path, key: Path, passphrase: str, name: str = "signature") -> None:
    """Choose everything and press the button."""
    page.locator("#open-rows").set_input_files(rows)
    page.locator("#open-key").set_input_files(key)
    page.locator("#open-passphrase").fill(passphrase)
    page.locator("#open-list").select_option(name)
    page.locator("#open-go").click()


def read(path: Path) -> list[dict[str, str]]:
    """The CSV as a spreadsheet reads it."""
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


EXPECTED = sorted(
    [*((person.first_name, person.last_name) for person in PEOPLE[:-2]), ("'-Ann", "Lee"), ("'=1+1", "'＝李")]
)


def names_in(path: Path) -> list[tuple[str, str]]:
    """First and last names of an opened list, sorted: its own order says nothing."""
    return sorted((row["first_name"], row["last_name"]) for row in read(path))


def test_the_page_gives_every_name_byte_exact_and_the_same_list_as_the_command(
    officer: Page, office: Office, tmp_path: Path
) -> None:
    rows = handed_over(officer, tmp_path)
    sent: list[str] = []
    officer.goto("/admin/open")
    # A browser takes the icon whenever it likes; its address says nothing.
    icon = office.url + (officer.locator("link[rel=icon]").get_attribute("href") or "")
    officer.on("request", lambda request: sent.append(request.url))
    open_list(officer, rows, office.key, WORDS)
    expect(officer.locator("#open-said")).to_have_text("Done: the list has 6 rows.", timeout=SECONDS)
    path = saved(officer, "#open-save", tmp_path)
    assert path.name == rows.name.replace(".jsonl", ".signature.csv")
    assert names_in(path) == EXPECTED
    plain = tmp_path / "plain"  # from here on without the passphrase, which is slow on purpose
    plain.write_text("\n".join(sealing.identities_in(office.key.read_bytes(), lambda: WORDS)))
    for name, words in {"signer": ["--rows", "signer"], "newsletter": ["--for", "newsletter"], "signature": []}.items():
        open_list(officer, rows, plain, "", name)
        expect(officer.locator("#open-save")).to_be_visible(timeout=SECONDS)
        shown = saved(officer, "#open-save", tmp_path)
        told = tmp_path / f"told-{name}.csv"
        command = ["signatures", "open", str(rows), "--identity", str(plain), "-o", str(told), *words]
        result = office.app.test_cli_runner().invoke(args=command)
        assert result.exit_code == 0, result.output
        assert shown.read_bytes() == told.read_bytes()
    assert [url for url in sent if not url.startswith("blob:") and url != icon] == [], "nothing leaves the machine"


def test_a_wrong_passphrase_a_wrong_key_and_a_damaged_file_are_distinguished(
    officer: Page, office: Office, tmp_path: Path
) -> None:
    rows = handed_over(officer, tmp_path)
    said = officer.locator("#open-said")
    officer.goto("/admin/open")
    officer.locator("#open-go").click()
    expect(said).to_have_text("Choose the exported file and your key file first.")
    open_list(officer, rows, office.key, "wrong")
    expect(said).to_contain_text("contains no private key, or the passphrase", timeout=SECONDS)
    (tmp_path / "stranger").write_text(sealing.new_identity()[0])
    open_list(officer, rows, tmp_path / "stranger", "")
    expect(said).to_contain_text("Line 1 cannot be decrypted with this key")
    lines = rows.read_text().splitlines()
    (tmp_path / "cut.jsonl").write_text("\n".join([lines[0], lines[1][:900]]))
    (tmp_path / "plain").write_text("\n".join(sealing.identities_in(office.key.read_bytes(), lambda: WORDS)))
    open_list(officer, tmp_path / "cut.jsonl", tmp_path / "plain", "")
    expect(said).to_contain_text("Line 2 cannot be decrypted with this key")
    expect(officer.locator("#open-save")).to_be_hidden()


def test_the_saved_page_works_from_a_file_without_a_network(
    officer: Page, office: Office, chromium: Browser, tmp_path: Path
) -> None:
    rows = handed_over(officer, tmp_path)
    officer.goto("/admin/open")
    page = saved(officer, "main a[href$='/open/download']", tmp_path)
    complaints: list[str] = []
    context = chromium.new_context(accept_downloads=True, offline=True)
    alone = watched(context, complaints)
    alone.goto(page.as_uri())
    open_list(alone, rows, office.key, WORDS)
    expect(alone.locator("#open-said")).to_have_text("Done: the list has 6 rows.", timeout=SECONDS)
    assert names_in(saved(alone, "#open-save", tmp_path)) == EXPECTED
    assert complaints == []
    tried = "then(() => document.title = 'leaked', () => document.title = 'kept')"
    alone.evaluate(f"fetch('{office.url}/healthz').{tried}")
    expect(alone).to_have_title("kept")
    assert any("Content Security Policy" in complaint for complaint in complaints), "its own policy forbids it"
    context.close()


def test_a_key_is_proven_in_the_browser_and_only_words_are_sent(officer: Page, office: Office, unproven: None) -> None:
    public, text = sealing.new_key_file("deputy", "")
    (office.folder / "deputy.txt").write_text(text)
    with office.app.app_context():
        recipient_keys.add_recipient("deputy", public, CATALOGUE_CACHE.of(office.app))
        assert check_of().checked_at is None
    posted: list[str] = []
    officer.on("request", lambda request: posted.append(request.post_data or ""))
    officer.goto("/admin/keys")
    officer.locator("#open-key").set_input_files(office.folder / "deputy.txt")
    officer.locator("#open-go").click()
    expect(officer.locator("#open-said")).to_contain_text("The test message is decrypted")
    officer.get_by_label("Your password, once more").fill(CARLA.password)
    officer.get_by_role("button", name="Send the words").click()
    expect(officer.get_by_text("All keys were tested on")).to_be_visible()
    assert "AGE-SECRET" not in "".join(posted)
    with office.app.app_context():
        assert check_of().checked_at is not None


@pytest.mark.parametrize("path", ["/admin/open", "/admin/export", "/admin/keys"])
def test_the_pages_fit_a_phone(officer: Page, path: str) -> None:
    officer.set_viewport_size({"width": 320, "height": 640})
    officer.goto(path)
    assert officer.evaluate("document.documentElement.scrollWidth") <= 320
