"""E-mail transports: delivered, temporary failure, permanent failure."""

import stat
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from petitions.mail.transports import Delayed, Undeliverable, connected
from tests.support.ports import free_port
from tests.support.smtp import MailServer, mail_server


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A friendly mail server."""
    with mail_server() as running:
        yield running


# Our own server asks for a password without TLS, and warns of itself.
insecure = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


def letter(to: str = "ann@example.org", number: int = 1) -> EmailMessage:
    """A small mail."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "petitions@example.org"
    message["To"] = to
    message["Subject"] = "Merci, Şebnem"
    message["Message-ID"] = f"<mail{number}@example.org>"
    message.set_content("Bonjour O’Connor\n")
    return message


def test_a_mail_arrives_as_it_was_written(server: MailServer) -> None:
    with connected(server.url) as transport:
        transport.send(letter())
    assert server.mails[0].mail_from == "petitions@example.org"
    assert server.recipients == ["ann@example.org"]
    assert server.message()["Subject"] == "Merci, Şebnem"
    assert server.message().get_content() == "Bonjour O’Connor\r\n"


@pytest.mark.parametrize("answer", ["450 mailbox busy", "421 closing", "452 full"])
def test_a_temporary_no_to_the_recipient_is_a_delay(server: MailServer, answer: str) -> None:
    server.refused["ann@example.org"] = answer
    with connected(server.url) as transport, pytest.raises(Delayed) as refused:
        transport.send(letter())
    assert str(refused.value) == f"smtp_{answer[:3]}"


@pytest.mark.parametrize("answer", ["550 no such mailbox", "553 bad name", "571 blocked"])
def test_a_final_no_to_the_recipient_is_final(server: MailServer, answer: str) -> None:
    server.refused["ann@example.org"] = answer
    with connected(server.url) as transport, pytest.raises(Undeliverable) as refused:
        transport.send(letter())
    assert str(refused.value) == f"smtp_{answer[:3]}"
    assert server.mails == []


@pytest.mark.parametrize(("answer", "kind"), [("451 later", Delayed), ("554 spam", Undeliverable)])
def test_a_no_to_the_mail_itself_is_sorted_too(server: MailServer, answer: str, kind: type[Exception]) -> None:
    server.after_data = answer
    with connected(server.url) as transport, pytest.raises(kind, match=f"smtp_{answer[:3]}"):
        transport.send(letter())


def test_one_refused_mail_does_not_spoil_the_connection_for_the_next(server: MailServer) -> None:
    server.refused["bob@example.org"] = "550 no"
    with connected(server.url) as transport:
        transport.send(letter("ann@example.org"))
        with pytest.raises(Undeliverable):
            transport.send(letter("bob@example.org"))
        transport.send(letter("carla@example.org"))
    assert server.recipients == ["ann@example.org", "carla@example.org"]


def test_what_a_failure_says_never_names_the_address(server: MailServer) -> None:
    server.refused["ann@example.org"] = "550 <ann@example.org>: unknown"
    with connected(server.url) as transport, pytest.raises(Undeliverable) as refused:
        transport.send(letter())
    assert "ann" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_server_that_hangs_up_is_a_delay(server: MailServer) -> None:
    server.hangs_up = True
    with connected(server.url) as transport, pytest.raises(Delayed):
        transport.send(letter())


def test_a_server_that_is_not_there_is_a_delay() -> None:
    with pytest.raises(Delayed) as refused, connected(f"smtp://127.0.0.1:{free_port()}"):
        raise AssertionError("there was nobody")
    assert str(refused.value) == "ConnectionRefusedError"


def test_a_plain_server_behind_smtps_is_a_delay(server: MailServer) -> None:
    with pytest.raises(Delayed), connected(f"smtps://127.0.0.1:{server.port}"):
        raise AssertionError("that was not encrypted")


def test_a_server_elsewhere_that_offers_no_tls_gets_nothing() -> None:
    with mail_server() as server:
        for login in ("", "u:p@"):  # 127.1 is this machine, under a name that the program does not know it by
            url = f"smtp://{login}127.1:{server.port}"
            with pytest.raises(Delayed, match="ServerOffersNoTls"), connected(url):
                raise AssertionError("that was not encrypted")
    assert server.mails == []


@insecure
def test_name_and_password_are_taken_from_the_address_and_unquoted() -> None:
    with mail_server(asks_login=True) as server:
        server_login = f"smtp://peti%3Ationer:p%40ss%2Fword@127.0.0.1:{server.port}"
        with connected(server_login) as transport:
            transport.send(letter())
    assert server.logins == [(b"peti:tioner", b"p@ss/word")]
    assert server.recipients == ["ann@example.org"]


@insecure
def test_a_wrong_password_is_a_delay_and_is_not_logged() -> None:
    with mail_server(asks_login=True) as server, pytest.raises(Delayed) as refused:  # noqa: SIM117 - the server ends last
        with connected(f"smtp://eve:guess@127.0.0.1:{server.port}"):
            raise AssertionError("nobody may get in")
    assert str(refused.value) == "SMTPAuthenticationError"


def test_an_address_in_another_script_goes_to_a_server_that_can(server: MailServer) -> None:
    with connected(server.url) as transport:
        transport.send(letter("用户@例子.example.org"))
    assert server.recipients == ["用户@例子.example.org"]


def test_an_address_in_another_script_is_undeliverable_by_a_server_that_cannot() -> None:
    with (
        mail_server(enable_SMTPUTF8=False) as server,
        connected(server.url) as transport,
        pytest.raises(Undeliverable, match="smtputf8_not_supported"),
    ):
        transport.send(letter("用户@example.org"))


def test_a_foreign_host_can_be_reached_through_any_server() -> None:
    with mail_server(enable_SMTPUTF8=False) as server, connected(server.url) as transport:
        transport.send(letter("ann@bücher.example.org"))
    assert server.recipients == ["ann@xn--bcher-kva.example.org"]


def test_a_folder_gets_one_file_a_mail_and_keeps_it_to_itself(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mailbox"
    with connected(f"file:{folder}") as transport:
        transport.send(letter(number=1))
        transport.send(letter(number=2))
        transport.send(letter(number=2))
    assert sorted(path.name for path in folder.iterdir()) == ["mail1.eml", "mail2.eml"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "Bonjour" in (folder / "mail1.eml").read_text()


def test_the_console_shows_whom_what_and_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    with connected("console:") as transport:
        transport.send(letter())
    shown = capsys.readouterr().out
    assert "To: ann@example.org\nSubject: Merci, Şebnem\n\nBonjour O’Connor" in shown
