"""Composes an e-mail from its templates, in the reader's language."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from flask import render_template
from flask_babel import force_locale

from petitions import clock


def compose(kind: str, locale: str, to: str, *, sender: str, message_id: str, **facts: Any) -> EmailMessage:
    """The e-mail from `templates/mail/<kind>/`, without any name. `message_id` is the same at each attempt."""
    with force_locale(locale):
        facts["locale"] = locale
        subject = " ".join(render_template(f"mail/{kind}/subject.txt", **facts).split())
        text = render_template(f"mail/{kind}/body.txt", **facts)
        html = render_template(f"mail/{kind}/body.html", **facts)
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    host = address.rpartition("@")[2]
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = _address(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{message_id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Reply-To"] = Address(addr_spec=facts["controller"]["email"])
    if kind != "confirm":  # RFC 8058: one press in the mail program, answered by the page behind the same link
        message["List-Unsubscribe"] = f"<{facts['stop']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text.strip() + "\n")
    message.add_alternative(html, subtype="html")
    message["Content-Language"] = locale  # last: set_content() drops every Content- header
    return message


def _address(to: str) -> Address:
    """The bare address: the server does not know the name."""
    local, _, host = to.rpartition("@")
    return Address(username=local, domain=host)
