"""E-mail pages: the outbox in numbers, and suppressed addresses. No address is shown."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.queries import board as boards
from petitions.services.keys.keyring import settings
from petitions.services.mailing import forecast, suppression
from petitions.web.admin.login import by
from petitions.web.forms.person import AddressForm

DONE = {
    "stopped": _l("No more e-mail goes to this address."),
    "lifted": _l("E-mail goes to this address again."),
}

REASONS = {  # the outbox's reasons; others come from mail servers
    "cannot_open": _l("cannot be decrypted with this server’s key"),
    "not_made": _l("the e-mail could not be written"),
}


def mailing() -> ResponseReturnValue:
    """The outbox in numbers, and the form for suppression."""
    return _page(AddressForm())


def change_suppression() -> ResponseReturnValue:
    """Suppress an address that bounced, or lift its suppression."""
    form = AddressForm()
    if not form.validate():
        return _page(form), 422
    is_lifted = request.form.get("action") == "lift"
    if is_lifted:
        suppression.lift(form.email.data or "", by())
    else:
        suppression.suppress(form.email.data or "", "bounced", by())
    return redirect(url_for("admin.mailing", done="lifted" if is_lifted else "stopped"), 303)


def _page(form: AddressForm) -> str:
    done = DONE.get(request.args.get("done", ""))
    return render_template(
        "admin/mailing.html",
        form=form,
        outbox=boards.outbox(),
        minutes=forecast.minutes_left(settings()),
        reasons=REASONS,
        done=done,
    )
