"""The API where a mail service reports bounced addresses."""

import hmac

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from petitions.domain import identity
from petitions.services.keys.keyring import settings
from petitions.services.limits import networks, rate_limits
from petitions.services.mailing import suppression
from petitions.web.security import SERVICES, network

bp = Blueprint("api_bounces", __name__)
BOUNCED = "bounced"


@bp.post(SERVICES)
def bounced() -> ResponseReturnValue:
    """Suppress e-mail to `email`; needs `Authorization: Bearer <PETITIONS_BOUNCE_SECRET>`. Always answers 204.

    Right reports are not limited; a network that sends wrong secrets is.
    """
    secret = settings().bounce_secret
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
        if secret and (place := networks.line(network())):
            rate_limits.spend(rate_limits.WRONG_SECRET, place)
        abort(403)
    email = request.form.get("email") or _in_json()
    if not isinstance(email, str):
        abort(422)
    try:
        suppression.suppress(identity.clean_email(email, is_demo=settings().demo), BOUNCED)
    except identity.Refused:
        abort(422)
    return "", 204


def _in_json() -> object:
    """The value of `email` in a JSON object; None if there is none."""
    try:
        said = request.get_json(silent=True)
    except RecursionError:  # thousands of nested brackets
        return None
    return said.get("email") if isinstance(said, dict) else None
