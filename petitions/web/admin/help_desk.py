"""Help desk: staff have the link to a signer's own page sent, and never learn whether there is one."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.errors import NotFound, TooManyTries
from petitions.queries.catalogue import catalogue
from petitions.services import journal
from petitions.services.limits import rate_limits
from petitions.services.signing import signer_page
from petitions.web.admin import chosen
from petitions.web.admin.login import by
from petitions.web.errors import status_of, words_of
from petitions.web.forms.person import AddressForm

WAYS = {"phone": _l("by telephone"), "letter": _l("by letter"), "email": _l("by e-mail"), "person": _l("in person")}


def help_desk() -> ResponseReturnValue:
    """The form: an address, its holder's language, and how that person asked."""
    return _page(AddressForm())


def send_own_link() -> ResponseReturnValue:
    """Send the link if there is anything to link to. The answer is the same for every address; raises NotFound."""
    campaign, form, way = catalogue().campaign(chosen.slug()), AddressForm(), request.form.get("way", "")
    language = request.form.get("language", "")
    if way not in WAYS or language not in campaign.languages:
        raise NotFound()
    if not form.validate():
        return _page(form), 422
    try:
        rate_limits.spend(rate_limits.HELP_DESK, "")
    except TooManyTries as exc:
        return _page(form, words_of(exc)), status_of(exc)
    signer_page.request_link(form.email.data or "", language, campaign, "")
    journal.note(by(), "own link asked for", way)
    return redirect(url_for("admin.help_desk", done="sent"), 303)


def _page(form: AddressForm, problem: object = None) -> str:
    campaign = catalogue().campaign(chosen.slug())
    page = {"form": form, "problem": problem, "ways": WAYS, "languages": campaign.languages}
    return render_template("admin/help_desk.html", is_done="done" in request.args, **page)
