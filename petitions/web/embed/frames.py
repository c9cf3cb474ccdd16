"""The form in a frame on other sites: without cookies, and only on sites that the campaign lists."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from petitions.queries import published_counts
from petitions.queries.catalogue import PublicCampaign, PublicCase
from petitions.web import page_cache, security
from petitions.web.assets import STATIC
from petitions.web.forms.sign import SignForm
from petitions.web.public.signing import take_entry
from petitions.web.public.views import blank_form, find_campaign, render, render_case

bp = Blueprint("embed", __name__, url_prefix="/embed")
FILES = {"height.js", "frame.js", "frame.css"}


@bp.get("/<lang:lang>/<campaign>/")
def frame(campaign: str) -> ResponseReturnValue:
    """The form for all open cases."""
    return _framed(campaign, lambda found: frame_page(found, None))


@bp.get("/<lang:lang>/<campaign>/<case>/")
def case_frame(campaign: str, case: str) -> ResponseReturnValue:
    """One case, with its form."""
    return _framed(campaign, lambda found: frame_page(found, found.case(case)))


@bp.post("/<lang:lang>/<campaign>/sign")
def sign(campaign: str) -> ResponseReturnValue:
    """Sign the ticked cases."""
    found = find_campaign(campaign)
    return _in_frame(found, take_entry(SignForm(found), url_for("embed.thanks", campaign=found.slug), frame_page))


@bp.post("/<lang:lang>/<campaign>/<case>/sign")
def sign_case(campaign: str, case: str) -> ResponseReturnValue:
    """Sign this case."""
    found = find_campaign(campaign)
    one = found.case(case)
    thanks = url_for("embed.case_thanks", campaign=found.slug, case=one.slug)
    return _in_frame(found, take_entry(SignForm(found, one), thanks, frame_page))


@bp.get("/<lang:lang>/<campaign>/thanks")
def thanks(campaign: str) -> ResponseReturnValue:
    """The page after signing for all."""
    return _framed(campaign, lambda found: render("embed/thanks.html", found, case=None, is_embedded=True))


@bp.get("/<lang:lang>/<campaign>/<case>/thanks")
def case_thanks(campaign: str, case: str) -> ResponseReturnValue:
    """The page after signing for one case."""

    def build(found: PublicCampaign) -> str:
        return render_case("embed/thanks.html", found, found.case(case), is_embedded=True)

    return _framed(campaign, build)


@bp.get("/<lang:lang>/<campaign>/badge.svg")
def badge(campaign: str) -> ResponseReturnValue:
    """The published count as a small picture."""

    def build() -> str:
        found = find_campaign(campaign)
        return render_template("embed/badge.svg", total=published_counts.public(found).total.signatures)

    headers = security.FOR_OTHER_SITES
    return page_cache.page(build, cache=page_cache.NUMBERS, content_type="image/svg+xml", headers=headers)


@bp.get("/files/<name>")
def file(name: str) -> ResponseReturnValue:
    """Files for the other site and for sandboxed frames, which may not load those of our own pages."""
    if name not in FILES:
        abort(404)
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return page_cache.page(
        lambda: (STATIC / "embed" / name).read_text(encoding="utf-8"),
        content_type=f"{kind}; charset=utf-8",
        headers=security.FOR_OTHER_SITES,
    )


def frame_page(
    campaign: PublicCampaign, only: PublicCase | None, form: SignForm | None = None, **context: object
) -> str:
    """The form in its frame; `form`: as it was typed."""
    slugs: dict[str, Any] = {"campaign": campaign.slug} | ({"case": only.slug} if only else {})
    context |= {
        "form": form or blank_form(campaign, only),
        "action": url_for("embed.sign" if only is None else "embed.sign_case", **slugs),
        "page_url": url_for("pages.campaign" if only is None else "pages.case", **slugs),
    }
    if only is None:
        return render("embed/frame.html", campaign, case=None, **context)
    return render_case("embed/frame.html", campaign, only, **context)


def _framed(slug: str, build: Callable[[PublicCampaign], str]) -> Response:
    found = find_campaign(slug)
    return page_cache.page(lambda: build(find_campaign(slug)), headers=_headers(found))


def _in_frame(campaign: PublicCampaign, answer: ResponseReturnValue) -> Response:
    response = make_response(answer)
    response.headers.update(_headers(campaign))
    return response


def _headers(campaign: PublicCampaign) -> tuple[tuple[str, str], ...]:
    """The policy of all pages, but with the sites that may frame this one."""
    sites = " ".join(campaign.embed_sites) or "'none'"
    return (("Content-Security-Policy", security.CSP.replace("frame-ancestors 'none'", f"frame-ancestors {sites}")),)
