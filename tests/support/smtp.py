"""A mail server for tests, which can be told to fail."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from tests.support.ports import free_port

ACCEPTED = "250 OK"


class MailServer:
    """Takes mails, or says what it was told to say. `refused` maps a recipient to an answer such as `550 no`.

    Moods: `answer_all` answers every recipient; `hangs_up` ends the connection before the mail is taken, `drops` after
    it is taken and before that is said; `hangs` says nothing at all; `gate` holds the next mail until it is set, while
    `under_way` says that it is held.
    """

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refused: dict[str, str] = {}
        self.after_data = ACCEPTED
        self.answer_all = ""
        self.hangs_up = self.drops = self.hangs = False
        self.gate: threading.Event | None = None
        self.under_way = threading.Event()
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where it is, as PETITIONS_MAIL_URL would say."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        """Whom the mails were for, in the order of their arrival."""
        return [address for mail in self.mails for address in mail.rcpt_tos]

    def message(self, number: int = 0) -> EmailMessage:
        """A mail as its reader's program sees it."""
        content = self.mails[number].content
        assert isinstance(content, bytes)
        return BytesParser(policy=policy.default).parsebytes(content)  # type: ignore[return-value]

    # What aiosmtpd calls:

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:
        """Take a recipient, or not."""
        if self.answer_all:
            return self.answer_all
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return ACCEPTED

    async def handle_DATA(self, server: Any, _session: Any, envelope: Envelope) -> str:
        """Take the mail itself, or not."""
        gate, self.gate = self.gate, None
        if gate is not None:
            self.under_way.set()
        while self.hangs or (gate is not None and not gate.is_set()):
            await asyncio.sleep(0.01)
        if self.hangs_up or self.drops:
            if self.drops:
                self.mails.append(envelope)
            server.transport.close()
            return ACCEPTED
        if self.after_data == ACCEPTED:
            self.mails.append(envelope)
        return self.after_data

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Let the petitioner in, and nobody else."""
        self.logins.append((data.login, data.password))
        return AuthResult(success=self.logins[-1] == (b"peti:tioner", b"p@ss/word"), handled=False)


@contextmanager
def mail_server(*, asks_login: bool = False, **options: Any) -> Iterator[MailServer]:
    """A mail server for the block, which may want to know who sends; `options` are aiosmtpd's."""
    server = MailServer()
    if asks_login:
        options |= {"auth_require_tls": False, "auth_required": True, "authenticator": server.authenticate}
    # timeout: a sender that waits at the gate while twenty thousand mails leave must not be hung up on
    chosen = {"enable_SMTPUTF8": True, "decode_data": False, "timeout": 3600, **options}
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **chosen)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
