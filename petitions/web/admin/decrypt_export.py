"""The page that decrypts an export in the browser, online or saved as a file: the data it reads is sent nowhere."""

import base64
import hashlib
import re
from functools import lru_cache

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from petitions.web.assets import STATIC

SCRIPTS = ("vendor/age-0.3.1.min.js", "js/open.js")
_OTHER_FILES = re.compile(r"@font-face \{[^}]*\}|url\([^)]*\)")  # the file must not refer to others


def decrypt_export() -> ResponseReturnValue:
    """The page as one of the staff pages."""
    return render_template("admin/decrypt_export.html", scripts=SCRIPTS)


def decrypt_export_file() -> ResponseReturnValue:
    """The page as one file that works offline and may not use the network."""
    script, style = _inlined()
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    page = render_template("admin/decrypt_export_alone.html", script=Markup(script), style=Markup(style), policy=policy)  # noqa: S704
    response = make_response(page)
    response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
    response.headers.set("Content-Disposition", "attachment", filename="open-signatures.html")
    return response


@lru_cache(maxsize=1)
def _inlined() -> tuple[str, str]:
    """The script, after the library it needs, and the style sheet."""
    script = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return script, _OTHER_FILES.sub("", (STATIC / "css/site.css").read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
