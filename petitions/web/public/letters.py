"""The page for writing a letter for a case: nothing is sent, and only the letter is printed."""

from datetime import date
from urllib.parse import quote

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from petitions import locales
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.web import page_cache
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render_case

bp = Blueprint("letters", __name__)
LONGEST_MAILTO = 1_800  # Outlook does not open longer ones


@bp.get("/<lang:lang>/<campaign>/cases/<case>/letter/")
def letter(campaign: str, case: str) -> ResponseReturnValue:
    """The addressee, the sample letter to change, and what to leave out. A case that ended redirects to its page."""
    found = find_campaign(campaign)
    one = found.case(case)
    if one not in found.open_cases:
        return redirect(url_for("pages.case", campaign=campaign, case=case))
    return page_cache.page(lambda: _letter_page(found, one))


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
    return next((link for link in links if len(link) <= LONGEST_MAILTO), f"mailto:{quote(to, '@')}")


def _crlf(text: str) -> str:
    return text.replace("\n", "\r\n")
