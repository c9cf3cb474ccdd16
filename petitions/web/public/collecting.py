"""Pages of collectors: sign up, the ranking, and each collector's own page behind its link."""

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.errors import TooManyTries
from petitions.queries import collectors as queries
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.services.paper import collectors
from petitions.web.errors import status_of, words_of
from petitions.web.forms.collecting import KINDS, CollectForm
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render
from petitions.web.security import network

bp = Blueprint("collecting", __name__)
ACTS = {"begin": collectors.begin, "stop": collectors.stop, "erase": collectors.erase}
DONE = {
    "begin": _l("Your code works from now on. Thank you for collecting."),
    "stop": _l("Your code has ended. What came in through it stays counted."),
}


@bp.get("/<lang:lang>/<campaign>/collectors/")
def collectors_page(campaign: str) -> ResponseReturnValue:
    """How to collect, the form, and the ranking."""
    return _page(find_campaign(campaign), CollectForm())


@bp.post("/<lang:lang>/<campaign>/collectors/")
def sign_up(campaign: str) -> ResponseReturnValue:
    """Make a collector, and e-mail its link. The answer is the same for every address."""
    found, form = find_campaign(campaign), CollectForm()
    if not form.validate():
        return _page(found, form), 422
    if not found.is_open:
        abort(410)
    title, email, is_listed = form.title.data or "", form.email.data or "", not form.unlisted.data
    try:
        collectors.sign_up(found, form.kind.data, title, form.number, email, locale(), network(), is_listed=is_listed)
    except TooManyTries as exc:
        return _page(found, form, words_of(exc)), status_of(exc)
    return redirect(url_for("collecting.sent", campaign=found.slug), 303)


@bp.get("/<lang:lang>/<campaign>/collectors/sent")
def sent(campaign: str) -> ResponseReturnValue:
    """The page after signing up."""
    return render("collect_sent.html", find_campaign(campaign))


@bp.get("/<lang:lang>/collector/<token>")
def own_page(token: str) -> ResponseReturnValue:
    """A collector's own page: the code, the link, and what came in."""
    facts = collectors.open_page(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    done = DONE.get(request.args.get("done", ""))
    return render("collector.html", campaign, collector=facts, kinds=KINDS, token=token, done=done)


@bp.get("/<lang:lang>/collector/<token>/certificate")
def certificate(token: str) -> ResponseReturnValue:
    """The collector's certificate, to print."""
    facts = collectors.open_page(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    shown = {"collectors": [facts], "winners": queries.winners(campaign.slug), "kinds": KINDS}
    return render("certificates.html", campaign, **shown)


@bp.post("/<lang:lang>/collector/<token>")
def change(token: str) -> ResponseReturnValue:
    """Begin, stop, or erase."""
    act = request.form.get("act", "")
    campaign = catalogue().campaign_with_id(collectors.open_page(token).campaign_id)
    if act not in ACTS:
        abort(422)
    ACTS[act](token)
    if act == "erase":
        return redirect(url_for("collecting.collectors_page", campaign=campaign.slug), 303)
    return redirect(url_for("collecting.own_page", token=token, done=act), 303)


def _page(campaign: PublicCampaign, form: CollectForm, problem: object = None) -> str:
    shown = {"ranking": queries.ranking(campaign.slug), "contest": queries.contest(campaign.slug), "kinds": KINDS}
    return render("collectors.html", campaign, form=form, problem=problem, **shown)
