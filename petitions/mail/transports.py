"""E-mail transports: SMTP, the console, or a folder. Failures are either temporary or permanent."""

import smtplib
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from petitions.domain.identity import ascii_host
from petitions.settings import LOOPBACK

SMTP_TIMEOUT = 30  # seconds


class Undeliverable(Exception):
    """The receiving side refused for good; trying again is pointless."""


class Delayed(Exception):
    """A temporary failure on the way."""


class ServerOffersNoTls(smtplib.SMTPException):
    """A remote mail server without encryption. The class name is shown as the reason in log and doctor."""


class Transport(Protocol):
    """Accepts one e-mail; raises Undeliverable or Delayed."""

    def send(self, message: EmailMessage) -> None: ...


@contextmanager
def connected(url: str, timeout: float | None = None) -> Iterator[Transport]:
    """The transport for `url` (`smtp://…`, `smtps://…`, `console:`, `file:FOLDER`), open for the block.

    Raises Delayed if the mail server does not answer within `timeout` or SMTP_TIMEOUT seconds, or accepts no e-mail.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "console":
        yield _Console()
    elif scheme == "file":
        yield _Folder(Path(rest))
    else:
        smtp = _connect(url, timeout or SMTP_TIMEOUT)
        try:
            yield _Smtp(smtp)
        finally:
            smtp.close()


class _Console:
    def send(self, message: EmailMessage) -> None:
        sys.stdout.write(f"--- mail ---\n{_text_of(message)}\n")
        sys.stdout.flush()


class _Folder:
    """One .eml file per e-mail, named by its Message-ID, so that one sent twice is one file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        part = self._folder / f"{name}.part"
        part.write_bytes(message.as_bytes())
        part.replace(self._folder / f"{name}.eml")


class _Smtp:
    def __init__(self, smtp: smtplib.SMTP) -> None:
        self._smtp = smtp

    def send(self, message: EmailMessage) -> None:
        try:
            self._smtp.send_message(message, to_addrs=[_envelope(each.addr_spec) for each in message["To"].addresses])
        except smtplib.SMTPRecipientsRefused as exc:
            codes = {code for code, _ in exc.recipients.values()}
            raise _sorted(max(codes, default=450)) from None  # `from exc` would log the address
        except smtplib.SMTPResponseException as exc:
            raise _sorted(exc.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Undeliverable("smtputf8_not_supported") from None
        except (smtplib.SMTPException, OSError) as exc:
            raise Delayed(type(exc).__name__) from None


def _envelope(address: str) -> str:
    """The address for mail servers: the host in IDNA form, which every server accepts."""
    local, _, host = address.rpartition("@")
    return f"{local}@{ascii_host(host)}" if local.isascii() else address


def _connect(url: str, timeout: float) -> smtplib.SMTP:
    """An open, authenticated connection; raises Delayed."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    is_here = host in LOOPBACK  # no network in between
    tls = _tls(is_here)
    smtp: smtplib.SMTP | None = None
    is_private = is_here
    try:
        if parts.scheme == "smtps":
            smtp = smtplib.SMTP_SSL(host, parts.port or 465, timeout=timeout, context=tls)
            is_private = True
        else:
            smtp = smtplib.SMTP(host, parts.port or 25, timeout=timeout)
            smtp.ehlo_or_helo_if_needed()
            if smtp.has_extn("starttls"):
                smtp.starttls(context=tls)
                is_private = True
        if not is_private:
            raise ServerOffersNoTls  # nothing leaves this machine unencrypted
        if parts.username:
            smtp.login(unquote(parts.username), unquote(parts.password or ""))
    except (smtplib.SMTPException, OSError) as exc:
        if smtp is not None:
            smtp.close()
        raise Delayed(type(exc).__name__) from None
    return smtp


def _tls(is_here: bool) -> ssl.SSLContext:
    """Certificates are checked, except on this machine itself, where mail servers use self-signed ones."""
    context = ssl.create_default_context()
    if is_here:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _sorted(code: int) -> Exception:
    return Undeliverable(f"smtp_{code}") if 500 <= code < 600 else Delayed(f"smtp_{code}")


def _text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    return f"To: {message['To']}\nSubject: {message['Subject']}\n\n{text}"
