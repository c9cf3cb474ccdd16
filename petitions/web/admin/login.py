"""The door to the staff pages: nothing below /admin/ opens without a session, except this."""

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField

from petitions.errors import DomainError, LoginRefused, TooManyTries
from petitions.services.staff import accounts
from petitions.web import sessions
from petitions.web.errors import MESSAGES, status_of, wait_of
from petitions.web.security import SAFE, network

bp = Blueprint("admin", __name__, url_prefix="/admin")
OPEN_ENDPOINTS = {"admin.login_form", "admin.log_in"}


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Name and password. There is no session yet that could hold a token; the origin guard stands before it."""

    class Meta:
        """See above."""

        csrf = False

    name = StringField()
    password = PasswordField()


@bp.before_request
def demand_session() -> ResponseReturnValue | None:
    """Let nobody past without a session, and no form without the session's token."""
    if request.endpoint in OPEN_ENDPOINTS:
        return None
    if "csrf_token" not in session:  # only an open staff session has one
        if request.endpoint == "admin.board_part":  # a board that refreshes itself says why it stopped
            return render_template("admin/_logged_out.html"), 200
        return redirect(url_for("admin.login_form"), 303)
    if request.method not in SAFE:
        current_app.extensions["csrf"].protect()
    return None


@bp.get("/login")
def login_form() -> ResponseReturnValue:
    """The form."""
    return render_template("admin/login.html", form=LoginForm(formdata=None), problem=None)


@bp.post("/login")
def log_in() -> ResponseReturnValue:
    """Check name and password, and begin a session under a new secret."""
    form = LoginForm(formdata=request.form)  # by itself it would read JSON too, and stumble over some
    try:
        old = session.token if isinstance(session, sessions.StaffSession) else ""
        token = accounts.log_in(form.name.data or "", form.password.data or "", network(), old)
    except (LoginRefused, TooManyTries, accounts.LoginBusy) as exc:
        page = render_template("admin/login.html", form=form, problem=MESSAGES[exc.code])
        return page, status_of(exc), wait_of(exc)
    sessions.begin(token)
    return redirect(url_for("admin.board"), 303)


@bp.post("/logout")
def log_out() -> ResponseReturnValue:
    """End the session, here and in the database."""
    accounts.log_out(sessions.current().token)
    return left()


def left() -> ResponseReturnValue:
    """The answer to whoever ended the session: the browser forgets the pages it kept."""
    sessions.end()
    return redirect(url_for("admin.login_form"), 303), {"Clear-Site-Data": '"cache", "storage"'}


def by() -> str:
    """Who sends this form, as the journal calls them."""
    return f"account {sessions.current().login.account_id}"


def password_refused() -> DomainError | None:
    """Why the password that came with a form once more is refused; None if it is theirs."""
    try:
        accounts.prove_password(sessions.current().login.name, request.form.get("password", ""), network())
    except (LoginRefused, TooManyTries, accounts.LoginBusy) as exc:
        return exc
    return None
