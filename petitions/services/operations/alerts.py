"""Alerts: one e-mail a day to those who run the server, while something needs them; none otherwise.

It is written in English like `flask doctor`, and says nothing about any signer.
"""

import logging
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, make_msgid, parseaddr
from urllib.parse import urlsplit

from petitions import clock
from petitions.domain.retention import MarkKey
from petitions.mail.transports import Delayed, Undeliverable, connected
from petitions.queries import moderation
from petitions.queries.catalogue import catalogue
from petitions.services.keys.keyring import settings
from petitions.services.operations import daily, diagnosis
from petitions.settings import Settings

log = logging.getLogger(__name__)

ALERTED = MarkKey("alert")
HOUR = 5  # UTC: before the day's work, and after the nightly backup


def alert_due() -> bool:
    """Send today's alert, if one is needed and was not sent; whether it was sent."""
    config = settings()
    if not config.alerts_to or not daily.claim(ALERTED, clock.now(), HOUR):
        return False
    sentences = needs()
    if not sentences:
        return False
    try:
        with connected(config.mail_url) as transport:
            transport.send(composed(sentences, config))
    except (Delayed, Undeliverable) as exc:
        log.warning("alert not sent reason=%s", exc)
        daily.give_back(ALERTED)
        return False
    log.info("alert sent problems=%s", len(sentences))
    return True


def needs() -> list[str]:
    """What needs somebody now, as sentences."""
    held = [each.slug for each in catalogue().campaigns if moderation.watch(each.slug).began_at]
    holds = [f"{slug}: signatures are held until staff decide, see the staff page Holds" for slug in held]
    return [*holds, *diagnosis.diagnose().faults]


def composed(sentences: list[str], config: Settings) -> EmailMessage:
    """The e-mail with these sentences."""
    site = urlsplit(config.base_url).hostname or ""
    number = len(sentences)
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(config.mail_from)
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = [Address(addr_spec=each) for _, each in getaddresses([config.alerts_to])]
    message["Subject"] = f"{site}: {number} {'thing needs' if number == 1 else 'things need'} you"
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    listed = "\n\n".join(f"- {sentence}" for sentence in sentences)
    message.set_content(
        f"This is what needs somebody on {config.base_url}:\n\n{listed}\n\n"
        "This e-mail comes once a day until nothing is left. `flask doctor` shows the same at any time; "
        "docs/operating.md and docs/runbooks/ say what to do.\n"
    )
    return message
