"""Donations: a link, suggested amounts, and a code for banking programs. Nothing about donors is stored."""

from flask import Blueprint, Response, redirect, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import NotFound
from petitions.kit.builder import Builder, Building
from petitions.queries.catalogue import PublicCampaign
from petitions.services.campaigns import actions
from petitions.services.keys.keyring import settings
from petitions.web import page_cache
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render
from petitions.web.security import network

bp = Blueprint("donating", __name__)
PLACES = ("before", "thanks", "closed", "footer", "page")  # where a donation link stands


@bp.get("/<lang:lang>/<campaign>/donate/")
def page(campaign: str) -> ResponseReturnValue:
    """The ways to donate; 404 if the campaign has none."""

    def build() -> str:
        return render("donate.html", _with_donation(campaign))

    return page_cache.page(build)


@bp.get("/<lang:lang>/<campaign>/donate.svg")
def code(campaign: str) -> ResponseReturnValue:
    """The code that banking programs read (EPC069-12); while it is made, the page that shows the number too."""
    found = _with_donation(campaign)
    made = Builder.of(settings()).document({"format": "svg", "code": transfer(found), "level": "m"})
    if isinstance(made, Building):
        return redirect(url_for("donating.page", campaign=campaign))
    return Response(made.read_bytes(), mimetype="image/svg+xml", headers={"Cache-Control": page_cache.PAGE})


@bp.post("/<lang:lang>/<campaign>/donate/opened/<place>")
def opened(campaign: str, place: str) -> ResponseReturnValue:
    """Count a donation link that was followed. Browsers send this by the attribute `ping`, without a cookie.

    Firefox does not unless it is told to: the number is a lower bound.
    """
    found = _with_donation(campaign)
    if place not in PLACES:
        raise NotFound(campaign=campaign)
    actions.count_click(found, place, network())
    return "", 204


def transfer(campaign: PublicCampaign) -> str:
    """A transfer in euros to the organisation, without an amount: the fields of EPC069-12, version 2, by line."""
    iban = campaign.controller["iban"].replace(" ", "").upper()
    name, purpose = campaign.controller["name"][:70], campaign.text(locale())["title"][:140]
    return "\n".join(["BCD", "002", "1", "SCT", "", name, iban, "", "", "", purpose])


def _with_donation(slug: str) -> PublicCampaign:
    found = find_campaign(slug)
    if not found.text(locale()).get("donation_title"):
        raise NotFound(campaign=slug)
    if not (found.controller.get("iban") or found.text(locale()).get("donation_url")):
        raise NotFound(campaign=slug)
    return found
