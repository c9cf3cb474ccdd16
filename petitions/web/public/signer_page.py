"""The signer's own page: opened by a link, without a password. Every change is a button."""

import json

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.domain.states import SignatureState
from petitions.errors import NameTaken, TooManyTries
from petitions.queries.catalogue import catalogue
from petitions.services.mailing import suppression
from petitions.services.signing import signer_page
from petitions.web.errors import status_of, words_of
from petitions.web.forms.consent import more_words
from petitions.web.forms.person import AddressForm, NameForm
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render, ticked_cases
from petitions.web.security import network

bp = Blueprint("signer_page", __name__)
DONE = {
    "withdrawn": _l("Withdrawn. These signatures no longer count."),
    "signed": _l("Thank you. These signatures count."),
    "corrected": _l("Your name is corrected."),
    "saved": _l("Saved."),
}
_SIGNED = (SignatureState.CONFIRMED, SignatureState.HELD, SignatureState.PENDING)


@bp.get("/<lang:lang>/mine/<token>")
def page(token: str) -> ResponseReturnValue:
    """What the signer signed, and everything they may change."""
    return _page(token)


@bp.post("/<lang:lang>/mine/<token>/withdraw")
def withdraw(token: str) -> ResponseReturnValue:
    """Withdraw the named signatures."""
    facts = signer_page.open_page(token)
    named = set(request.form.getlist("cases"))
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    chosen = [case.id for case in campaign.cases if case.slug in named]
    signer_page.withdraw(token, chosen)
    return _back(token, "withdrawn" if chosen else None)


@bp.post("/<lang:lang>/mine/<token>/more")
def add_cases(token: str) -> ResponseReturnValue:
    """Sign further cases."""
    facts = signer_page.open_page(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    chosen = ticked_cases(campaign)
    if chosen:
        signer_page.sign_more(token, campaign, chosen, more_words(campaign))
    return _back(token, "signed" if chosen else None)


@bp.post("/<lang:lang>/mine/<token>/name")
def change_name(token: str) -> ResponseReturnValue:
    """Correct the name."""
    signer_page.open_page(token)
    form = NameForm()
    if not form.validate():
        return _page(token, form=form), 422
    try:
        signer_page.correct_name(token, form.first_name.data or "", form.last_name.data or "")
    except NameTaken as exc:
        return _page(token, form=form, problem=words_of(exc)), 422
    return _back(token, "corrected")


@bp.post("/<lang:lang>/mine/<token>/newsletter")
def change_newsletter(token: str) -> ResponseReturnValue:
    """Subscribe or unsubscribe."""
    signer_page.set_newsletter(token, bool(request.form.get("newsletter")))
    return _back(token, "saved")


@bp.post("/<lang:lang>/mine/<token>/named")
def change_named(token: str) -> ResponseReturnValue:
    """Whether the name is delivered."""
    signer_page.set_named(token, not request.form.get("unnamed"))
    return _back(token, "saved")


@bp.post("/<lang:lang>/mine/<token>/language")
def change_language(token: str) -> ResponseReturnValue:
    """The language of e-mails."""
    facts = signer_page.open_page(token)
    wanted = request.form.get("language", "")
    if wanted not in catalogue().campaign_with_id(facts.campaign_id).languages:
        abort(422)
    signer_page.set_language(token, wanted)
    return redirect(url_for("signer_page.page", lang=wanted, token=token, done="saved"), 303)


@bp.post("/<lang:lang>/mine/<token>/erase")
def erase(token: str) -> ResponseReturnValue:
    """Withdraw everything, and erase the signer's data."""
    facts = signer_page.open_page(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    signer_page.erase(token)
    return redirect(url_for("signer_page.erased", campaign=campaign.slug), 303)


@bp.get("/<lang:lang>/<campaign>/erased")
def erased(campaign: str) -> ResponseReturnValue:
    """The page after erasing."""
    return render("erased.html", find_campaign(campaign))


@bp.get("/<lang:lang>/mine/<token>/data.json")
def data(token: str) -> Response:
    """Everything stored about the signer, as a download."""
    stored = json.dumps(signer_page.stored_data(token), ensure_ascii=False, indent=1)
    response = Response(stored, content_type="application/json; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="my-signatures.json"'
    return response


@bp.get("/<lang:lang>/<campaign>/mine")
def link_form(campaign: str) -> ResponseReturnValue:
    """The form that requests the link."""
    return render("link.html", find_campaign(campaign), form=AddressForm())


@bp.post("/<lang:lang>/<campaign>/mine")
def send_link(campaign: str) -> ResponseReturnValue:
    """E-mail the link to the address. The answer is the same for every address."""
    found = find_campaign(campaign)
    form = AddressForm()
    if not form.validate():
        return render("link.html", found, form=form), 422
    try:
        signer_page.request_link(form.email.data or "", locale(), found, network())
    except TooManyTries as exc:
        return render("link.html", found, form=form, problem=words_of(exc)), status_of(exc)
    return redirect(url_for("signer_page.link_sent", campaign=found.slug), 303)


@bp.get("/<lang:lang>/<campaign>/mine/sent")
def link_sent(campaign: str) -> ResponseReturnValue:
    """The page after the request."""
    return render("link_sent.html", find_campaign(campaign))


@bp.get("/<lang:lang>/stop/<token>")
def stop_form(token: str) -> ResponseReturnValue:
    """The page before unsubscribing from all e-mail."""
    suppression.check_token(token)
    return render("stop.html", find_campaign(None), token=token, is_done=False)


@bp.post("/<lang:lang>/stop/<token>")
def stop_mails(token: str) -> ResponseReturnValue:
    """Suppress all e-mail to this mailbox."""
    suppression.stop_by_token(token)
    return render("stop.html", find_campaign(None), token=token, is_done=True)


def _page(token: str, *, form: NameForm | None = None, problem: object = None) -> str:
    facts = signer_page.open_page(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    if locale() not in campaign.languages:
        abort(404)
    living = {case_id: state for state in _SIGNED for case_id in facts.in_state(state)}
    living |= dict.fromkeys(facts.uncounted, SignatureState.CONFIRMED)
    return render(
        "signer_page.html",
        campaign,
        token=token,
        facts=facts,
        signed=[(case, living[case.id], facts.signed_at[case.id]) for case in campaign.cases if case.id in living],
        rest=[case for case in campaign.open_cases if case.id not in living],
        form=form or NameForm(),
        problem=problem,
        done=DONE.get(request.args.get("done", "")),
    )


def _back(token: str, done: str | None) -> ResponseReturnValue:
    return redirect(url_for("signer_page.page", token=token, done=done), 303)
