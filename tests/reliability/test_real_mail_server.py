"""A real mail server from Debian receives the demo campaign's e-mails in each language, compared byte by byte.

Only in the long set (`make test-long`, which installs the server): otherwise there are no tests here, none is skipped.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now
from petitions.models import Message, Signer
from petitions.sending import send_due
from petitions.settings import SETTINGS
from tests.support.crowds import database_of
from tests.support.effort import IS_LONG, note
from tests.support.exim import Exim, exim
from tests.support.factories import BASE_URL, Person, load_campaign, newest, rows, sign, token_of

DEMO = Path(__file__).resolve().parents[2] / "petitions" / "demo"
PEOPLE = {
    "fr": Person("Zoé", "O’Connor", "fr@example.org"),
    "lb": Person("مريم", "العبدالله", "lb@example.org"),
    "de": Person("Jörg", "Großmann", "de@example.org"),
    "en": Person("Ann", "Ἀλέξανδρος", "en@example.org"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Exim]:
    """A real mail server. Its folder lies where its own user may go."""
    with tempfile.TemporaryDirectory(prefix="petitions-mail-") as folder:
        Path(folder).chmod(0o711)
        with exim(Path(folder)) as running:
            yield running


def check_arrived(raw: bytes, person: Person, locale: str, token: str) -> EmailMessage:
    """The mail is well-formed, decodes to what was meant, and its links are whole."""
    head, _, _body = raw.partition(b"\n\n")
    assert head.isascii(), "no header has eight bits"
    assert all(len(line) <= 998 for line in raw.split(b"\n")), "no line is longer than mail allows"
    mail: EmailMessage = BytesParser(policy=policy.default).parsebytes(raw)  # type: ignore[assignment]
    assert not mail.defects
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"):
        assert len(mail.get_all(name, [])) == 1, name
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{32}\.[0-9a-f]{32}@example\.org>", mail["Message-ID"])
    assert abs((parsedate_to_datetime(mail["Date"]) - now()).total_seconds()) < 3600
    assert (mail["From"].addresses[0].addr_spec, mail["To"]) == ("petitions@example.org", person.email)
    assert mail["Content-Language"] == locale
    link = f"{BASE_URL}/{locale}/confirm/{token}"
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        text = str(part.get_content())
        assert person.first_name not in text, "an e-mail names nobody: whoever reads this mailbox learns less"
        assert person.last_name not in text
        assert "�" not in text
        assert link in (text.split() if kind == "plain" else re.findall(r'href="([^"]+)"', text))
    return mail


def _arrives(app: Flask, server: Exim, locale: str, subject: str = "") -> EmailMessage:
    """Sign the demo campaign; returns the e-mail that arrives in the mailbox."""
    settings = SETTINGS.of(app)
    SETTINGS.put(app, replace(settings, mail_url=server.url))
    [folder] = [path.parent for path in DEMO.rglob("campaign.toml")]
    person = PEOPLE[locale]
    person = replace(person, email=f"{database_of(app)}-{locale}-{len(subject)}@example.org")
    campaign = load_campaign(app, folder)
    with app.app_context():
        sign(campaign, person, locale=locale)
        assert send_due() == 1
        [row] = rows(Message)
        assert (row.kind, row.failure) == ("reminder", None), "it was taken"
        raw, token = server.mail(person.email), token_of(newest(Signer).id)
    for wrong in (raw.replace(b"auto-generated", b"no"), raw.replace(b"\nSubject:", "\nSubject: é".encode(), 1)):
        with pytest.raises(AssertionError):
            check_arrived(wrong, person, locale, token)
    with pytest.raises(AssertionError):
        check_arrived(raw, person, locale, token[:-1])
    return check_arrived(raw, person, locale, token)


def a_mail_arrives_as_it_was_meant(app: Flask, server: Exim, locale: str) -> None:
    """In each language, with names in several scripts."""
    mail = _arrives(app, server, locale)
    assert re.search(r"\d", mail["Subject"]), "the number of signatures"
    note("R8", database_of(app), f"a mail in {locale} through a real Exim into a Maildir", "arrives as it was meant")


def a_long_subject_arrives_whole(app: Flask, server: Exim, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is folded on the way, and whole again."""
    subject = "Öffnen Sie bitte diese Seite und bestätigen Sie – مريم " * 6
    honest = app.jinja_env.get_template

    def long_subject(name: str, *given: object, **more: object) -> object:
        return app.jinja_env.from_string(subject) if name.endswith("subject.txt") else honest(name, *given, **more)

    monkeypatch.setattr(app.jinja_env, "get_or_select_template", long_subject)
    assert _arrives(app, server, "de", subject)["Subject"] == " ".join(subject.split())


if IS_LONG:
    test_a_mail_arrives_as_it_was_meant = pytest.mark.parametrize("locale", PEOPLE)(a_mail_arrives_as_it_was_meant)
    test_a_long_subject_arrives_whole = a_long_subject_arrives_whole
