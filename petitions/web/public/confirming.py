"""Confirmation pages: the e-mail's link opens a page with one button, and only the button confirms."""

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import CodeWrong, MailboxFull, NameUnknown, TooManyTries
from petitions.queries import signer
from petitions.queries.catalogue import catalogue
from petitions.services.limits import networks, rate_limits
from petitions.services.signing import confirming, signer_page
from petitions.web.errors import status_of, words_of
from petitions.web.forms.code import CodeForm
from petitions.web.forms.consent import more_words
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render, ticked_cases
from petitions.web.security import network

bp = Blueprint("confirming", __name__)


@bp.get("/<lang:lang>/confirm/<token>")
def confirm_form(token: str) -> ResponseReturnValue:
    """What is pending for this link's signer; after confirmation, what else can be done. Changes nothing."""
    return _page(token)


@bp.post("/<lang:lang>/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Confirm the signatures. Where several people used the address, the name says whose."""
    first_name, last_name = (request.form.get(name, "").strip() for name in ("first_name", "last_name"))
    try:
        if first_name or last_name:
            token = confirming.confirm_named(token, first_name, last_name)
        else:
            confirming.confirm_signer(token, wants_receipt=bool(request.form.get("receipt")))
    except (NameUnknown, MailboxFull) as exc:
        return _page(token, problem=words_of(exc)), status_of(exc)
    return redirect(url_for("confirming.confirm_form", token=token), 303)


def _page(token: str, problem: object = None) -> str:
    facts = confirming.open_link(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    if locale() not in campaign.languages:
        abort(404)
    signed = {*facts.pending, *facts.confirmed}
    return render(
        "confirm.html",
        campaign,
        token=token,
        problem=problem,
        beside=signer.others_waiting(facts) if facts.pending and not facts.is_confirmed else 0,
        pending=[case for case in campaign.cases if case.id in facts.pending],
        confirmed=[case for case in campaign.cases if case.id in facts.confirmed],
        own_token=signer_page.link_token(facts),
        rest=[case for case in campaign.open_cases if case.id not in signed],
    )


@bp.post("/<lang:lang>/confirm/<token>/more")
def add_cases(token: str) -> ResponseReturnValue:
    """Sign further cases; the mailbox is confirmed, so they count at once."""
    facts = confirming.open_link(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    chosen = ticked_cases(campaign)
    if chosen:
        confirming.sign_more(token, campaign, chosen, more_words(campaign))
    return redirect(url_for("confirming.confirm_form", token=token), 303)


@bp.post("/<lang:lang>/confirm/<token>/not-me")
def reject(token: str) -> ResponseReturnValue:
    """The answer "it was not me": withdraw what is pending, and erase it."""
    facts = confirming.open_link(token)
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    confirming.reject_signer(token)
    return redirect(url_for("confirming.rejected", campaign=campaign.slug), 303)


@bp.get("/<lang:lang>/<campaign>/rejected")
def rejected(campaign: str) -> ResponseReturnValue:
    """The page after "it was not me"."""
    return render("rejected.html", find_campaign(campaign))


@bp.get("/<lang:lang>/<campaign>/code")
def code_form(campaign: str) -> ResponseReturnValue:
    """The form for the six-digit code."""
    return render("code.html", find_campaign(campaign), form=CodeForm())


@bp.post("/<lang:lang>/<campaign>/code")
def confirm_by_code(campaign: str) -> ResponseReturnValue:
    """Confirm by address and code. A wrong pair shows nothing about the address."""
    found = find_campaign(campaign)
    form = CodeForm()
    if not form.validate():
        return render("code.html", found, form=form), 422
    try:
        if place := networks.line(network()):
            rate_limits.spend(rate_limits.CODE_TRIES_NETWORK, place)
        token = confirming.confirm_by_code(found, form.email.data or "", form.code.data or "")
    except (CodeWrong, TooManyTries, MailboxFull) as exc:
        return render("code.html", found, form=form, problem=words_of(exc)), status_of(exc)
    return redirect(url_for("confirming.confirm_form", token=token), 303)
