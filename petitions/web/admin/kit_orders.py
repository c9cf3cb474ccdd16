"""Staff pages of printed kits: what was ordered, labels to print, what is on its way."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from petitions.domain.retention import KIT_ORDERS_AFTER_SENDING
from petitions.errors import NotFound
from petitions.services.paper import kit_orders
from petitions.web.admin import chosen
from petitions.web.admin.login import by


def list_kit_orders() -> ResponseReturnValue:
    """All orders that wait."""
    board = chosen.needed_board()
    return render_template(
        "admin/kit_orders.html",
        board=board,
        is_open=kit_orders.is_open(board.campaign),
        parcels=kit_orders.waiting(board.campaign),
        sent=kit_orders.sent(board.campaign),
        days=KIT_ORDERS_AFTER_SENDING.days,
    )


def print_labels() -> ResponseReturnValue:
    """A label for each order that waits, to print."""
    return render_template("admin/labels.html", parcels=kit_orders.waiting(chosen.slug()))


def change_kit_order() -> ResponseReturnValue:
    """Take orders or no more, note an order as sent, or erase one; raises NotFound for anything else."""
    slug, act = chosen.slug(), request.form.get("act", "")
    if act in ("open", "close"):
        kit_orders.set_open(slug, act == "open", by())
    elif act in ORDER_ACTS:
        ORDER_ACTS[act](slug, chosen.row_number(), by())
    else:
        raise NotFound()
    return redirect(url_for("admin.list_kit_orders"), 303)


ORDER_ACTS = {"sent": kit_orders.mark_sent, "refuse": kit_orders.refuse}
