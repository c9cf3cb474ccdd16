"""Actions of a visitor: open pages, fill in forms, press buttons, read e-mails."""

from collections.abc import Iterable
from contextlib import suppress
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from petitions import sending
from petitions.domain.roles import Role
from petitions.errors import AccountExists
from petitions.services.staff import accounts
from petitions.settings import SETTINGS, Settings
from tests.support.factories import ANN, BASE_URL, CARLA, Person
from tests.web.page import Node, Page

DEMO = "write-for-rights-2024"
LANGUAGES = ("fr", "en", "lb", "de")
ELSEWHERE = "198.51.100.7"  # not this machine, which is not limited
OUR_OWN = {"HTTP_SEC_FETCH_SITE": "same-origin"}  # what a browser says about a form of our own page


def browser(app: Flask, *, htmx: bool = False) -> FlaskClient:
    """A browser on our own pages."""
    client = app.test_client()
    client.environ_base.update(OUR_OWN, HTTP_ACCEPT_LANGUAGE="fr", REMOTE_ADDR=ELSEWHERE)
    if htmx:
        client.environ_base["HTTP_HX_REQUEST"] = "true"
    return client


def logged_in(app: Flask, name: str, role: Role = Role.OWNER, **over: str) -> FlaskClient:
    """A browser of that member of staff, who reads English; makes the account if there is none."""
    client = browser(app)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    with app.app_context(), suppress(AccountExists):
        accounts.create_account(name, CARLA.password, role=role)
    typed_in = {"name": name, "password": CARLA.password, "code": over.pop("code", "")}
    assert client.post("/admin/login", data=typed_in, **over).status_code == 303
    return client


def visit(client: FlaskClient, path: str, *, status: int = 200, **kw: Any) -> Page:
    """The page at `path`, once it keeps all HTML rules."""
    return page_of(client.get(path, **kw), status)


def page_of(response: TestResponse, status: int = 200) -> Page:
    """The answer as a page that keeps all HTML rules."""
    assert response.status_code == status, (response.status_code, response.text[:300])
    assert response.content_type == "text/html; charset=utf-8"
    return Page(response.text).checked()


def headers_of(answer: TestResponse) -> list[tuple[str, str]]:
    """All headers, except the request's random number."""
    return sorted((name, value) for name, value in answer.headers)


def typed(person: Person = ANN, cases: Iterable[str] | None = None, **over: Any) -> dict[str, Any]:
    """What `person` types into the form; None takes a field away."""
    fields = {"first_name": person.first_name, "last_name": person.last_name, "email": person.email}
    fields |= {"cases": list(cases)} if cases is not None else {}
    return {name: value for name, value in {**fields, **over}.items() if value is not None}


def sign_all(client: FlaskClient, cases: Iterable[str], person: Person = ANN, **over: Any) -> TestResponse:
    """Send the form for several cases of the small campaign."""
    return client.post("/fr/water-2026/sign", data=typed(person, cases, **over))


def sign_one(client: FlaskClient, case: str = "river", person: Person = ANN, **over: Any) -> TestResponse:
    """Send the form of one case of the small campaign."""
    return client.post(f"/fr/water-2026/cases/{case}/sign", data=typed(person, **over))


def press(client: FlaskClient, form: Node, **typed_in: Any) -> TestResponse:
    """Send the form as it stands on the page, with some fields typed into."""
    return client.post(form["action"], data={**form.fields(), **typed_in})


def mails(app: Flask) -> list[EmailMessage]:
    """Every mail that the application sent, oldest first; what waits is sent now."""
    with app.app_context():
        while sending.send_due():
            pass
    config: Settings = SETTINGS.of(app)
    files = sorted(Path(config.mail_url.removeprefix("file:")).glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [BytesParser(policy=policy.default).parsebytes(path.read_bytes()) for path in files]  # type: ignore[misc]


def body(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link(mail: EmailMessage) -> str:
    """The path of the first link in a mail: what the mail is about."""
    [first, *_] = [word for word in body(mail).split() if "://" in word]
    assert first.startswith(BASE_URL)
    return urlsplit(first).path


def code(mail: EmailMessage) -> str:
    """The six digits in a mail."""
    words = body(mail).split()
    [place] = [n for n, word in enumerate(words) if len(word) == 3 and word.isdigit() and words[n + 1][:3].isdigit()]
    return f"{words[place]} {words[place + 1]}"


# Every page behind the login that needs no row to point at; test_pages.py looks that none is forgotten
STAFF_PATHS = tuple(
    f"/admin/{room}"
    for room in (
        "",
        "sources",
        "mails",
        "export",
        "open",
        "help",
        "keys",
        "retention",
        "campaign",
        "campaigns",
        "cases",
        "cases/new",
        "texts",
        "texts/en/texts",
        "collectors",
        "kit-orders",
        "paper",
        "invalidations",
        "embedding",
        "staff",
        "account",
        "account/second-factor",
        "journal",
        "health",
    )
)


def own_links(mail: EmailMessage) -> list[str]:
    """The paths of the links in a mail, each once: confirming, the code page, and no more mails."""
    return list(dict.fromkeys(urlsplit(word).path for word in body(mail).split() if word.startswith(BASE_URL)))


def public_paths(language: str, campaign: str = DEMO, case: str = "joel-paredes") -> list[str]:
    """The address of each page that a visitor may open without a link from a mail."""
    here = f"/{language}/{campaign}"
    return [
        f"/{language}/",
        *(f"{here}/", f"{here}/stories/", f"{here}/privacy", f"{here}/sign", f"{here}/thanks", f"{here}/code"),
        f"{here}/kit/",
        f"{here}/figures/",
        f"{here}/donate/" if campaign == DEMO else f"{here}/",
        f"{here}/events/" if campaign == DEMO else f"{here}/",
        f"{here}/stories/mahadine/" if campaign == DEMO else f"{here}/stories/",
        *(
            f"{here}/mine",
            f"{here}/mine/sent",
            f"{here}/collectors/",
            f"{here}/collectors/sent",
            f"{here}/kit/ordered",
            f"{here}/for/BCDFG",
        ),
        *(
            f"{here}/cases/{case}/",
            f"{here}/cases/{case}/sign",
            f"{here}/cases/{case}/letter/",
            *(f"{here}/cases/{case}/letter/posted", f"{here}/cases/{case}/letter/thanks"),
            f"{here}/cases/{case}/thanks",
            f"{here}/rejected",
        ),
        f"{here}/erased",
        *(f"/embed{here}/", f"/embed{here}/{case}/", f"/embed{here}/thanks", f"/embed{here}/{case}/thanks"),
    ]
