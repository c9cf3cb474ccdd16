"""Builds a mail from its templates, in the reader's language."""

import hashlib
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from flask import render_template
from flask_babel import force_locale

from petitions import clock


@dataclass(frozen=True)
class Recipient:
    """Who gets the mail, as typed."""

    email: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """Both names, or the only one."""
        return f"{self.first_name} {self.last_name}".strip()


def compose(kind: str, locale: str, recipient: Recipient, *, sender: str, key: str, **facts: Any) -> EmailMessage:
    """The mail `templates/mail/<kind>/` for this reader. `key` makes its Message-ID the same at each try."""
    with force_locale(locale):
        facts.update(recipient=recipient, locale=locale)
        subject = " ".join(render_template(f"mail/{kind}/subject.txt", **facts).split())
        text = render_template(f"mail/{kind}/body.txt", **facts)
        html = render_template(f"mail/{kind}/body.html", **facts)
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    host = address.rpartition("@")[2]
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = _address(recipient)
    message["Subject"] = subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.strip() + "\n")
    message.add_alternative(html, subtype="html")
    message["Content-Language"] = locale  # last: set_content() drops every Content- header
    return message


def _address(recipient: Recipient) -> Address:
    """The bare address: a name in the header would help spammers, and it stands in the text."""
    local, _, host = recipient.email.rpartition("@")
    return Address(username=local, domain=host)
