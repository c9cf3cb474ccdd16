"""Bounces read from a mailbox: only a report about an e-mail of ours, to the address in question, counts."""

import imaplib
import mailbox
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from petitions.mail import mailboxes
from petitions.models import Suppression
from petitions.queries import board
from petitions.queries.catalogue import PublicCampaign
from petitions.sending import send_due
from petitions.services.mailing import bounces, suppression
from petitions.services.operations import machine_checks, site_checks
from petitions.settings import SETTINGS, Settings
from tests.support.factories import Person, rows, sign
from tests.support.imap import ImapServer, imap_server

pytestmark = pytest.mark.usefixtures("context")
LOST = "nobody.there@example.org"


@pytest.fixture
def box(context: Flask, tmp_path: Path) -> mailbox.Maildir:
    """The mailbox of the sender's address, which the settings name."""
    made = mailbox.Maildir(tmp_path / "Maildir", create=True)
    SETTINGS.put(context, replace(SETTINGS.of(context), bounce_mailbox=f"maildir:{tmp_path / 'Maildir'}"))
    return made


@pytest.fixture
def sent(context: Flask, campaign: PublicCampaign, tmp_path: Path) -> str:
    """The Message-ID of the confirmation e-mail that went to LOST."""
    config: Settings = replace(SETTINGS.of(context), mail_url=f"file:{tmp_path / 'sent'}")
    SETTINGS.put(context, config)
    sign(campaign, Person("Nobody", "There", LOST))
    assert send_due() == 1
    return f"<{next((tmp_path / 'sent').glob('*.eml')).stem}@example.org>"


def report(message_id: str, **over: str) -> bytes:
    """A report as mail servers write it (RFC 3464); `over` changes one of its lines."""
    said = {"action": "failed", "status": "5.1.1", "final": LOST, "to": LOST, "type": "delivery-status", **over}
    return f"""From: MAILER-DAEMON@relay.example.net
To: sign@example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type={said["type"]}; boundary="b"

--b
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/{said["type"]}

Reporting-MTA: dns; relay.example.net

Final-Recipient: rfc822; {said["final"]}
Action: {said["action"]}
Status: {said["status"]}
Diagnostic-Code: smtp; 550 no such user

--b
Content-Type: text/rfc822-headers

From: sign@example.org
To: {said["to"]}
Subject: Please confirm
Message-ID: {message_id}

--b--
""".replace("\n", "\r\n").encode()


def put(box: mailbox.Maildir, raw: bytes) -> None:
    """The raw e-mail arrives."""
    box.add(raw)


def test_an_address_that_does_not_exist_gets_no_more_mail_and_the_report_is_deleted(
    box: mailbox.Maildir, sent: str
) -> None:
    put(box, report(sent))
    assert bounces.collect() == 1
    assert suppression.is_suppressed(LOST)
    assert [row.reason for row in rows(Suppression)] == ["bounced"]
    assert len(box) == 0


def test_a_second_report_changes_nothing(box: mailbox.Maildir, sent: str) -> None:
    put(box, report(sent))
    put(box, report(sent))
    assert bounces.collect() == 2
    assert len(rows(Suppression)) == 1


def test_the_address_may_be_another_spelling_than_the_last_server_reports(box: mailbox.Maildir, sent: str) -> None:
    put(box, report(sent, final="somebody.else@forwarded.example.net"))
    bounces.collect()
    assert suppression.is_suppressed(LOST)
    assert not suppression.is_suppressed("somebody.else@forwarded.example.net")


@pytest.mark.parametrize(
    "over",
    [
        {"action": "delayed", "status": "4.4.1"},
        {"action": "delivered", "status": "2.0.0"},
        {"status": "5.2.2"},  # mailbox full
        {"status": "5.7.1"},  # refused as junk
        {"status": "5.3.0"},
    ],
)
def test_what_says_nothing_about_the_address_blocks_nothing(
    box: mailbox.Maildir, sent: str, over: dict[str, str]
) -> None:
    put(box, report(sent, **over))
    assert bounces.collect() == 1, "a report all the same, with an address in it: deleted"
    assert rows(Suppression) == []


