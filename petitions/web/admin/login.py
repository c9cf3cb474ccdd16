"""Login for the staff pages: every page below /admin/ requires a session, except the login page."""

from collections.abc import Mapping

from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from wtforms import PasswordField, StringField

from petitions.domain.roles import Right, may, needs_second_factor
from petitions.errors import DomainError, LoginBusy, LoginRefused, RightMissing, TooManyTries
from petitions.services.keys.keyring import settings
from petitions.services.staff import accounts
from petitions.web import sessions
from petitions.web.errors import status_of, wait_of, words_of
from petitions.web.security import SAFE, network

SECRETS = {"csrf_token", "password", "new", "again", "code", "secret"}  # fields that no page shows again


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Name, password and code. No CSRF token, as there is no session yet; the origin check protects this form."""

    class Meta:
        """No CSRF token."""

        csrf = False

    name = StringField()
    password = PasswordField()
    code = StringField()


def is_logged_in() -> bool:
    """Whether this request has a staff session."""
    return "csrf_token" in session  # only a valid staff session has one


def demand_right(rights: Mapping[str, Right | None], _values: object = None) -> ResponseReturnValue | None:
    """Redirect requests without a session to the login; refuse what the account's role may not do, and forms without
    the session's CSRF token. Whoever reaches names on a real server sets up a second factor first.
    """
    right = rights.get(request.endpoint or "", Right.PEOPLE)
    if right is None:
        return None
    if not is_logged_in():
        if request.endpoint == "admin.board_part":  # the overview that refreshes itself shows why it stopped
            return render_template("admin/_logged_out.html"), 200
        asked = request.full_path if request.method == "GET" and request.query_string else None  # as a printed code
        return kept_form() or redirect(url_for("admin.login_form", next=asked), 303)
    if request.method not in SAFE:
        try:
            current_app.extensions["csrf"].protect()
        except CSRFError:  # a form of a session that has ended meanwhile
            if page := kept_form():
                return page
            raise
    login = sessions.current().login
    if not may(login.role, right):
        raise RightMissing(right=right)
    if right != Right.OWN and lacks_second_factor():
        return redirect(url_for("admin.second_factor"), 303)
    return None


def kept_form() -> ResponseReturnValue | None:
    """A page with what was typed into a form whose session has ended, to be sent once more after a login in another
    window; None if nothing was typed.
    """
    typed = [(name, text) for name, text in request.form.items(multi=True) if name not in SECRETS]
    if request.method in SAFE or not typed:
        return None
    return render_template("admin/kept_form.html", typed=typed, is_in=is_logged_in()), 403


def lacks_second_factor() -> bool:
    """Whether this account must set up a second factor before anything else: on a real server, which has HTTPS."""
    login = sessions.current().login
    return settings().is_https and needs_second_factor(login.role) and not login.has_factor


def login_form() -> ResponseReturnValue:
    """The login form."""
    return render_template("admin/login.html", form=LoginForm(formdata=None), problem=None)


def log_in() -> ResponseReturnValue:
    """Check name and password, and begin a session with a new token."""
    form = LoginForm(formdata=request.form)  # by default Flask-WTF also reads JSON bodies, and fails on some
    try:
        old = session.token if isinstance(session, sessions.StaffSession) else ""
        typed = (form.name.data or "", form.password.data or "")
        token = accounts.log_in(*typed, network(), old, form.code.data or "")
    except (LoginRefused, TooManyTries, LoginBusy) as exc:
        page = render_template("admin/login.html", form=form, problem=words_of(exc))
        return page, status_of(exc), wait_of(exc)
    sessions.begin(token)
    asked = request.args.get("next", "")
    return redirect(asked if asked.startswith("/admin/") and asked.isprintable() else url_for("admin.board"), 303)


def log_out() -> ResponseReturnValue:
    """End the session, here and in the database."""
    accounts.log_out(sessions.current().token)
    return left()


def left() -> ResponseReturnValue:
    """The redirect after a session's end; it makes the browser delete the pages it cached."""
    sessions.end()
    return redirect(url_for("admin.login_form"), 303), {"Clear-Site-Data": '"cache", "storage"'}


def by() -> str:
    """The actor of this request, as the journal names it."""
    return f"account {sessions.current().login.account_id}"


def password_refused() -> DomainError | None:
    """The error if the password repeated in this form is wrong; None if it is right."""
    try:
        accounts.prove_password(sessions.current().login.name, request.form.get("password", ""), network())
    except (LoginRefused, TooManyTries, LoginBusy) as exc:
        return exc
    return None
