"""/.well-known/security.txt: where to report vulnerabilities (RFC 9116)."""

from datetime import timedelta

from flask import Blueprint, Response

from petitions import clock
from petitions.errors import NotFound
from petitions.services.keys.keyring import settings

bp = Blueprint("well_known", __name__)
LASTS = timedelta(days=180)  # RFC 9116 recommends less than a year


@bp.get("/.well-known/security.txt")
def security_txt() -> Response:
    """The contact for vulnerability reports; 404 if none is set."""
    config = settings()
    if not config.security_contact:
        raise NotFound()
    expires = (clock.now() + LASTS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {config.security_contact}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"]
    lines.append(f"Canonical: {config.base_url}/.well-known/security.txt")
    headers = {"Cache-Control": "public, max-age=86400"}
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8", headers=headers)
