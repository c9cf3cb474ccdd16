"""Bounces: reports that an e-mail of ours came to no mailbox, read from the mailbox of the sender's address.

Anybody can write to that mailbox. So a report counts only if it quotes the Message-ID of an e-mail that this server
sent to the address in question: the Message-ID holds a proof that only the server can make.
"""

import hmac
import logging
from collections.abc import Iterator
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage, Message
from email.utils import getaddresses

from petitions.domain import identity, sealing
from petitions.mail import mailboxes
from petitions.services.keys.keyring import keyring, settings
from petitions.services.mailing import suppression

log = logging.getLogger(__name__)

BOUNCED = "bounced"
# Enhanced status codes (RFC 3463) of permanent failures that say nothing about the address: mailbox full, message too
# long, a fault of the mail system, refused by a filter.
NOT_THE_ADDRESS = ("5.2.2", "5.2.3", "5.3.", "5.7.")


def message_id(unique: str, address: str) -> str:
    """The left part of a Message-ID: `unique` (32 hex digits) and the proof that it was sent to `address`."""
    return f"{unique}.{_proof(unique, address)}"


def collect() -> int:
    """Read the mailbox of PETITIONS_BOUNCE_MAILBOX, if one is set; returns how many reports were read and deleted.

    Addresses that do not exist are suppressed. Other e-mails stay, marked as read. Raises mailboxes.MailboxFaulty.
    """
    url = settings().bounce_mailbox
    return mailboxes.visit(url, _take) if url else 0


def _take(raw: bytes) -> bool:
    """Suppress what the report says; whether it was a report about an e-mail of ours."""
    try:
        report = message_from_bytes(raw, policy=policy.default)
        is_ours, addresses = read_report(report)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):  # the email package on broken input
        return False
    for address in addresses:
        if not suppression.is_suppressed(address):
            suppression.suppress(address, BOUNCED)
            log.info("mail bounced")
    return is_ours


def read_report(report: EmailMessage) -> tuple[bool, set[str]]:
    """Whether it is a delivery status notification (RFC 3464) about an e-mail of ours, and the addresses that failed
    for good.
    """
    if report.get_content_type() != "multipart/report":
        return False, set()
    original = _original(report)
    unique, _, proof = str(original.get("Message-ID", "")).strip().strip("<>").partition("@")[0].partition(".")
    blocks = list(_recipients(report))
    said = [original.get("To", ""), *(value for block in blocks for value in _addresses(block))]
    ours = {
        address for address in map(_cleaned, said) if address and hmac.compare_digest(_proof(unique, address), proof)
    }
    return bool(ours), ours if any(map(_is_permanent, blocks)) else set()


def _original(report: EmailMessage) -> "Message[str, str]":
    """The headers of the e-mail that came back; empty if the report has none."""
    for part in report.walk():
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            return inner if isinstance(inner, Message) else Message()
        if part.get_content_type() == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            return message_from_string(text.decode("utf-8", "replace") if isinstance(text, bytes) else "")
    return Message()


def _recipients(report: EmailMessage) -> Iterator["Message[str, str]"]:
    """The blocks about one recipient each."""
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            yield from (block for block in part.get_payload() if isinstance(block, Message) and "Action" in block)


def _addresses(block: "Message[str, str]") -> list[str]:
    fields = ("Original-Recipient", "Final-Recipient")
    return [str(block[name]).partition(";")[2] for name in fields if name in block]


def _is_permanent(block: "Message[str, str]") -> bool:
    status = str(block.get("Status", "")).split()[:1]
    is_failed = str(block["Action"]).strip().lower() == "failed"
    return is_failed and bool(status) and status[0].startswith("5.") and not status[0].startswith(NOT_THE_ADDRESS)


def _cleaned(said: object) -> str:
    """The bare address; empty if there is none."""
    address = next((each for _, each in getaddresses([str(said)])), "")
    try:
        return identity.clean_email(address, is_demo=settings().demo)
    except identity.Refused:
        return ""


def _proof(unique: str, address: str) -> str:
    said = f"{unique} {identity.same_address(address)}"
    return sealing.blind_index(keyring().secret_key.encode(), "bounce", said).hex()[:32]
