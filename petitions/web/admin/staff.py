"""Pages for staff accounts: the own password and sessions, other accounts, and the journal."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions import clock
from petitions.errors import NotFound, PasswordTooShort
from petitions.queries import staff
from petitions.services import journal
from petitions.services.staff import accounts
from petitions.web import sessions
from petitions.web.admin.login import by, left, password_refused
from petitions.web.errors import status_of, wait_of, words_of

DIFFERENT = _l("The two new passwords are not the same.")


def account() -> ResponseReturnValue:
    """The form for a new password, and a button that ends all sessions."""
    return _account_page()


def change_password() -> ResponseReturnValue:
    """Set the new password if the old one is right; only this session continues."""
    session, new = sessions.current(), request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _account_page(new_error=DIFFERENT), 422
    if exc := password_refused():
        return _account_page(error=words_of(exc)), status_of(exc), wait_of(exc)
    try:
        accounts.set_password(session.login.name, new, session.token, by())
    except PasswordTooShort as exc:
        return _account_page(new_error=words_of(exc)), status_of(exc)
    return redirect(url_for("admin.account", done="changed"), 303)


def end_sessions() -> ResponseReturnValue:
    """End all sessions of this account."""
    accounts.end_sessions(sessions.current().login.name, by())
    return left()


def list_staff() -> ResponseReturnValue:
    """All accounts."""
    return render_template("admin/staff.html", members=staff.members(clock.now() - accounts.SESSION_LIFETIME))


def change_staff() -> ResponseReturnValue:
    """Disable, enable or log out another account; raises NotFound for an unknown one and for the own one."""
    name, act = request.form.get("name", ""), request.form.get("act", "")
    if name == sessions.current().login.name or act not in {"disable", "enable", "end"}:
        raise NotFound()
    if act == "end":
        accounts.end_sessions(name, by())
    else:
        accounts.set_enabled(name, act == "enable", by())
    return redirect(url_for("admin.list_staff"), 303)


def list_journal() -> ResponseReturnValue:
    """The journal, newest first."""
    return render_template("admin/journal.html", entries=journal.newest(200))


def _account_page(error: object = None, new_error: object = None) -> str:
    page = {"error": error, "new_error": new_error, "shortest": accounts.SHORTEST_PASSWORD}
    return render_template("admin/account.html", is_done="done" in request.args, **page)
