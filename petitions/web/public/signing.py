"""Signing, for one or for all: the same view for plain forms and for htmx, which takes its part of the same page."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import Busy
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.services.signing import sign_cases
from petitions.web import ready
from petitions.web.errors import MESSAGES, RETRY_AFTER
from petitions.web.forms.sign import SignForm
from petitions.web.public.views import blank_form, find_campaign, render, render_case

bp = Blueprint("signing", __name__)


@bp.get("/<lang:lang>/<campaign>/sign")
def sign(campaign: str) -> ResponseReturnValue:
    """The form on a page of its own, for those who come back to its address."""
    return ready.page(lambda: _form_page(find_campaign(campaign), None))


@bp.get("/<lang:lang>/<campaign>/cases/<case>/sign")
def sign_case(campaign: str, case: str) -> ResponseReturnValue:
    """The form for one case on a page of its own."""

    def build() -> str:
        found = find_campaign(campaign)
        return _form_page(found, found.case(case))

    return ready.page(build)


@bp.post("/<lang:lang>/<campaign>/sign")
def signed(campaign: str) -> ResponseReturnValue:
    """Sign for all that are ticked."""
    found = find_campaign(campaign)
    return _sign(SignForm(found), url_for("pages.thanks", campaign=found.slug))


@bp.post("/<lang:lang>/<campaign>/cases/<case>/sign")
def signed_case(campaign: str, case: str) -> ResponseReturnValue:
    """Sign for this one."""
    found = find_campaign(campaign)
    one = found.case(case)
    return _sign(SignForm(found, one), url_for("pages.thanks_case", campaign=found.slug, case=one.slug))


def _sign(form: SignForm, thanks: str) -> ResponseReturnValue:
    if not form.validate():
        return _form_page(form.campaign, form.only, form), 422
    try:
        sign_cases(form.entry())
    except Busy as why:  # nothing was recorded; what was typed is kept
        page = _form_page(form.campaign, form.only, form, problem=MESSAGES[why.code])
        return page, 503, {"Retry-After": str(RETRY_AFTER[Busy])}
    return redirect(thanks, 303)


def _form_page(
    campaign: PublicCampaign, only: PublicCase | None, form: SignForm | None = None, problem: object = None
) -> str:
    form = form or blank_form(campaign, only)
    if only is None:
        return render("sign.html", campaign, case=None, form=form, problem=problem)
    return render_case("sign.html", campaign, only, form=form, problem=problem)
