"""Mailboxes that are read: a Maildir folder on this machine, or a folder of a mail server (IMAP)."""

import imaplib
import ssl
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

IMAP_TIMEOUT = 30  # seconds
MOST = 500  # messages in one visit
LARGEST = 512 * 1024  # bytes; a report of a mail server is far smaller


class MailboxFaulty(Exception):
    """The mailbox cannot be read; the message is a reason without an address."""


def visit(url: str, is_done: Callable[[bytes], bool]) -> int:
    """Give each unread message to `is_done`: where that is true the message is deleted, else it is marked as read.

    `url` is `maildir:FOLDER` or `imaps://user:password@host/FOLDER`. Returns how many were deleted; raises
    MailboxFaulty. At most MOST messages a visit; longer ones than LARGEST are marked as read only.
    """
    try:
        return _visit_folder(Path(url[8:]), is_done) if url.startswith("maildir:") else _visit_imap(url, is_done)
    except (imaplib.IMAP4.error, OSError) as exc:
        raise MailboxFaulty(type(exc).__name__) from None  # the text of an IMAP answer may quote a name


def probe(url: str) -> None:
    """Open the mailbox and read nothing; raises MailboxFaulty."""
    try:
        if url.startswith("maildir:"):
            next(iter((Path(url[8:]) / "new").iterdir()), None)
        else:
            _logged_in(url).logout()
    except (imaplib.IMAP4.error, OSError) as exc:
        raise MailboxFaulty(type(exc).__name__) from None


def _visit_folder(folder: Path, is_done: Callable[[bytes], bool]) -> int:
    deleted = 0
    for path in list(islice((folder / "new").iterdir(), MOST)):
        if path.stat().st_size <= LARGEST and is_done(path.read_bytes()):
            path.unlink()
            deleted += 1
        else:
            path.rename(folder / "cur" / f"{path.name}:2,S")  # read, in Maildir's notation
    return deleted


def _visit_imap(url: str, is_done: Callable[[bytes], bool]) -> int:
    server = _logged_in(url)
    deleted = 0
    try:
        _, found = server.uid("SEARCH", "UNSEEN", "SMALLER", str(LARGEST))
        for number in (found[0] or b"").split()[:MOST]:
            uid = number.decode()
            _, parts = server.uid("FETCH", uid, "(BODY.PEEK[])")
            raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
            is_gone = is_done(raw)
            server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)" if is_gone else r"(\Seen)")
            deleted += is_gone
        server.expunge()
    finally:
        server.shutdown()
    return deleted


def _logged_in(url: str) -> imaplib.IMAP4_SSL:
    """The folder of the mail server, opened; raises imaplib.IMAP4.error or OSError."""
    parts = urlsplit(url)
    context = ssl.create_default_context()
    server = imaplib.IMAP4_SSL(parts.hostname or "", parts.port or 993, ssl_context=context, timeout=IMAP_TIMEOUT)
    try:
        server.login(unquote(parts.username or ""), unquote(parts.password or ""))
        answer, _ = server.select(unquote(parts.path.strip("/")) or "INBOX")
        if answer != "OK":
            raise imaplib.IMAP4.error("no such folder")
    except BaseException:
        server.shutdown()
        raise
    return server
