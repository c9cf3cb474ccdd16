"""Pages for the own account: password, second factor, sessions."""

from importlib import import_module
from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from petitions import clock
from petitions.errors import CodeWrong, PasswordCommon, PasswordTooShort
from petitions.queries import staff
from petitions.services.keys.keyring import settings
from petitions.services.staff import accounts, factors, people
from petitions.web import sessions
from petitions.web.admin.login import by, lacks_second_factor, left, password_refused
from petitions.web.errors import status_of, wait_of, words_of

DIFFERENT = _l("The two new passwords are not the same.")
WRONG_CODE = _l("This is not what the app shows now. Wait for its next code, and type that.")


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
    except (PasswordTooShort, PasswordCommon) as exc:
        return _account_page(new_error=words_of(exc)), status_of(exc)
    return redirect(url_for("admin.account", done="changed"), 303)


def end_sessions() -> ResponseReturnValue:
    """End one session of this account, or all of them; raises NotFound."""
    session, key = sessions.current(), request.form.get("session", "")
    if not key:
        accounts.end_sessions(session.login.name, by())
        return left()
    accounts.end_session(session.login.account_id, key, by())
    return redirect(url_for("admin.account"), 303)


def second_factor() -> ResponseReturnValue:
    """A new secret for an app, as QR code and as text; nothing is stored yet."""
    return _factor_page(factors.new_secret())


def begin_second_factor() -> ResponseReturnValue:
    """Set the second factor if the app shows the right code, with the password again; shows the recovery codes once."""
    session, secret = sessions.current(), request.form.get("secret", "")
    if exc := password_refused():
        return _factor_page(secret, error=words_of(exc)), status_of(exc), wait_of(exc)
    try:
        codes = people.begin_factor(session.login.name, secret, request.form.get("code", ""), session.token, by())
    except CodeWrong as exc:
        return _factor_page(secret, code_error=WRONG_CODE), status_of(exc)
    return render_template("admin/recovery_codes.html", codes=codes)


def _account_page(error: object = None, new_error: object = None) -> str:
    session = sessions.current()
    page = {"error": error, "new_error": new_error, "shortest": accounts.SHORTEST_PASSWORD}
    page["sessions"] = staff.open_sessions(session.login.account_id, clock.now() - accounts.SESSION_LIFETIME)
    page["this"] = accounts.key_of(session.token)
    return render_template("admin/account.html", is_done="done" in request.args, **page)


def _factor_page(secret: str, error: object = None, code_error: object = None) -> str:
    secret = secret if factors.is_secret(secret) else factors.new_secret()
    address = factors.address(secret, sessions.current().login.name, urlsplit(settings().base_url).hostname or "")
    segno = import_module("segno")  # not above: a worker that never shows a code does not load it
    image = segno.make(address, error="m", micro=False)
    options = {"dark": "#000", "light": "#fff", "omitsize": True, "svgclass": "qr", "lineclass": None}
    drawing = image.svg_inline(border=4, **options).replace("<svg ", '<svg aria-hidden="true" ', 1)
    return render_template(
        "admin/second_factor.html",
        secret=secret,
        drawing=Markup(drawing),  # noqa: S704 - made by segno
        is_demanded=lacks_second_factor(),
        error=error,
        code_error=code_error,
    )
