"""Public pages that are the same for everybody, served from the page cache."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import NotFound
from petitions.queries.catalogue import catalogue
from petitions.queries.privacy import notice_facts
from petitions.services.keys.keyring import settings
from petitions.services.mailing import forecast
from petitions.web import page_cache
from petitions.web.i18n import locale, wanted
from petitions.web.public.views import blank_form, find_campaign, render, render_case

bp = Blueprint("pages", __name__)
LONGEST_CODE = 20


@bp.get("/")
def root() -> Response:
    """Redirect to the visitor's language."""
    public = catalogue()
    if not public.campaigns:
        raise NotFound()
    code = request.args.get("pass", "")  # a short link with a group code
    kept: dict[str, Any] = {"pass": code} if code.replace("-", "").isalnum() and len(code) <= LONGEST_CODE else {}
    home_page = url_for("pages.home", lang=wanted(request, public.current.languages), **kept)
    response = make_response(redirect(home_page, 302))
    response.vary.add("Accept-Language")
    return response


@bp.get("/<lang:lang>/")
def home() -> ResponseReturnValue:
    """The current campaign."""
    return page_cache.page(lambda: _campaign_page(None))


@bp.get("/<lang:lang>/<campaign>/")
def campaign(campaign: str) -> ResponseReturnValue:
    """A campaign by its slug."""
    return page_cache.page(lambda: _campaign_page(campaign))


def _campaign_page(slug: str | None) -> str:
    found = find_campaign(slug)
    return render("campaign.html", found, form=blank_form(found), is_home=True)


@bp.get("/<lang:lang>/<campaign>/cases/<case>/")
def case(campaign: str, case: str) -> ResponseReturnValue:
    """One case: its story, its demand, and the form."""

    def build() -> str:
        found = find_campaign(campaign)
        one = found.case(case)
        return render_case("case.html", found, one, form=blank_form(found, one))

    return page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/thanks")
def thanks(campaign: str) -> ResponseReturnValue:
    """The page after signing for all. It shows nothing about the signer, so it may be shared."""
    return page_cache.page(lambda: render("thanks.html", find_campaign(campaign), case=None, mail_minutes=_wait()))


@bp.get("/<lang:lang>/<campaign>/cases/<case>/thanks")
def thanks_case(campaign: str, case: str) -> ResponseReturnValue:
    """The page after signing for one case."""

    def build() -> str:
        found = find_campaign(campaign)
        return render_case("thanks.html", found, found.case(case), mail_minutes=_wait())

    return page_cache.page(build)


def _wait() -> int:
    """In how many minutes the e-mail will have left, in steps of five; 0 if soon enough."""
    minutes = forecast.minutes_left(settings())
    return -(-minutes // 5) * 5 if minutes > forecast.LATE.total_seconds() / 60 else 0


@bp.get("/<lang:lang>/<campaign>/counts")
def counts(campaign: str) -> ResponseReturnValue:
    """The numbers as a part, which open pages fetch regularly."""
    return page_cache.page(
        lambda: render("_counts.html", find_campaign(campaign), is_swap=True), cache=page_cache.NUMBERS
    )


@bp.get("/<lang:lang>/<campaign>/stories/")
def stories(campaign: str) -> ResponseReturnValue:
    """Successes of earlier campaigns."""
    return page_cache.page(lambda: render("stories.html", find_campaign(campaign)))


@bp.get("/<lang:lang>/<campaign>/stories/<story>/")
def story(campaign: str, story: str) -> ResponseReturnValue:
    """One story, to be shared by itself."""

    def build() -> str:
        found = find_campaign(campaign)
        return render("story.html", found, story=found.story(story))

    return page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/privacy")
def privacy(campaign: str) -> ResponseReturnValue:
    """The privacy notice: what is stored, why, and how long, from the real settings."""

    def build() -> str:
        found = find_campaign(campaign)
        facts = notice_facts(found, catalogue().public_keys, settings(), locale())
        return render("privacy.html", found, notice=render_template("public/privacy.txt", **facts))

    return page_cache.page(build)
