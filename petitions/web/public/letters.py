"""The page for writing a letter for a case: nothing typed is sent, only the letter is printed; and what was posted."""

from datetime import date
from urllib.parse import quote

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from petitions import locales
from petitions.errors import Busy, ProofNeeded, TooManyTries
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.services.campaigns import actions
from petitions.web import page_cache
from petitions.web.errors import status_of, wait_of
from petitions.web.forms.posted import PostedForm
from petitions.web.i18n import locale
from petitions.web.public.signing import explain
from petitions.web.public.views import find_campaign, render_case
from petitions.web.security import network

bp = Blueprint("letters", __name__)
LONGEST_MAILTO = 1_800  # Outlook does not open longer ones


@bp.get("/<lang:lang>/<campaign>/cases/<case>/letter/")
def letter(campaign: str, case: str) -> ResponseReturnValue:
    """The addressee, the sample letter to change, and what to leave out. A case that ended redirects to its page."""
    found = find_campaign(campaign)
    one = found.case(case)
    if one not in found.open_cases:
        return _ended(campaign, case)
    return page_cache.page(lambda: _letter_page(found, one))


@bp.get("/<lang:lang>/<campaign>/cases/<case>/letter/posted")
def report_form(campaign: str, case: str) -> ResponseReturnValue:
    """The form for who has posted letters."""
    found = find_campaign(campaign)
    one = found.case(case)
    if one not in found.open_cases:
        return _ended(campaign, case)
    return page_cache.page(lambda: render_case("posted.html", found, one, form=PostedForm()))


@bp.post("/<lang:lang>/<campaign>/cases/<case>/letter/posted")
def report(campaign: str, case: str) -> ResponseReturnValue:
    """Count letters that their writer has posted; they are never added to those that came back to us."""
    found = find_campaign(campaign)
    one = found.case(case)
    if one not in found.open_cases:
        return _ended(campaign, case)
    form = PostedForm()
    if not form.validate():
        return render_case("posted.html", found, one, form=form), 422
    try:
        actions.report_letters(
            found, one, form.number, network(), proof=form.proof.data or "", is_automatic=form.is_automatic
        )
    except (Busy, TooManyTries, ProofNeeded) as exc:
        problem, question = explain(exc, found, form)
        page = render_case("posted.html", found, one, form=form, problem=problem, question=question)
        return page, status_of(exc), wait_of(exc)
    return redirect(url_for("letters.reported", campaign=campaign, case=case), 303)


@bp.get("/<lang:lang>/<campaign>/cases/<case>/letter/thanks")
def reported(campaign: str, case: str) -> ResponseReturnValue:
    """The thanks for a report."""
    found = find_campaign(campaign)
    one = found.case(case)
    return page_cache.page(lambda: render_case("posted.html", found, one, has_reported=True))


def _ended(campaign: str, case: str) -> ResponseReturnValue:
    return redirect(url_for("pages.case", campaign=campaign, case=case))


def _letter_page(campaign: PublicCampaign, case: PublicCase) -> str:
    facts, words = case.letter_facts, case.text(locale())
    until = facts.get("send_until")
    return render_case(
        "letter.html",
        campaign,
        case,
        facts=facts,
        send_until=locales.long_date(date.fromisoformat(until), locale()) if until else "",
        mailto=mail_link(facts["email"], words["title"], [words["letter"], words["demand"], ""])
        if "email" in facts
        else "",
    )


def mail_link(to: str, subject: str, bodies: list[str]) -> str:
    """A mailto: URL with the first of the `bodies` that is short enough for every e-mail program."""
    links = (f"mailto:{quote(to, '@')}?subject={quote(subject)}&body={quote(_crlf(body))}" for body in bodies)
    return next((link for link in links if len(link) <= LONGEST_MAILTO), _without_body(to, subject))


def _without_body(to: str, subject: str) -> str:
    """A mailto: URL with as much of the subject as fits: some programs do not send without one."""
    while len(quote(subject)) > LONGEST_MAILTO // 2:
        subject = subject[:-1]
    return f"mailto:{quote(to, '@')}?subject={quote(subject)}"


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")
