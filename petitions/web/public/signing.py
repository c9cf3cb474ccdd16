"""Signing, for one case or for all: one view serves plain forms and htmx, which uses a part of the same page."""

from collections.abc import Callable

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from wtforms.validators import ValidationError

from petitions.errors import Busy, ProofNeeded, TooManyTries
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.services.limits import networks, proof_of_work, rate_limits
from petitions.services.signing.signing import sign_cases
from petitions.web import page_cache
from petitions.web.errors import status_of, wait_of, words_of
from petitions.web.forms.guards import GuardedForm
from petitions.web.forms.sign import SignForm
from petitions.web.public.views import blank_form, find_campaign, render, render_case
from petitions.web.security import network

bp = Blueprint("signing", __name__)


@bp.get("/<lang:lang>/<campaign>/sign")
def sign_form(campaign: str) -> ResponseReturnValue:
    """The form on a page of its own, for a reload of its URL."""
    return page_cache.page(lambda: form_page(find_campaign(campaign), None))


@bp.get("/<lang:lang>/<campaign>/cases/<case>/sign")
def sign_case_form(campaign: str, case: str) -> ResponseReturnValue:
    """The form for one case on a page of its own."""

    def build() -> str:
        found = find_campaign(campaign)
        return form_page(found, found.case(case))

    return page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/for/<code>")
def sign_form_for(campaign: str, code: str) -> ResponseReturnValue:
    """The form with the code of a collector: the collector's own link."""
    form = blank_form(find_campaign(campaign))
    form.pass_code.data = code
    try:
        form.validate_pass_code(form.pass_code)
    except ValidationError as exc:
        form.pass_code.errors = [str(exc)]
    return form_page(form.campaign, None, form)


@bp.post("/<lang:lang>/<campaign>/sign")
def sign(campaign: str) -> ResponseReturnValue:
    """Sign the ticked cases."""
    found = find_campaign(campaign)
    return take_entry(SignForm(found), url_for("pages.thanks", campaign=found.slug), form_page)


@bp.post("/<lang:lang>/<campaign>/cases/<case>/sign")
def sign_case(campaign: str, case: str) -> ResponseReturnValue:
    """Sign this case."""
    found = find_campaign(campaign)
    one = found.case(case)
    thanks = url_for("pages.thanks_case", campaign=found.slug, case=one.slug)
    return take_entry(SignForm(found, one), thanks, form_page)


def take_entry(form: SignForm, thanks: str, page: Callable[..., str]) -> ResponseReturnValue:
    """Sign as the form says and go on to `thanks`; else `page`, with the form as it was typed and what to do."""
    if not form.validate():
        if place := networks.line(network()):
            rate_limits.spend(rate_limits.INVALID, place)
        return page(form.campaign, form.only, form), 422
    try:
        sign_cases(form.entry())
    except (Busy, TooManyTries, ProofNeeded) as exc:  # nothing was recorded; the form keeps what was typed
        problem, question = explain(exc, form.campaign, form)
        again = page(form.campaign, form.only, form, problem=problem, question=question)
        return again, status_of(exc), wait_of(exc)
    return redirect(thanks, 303)


def explain(
    exc: Busy | TooManyTries | ProofNeeded, campaign: PublicCampaign, form: GuardedForm
) -> tuple[str, proof_of_work.Question | None]:
    """Why the form was not taken, in words, and the challenge that the page solves, if one is needed."""
    problem = str(words_of(exc))
    if not isinstance(exc, ProofNeeded):
        return problem, None
    question = proof_of_work.ask(campaign.id, network(), form.proof.data or "", price=exc.price, seconds=exc.seconds)
    return problem + " " + ngettext(
        "Wait %(num)s second, then press the button once more. Most browsers do it for you.",
        "Wait %(num)s seconds, then press the button once more. Most browsers do it for you.",
        question.seconds,
    ), question


def form_page(
    campaign: PublicCampaign, only: PublicCase | None, form: SignForm | None = None, **context: object
) -> str:
    """The form on a page of its own; `form` as it was typed, if it was."""
    form = form or blank_form(campaign, only)
    if only is None:
        return render("sign.html", campaign, case=None, form=form, **context)
    return render_case("sign.html", campaign, only, form=form, **context)
