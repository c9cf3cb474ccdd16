"""The page behind an invitation: whoever has the link chooses the password."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.errors import PasswordCommon, PasswordTooShort
from petitions.services.staff import accounts, invitations
from petitions.web.errors import status_of, words_of

DIFFERENT = _l("The two new passwords are not the same.")


def invitation(token: str) -> ResponseReturnValue:
    """The form for the password; raises LinkUnknown."""
    return _page(token)


def accept_invitation(token: str) -> ResponseReturnValue:
    """Set the password, and go to the login; raises LinkUnknown."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _page(token, DIFFERENT), 422
    try:
        invitations.accept(token, new)
    except (PasswordTooShort, PasswordCommon) as exc:
        return _page(token, words_of(exc)), status_of(exc)
    return redirect(url_for("admin.login_form"), 303)


def _page(token: str, new_error: object = None) -> str:
    name = invitations.name_of(token)
    page = {"name": name, "token": token, "new_error": new_error, "shortest": accounts.SHORTEST_PASSWORD}
    return render_template("admin/invitation.html", **page)
