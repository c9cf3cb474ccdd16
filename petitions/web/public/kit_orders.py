"""Pages on which visitors order printed kits."""

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from petitions.domain.retention import KIT_ORDERS_AFTER_SENDING
from petitions.errors import TooManyTries
from petitions.queries.catalogue import PublicCampaign
from petitions.services.paper import kit_orders
from petitions.web.errors import status_of, words_of
from petitions.web.forms.kit_orders import KitOrderForm
from petitions.web.i18n import locale
from petitions.web.public.views import find_campaign, render
from petitions.web.security import network

bp = Blueprint("kit_orders", __name__)


@bp.get("/<lang:lang>/<campaign>/kit/order")
def order_form(campaign: str) -> ResponseReturnValue:
    """The form; 404 where no kits are sent."""
    found = _offering(campaign)
    return _page(found, KitOrderForm(found, locale()))


@bp.post("/<lang:lang>/<campaign>/kit/order")
def order(campaign: str) -> ResponseReturnValue:
    """Take the order."""
    found = _offering(campaign)
    form = KitOrderForm(found, locale())
    if not form.validate():
        return _page(found, form), 422
    name, address = form.recipient.data or "", form.address.data or ""
    try:
        kit_orders.take(found.id, name, address, form.kits, form.language.data, network())
    except TooManyTries as exc:
        return _page(found, form, words_of(exc)), status_of(exc)
    return redirect(url_for("kit_orders.ordered", campaign=found.slug), 303)


@bp.get("/<lang:lang>/<campaign>/kit/ordered")
def ordered(campaign: str) -> ResponseReturnValue:
    """The page after an order."""
    return render("kit_ordered.html", find_campaign(campaign))


def _offering(campaign: str) -> PublicCampaign:
    found = find_campaign(campaign)
    if found.is_over or not kit_orders.is_open(found.slug):
        abort(404)
    return found


def _page(campaign: PublicCampaign, form: KitOrderForm, problem: object = None) -> str:
    return render("kit_order.html", campaign, form=form, problem=problem, days=KIT_ORDERS_AFTER_SENDING.days)
