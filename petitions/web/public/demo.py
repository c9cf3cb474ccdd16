"""The demo mailbox: shows every e-mail of this installation. It is registered in demo mode only."""

import re
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from pathlib import Path

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from petitions.services.keys.keyring import settings

bp = Blueprint("demo", __name__)
MAX_SHOWN = 50
_URL = re.compile(r"https?://[^\s<>]+")


@dataclass(frozen=True)
class DemoMail:
    """One e-mail as its reader sees it."""

    to: str
    subject: str
    sent: str
    language: str
    text: Markup


@bp.get("/demo/mailbox/")
def mailbox() -> ResponseReturnValue:
    """All e-mails, newest first."""
    scheme, _, folder = settings().mail_url.partition(":")
    files = sorted(Path(folder).glob("*.eml"), key=lambda path: path.stat().st_mtime_ns) if scheme == "file" else []
    mails = [_read(path) for path in reversed(files[-MAX_SHOWN:])]
    return render_template("public/mailbox.html", mails=mails, is_here=scheme == "file")


def _read(path: Path) -> DemoMail:
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    body = mail.get_body(("plain",))
    text = Markup(_URL.sub(r'<a href="\g<0>">\g<0></a>', str(escape(body.get_content() if body else ""))))  # noqa: S704
    return DemoMail(mail["To"], mail["Subject"], mail["Date"], str(mail["Content-Language"] or "en"), text)