@pytest.mark.parametrize("what", ["invented", "of another address", "without its proof", "missing"])
def test_a_forged_report_blocks_nobody(box: mailbox.Maildir, sent: str, what: str) -> None:
    victim = "victim@example.org"
    unique = sent.strip("<>").partition(".")[0]
    said = {
        "invented": f"<{'a' * 32}.{'b' * 32}@example.org>",
        "of another address": sent,  # the attacker's own e-mail, quoted for the victim's address
        "without its proof": f"<{unique}@example.org>",
        "missing": "",
    }
    put(box, report(said[what], final=victim, to=victim))
    assert bounces.collect() == 0
    assert rows(Suppression) == []
    assert [message.get_flags() for message in box] == ["S"], "left for a person, and not read again"
    assert bounces.collect() == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: a question\r\n\r\nHello",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n--b--",
        b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\xff\r\n--b--",
        b"Content-Type: multipart/report; boundary=\xff\r\nTo: \xff\xff@@\r\n\r\n" + b"--\xff\r\n" * 50,
        report("<x.y@example.org>", to="@@,,<<", final="no address"),
        report("<x.y@example.org>", status=""),
        report("<x.y@example.org>", type="feedback-report"),
    ],
)
def test_other_and_broken_mail_is_left_alone(box: mailbox.Maildir, raw: bytes) -> None:
    put(box, raw)
    assert bounces.collect() == 0
    assert rows(Suppression) == []
    assert len(box) == 1


def test_an_enormous_mail_is_not_read(box: mailbox.Maildir, sent: str) -> None:
    put(box, report(sent) + b"x" * mailboxes.LARGEST)
    assert bounces.collect() == 0


def test_a_bounce_is_told_in_numbers(context: Flask, box: mailbox.Maildir, sent: str) -> None:
    put(box, report(sent))
    bounces.collect()
    assert board.outbox().bounced == 1
    notes = site_checks.checked(SETTINGS.of(context))[1]
    assert "Addresses that do not exist, blocked in the last seven days: 1" in notes
    assert LOST not in " ".join(notes)


def test_a_mailbox_that_is_not_there_is_a_fault(context: Flask, tmp_path: Path) -> None:
    config = replace(SETTINGS.of(context), bounce_mailbox=f"maildir:{tmp_path / 'nowhere'}")
    SETTINGS.put(context, config)
    with pytest.raises(mailboxes.MailboxFaulty):
        bounces.collect()
    said = [fault for fault in machine_checks.faults(config) if "PETITIONS_BOUNCE_MAILBOX" in fault]
    assert said == ["The mailbox of bounces cannot be read (FileNotFoundError): see PETITIONS_BOUNCE_MAILBOX"]


def test_without_the_setting_nothing_is_read() -> None:
    assert bounces.collect() == 0


@pytest.fixture
def remote(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImapServer]:
    """The same mailbox over IMAP. Without TLS: nobody on this machine would trust a certificate for the test."""

    def plain(host: str, port: int, *, ssl_context: object, timeout: float) -> imaplib.IMAP4:
        assert ssl_context is not None
        return imaplib.IMAP4(host, port, timeout=timeout)

    monkeypatch.setattr(imaplib, "IMAP4_SSL", plain)
    with imap_server() as server:
        url = f"imaps://sign:p%40ss@127.0.0.1:{server.port}/Bounces"
        SETTINGS.put(context, replace(SETTINGS.of(context), bounce_mailbox=url))
        yield server


def test_imap_reports_are_deleted_and_the_rest_marked_as_read(remote: ImapServer, sent: str) -> None:
    remote.messages = {7: report(sent), 9: b"Subject: a question\r\n\r\nHello"}
    assert bounces.collect() == 1
    assert list(remote.messages) == [9]
    assert remote.flags[9] == r"\Seen"
    assert suppression.is_suppressed(LOST)
    assert 'LOGIN sign "p@ss"' in remote.said
    assert "SELECT Bounces" in remote.said
    assert bounces.collect() == 0


@pytest.mark.parametrize("refused", ['LOGIN sign "p@ss"', "SELECT Bounces"])
def test_imap_that_refuses_is_a_fault_without_a_name(context: Flask, remote: ImapServer, refused: str) -> None:
    remote.refused.add(refused)
    with pytest.raises(mailboxes.MailboxFaulty) as caught:
        bounces.collect()
    assert str(caught.value) == "error"
    assert any("mailbox of bounces" in fault for fault in machine_checks.faults(SETTINGS.of(context)))


def test_the_proof_in_a_message_id_is_the_addresss_own(context: Flask) -> None:
    one, other = (bounces.message_id("a" * 32, address) for address in (LOST, "else@example.org"))
    assert one.partition(".")[0] == other.partition(".")[0]
    assert one != other
    assert bounces.message_id("a" * 32, LOST.upper()) == one
    assert bounces.message_id("b" * 32, LOST).partition(".")[2] != one.partition(".")[2]


def test_seeded_bug_without_the_proof_a_forged_report_blocks_the_victim(
    box: mailbox.Maildir, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounces, "_proof", lambda *_: "b" * 32)
    with pytest.raises(AssertionError):
        test_a_forged_report_blocks_nobody(box, sent, "invented")
