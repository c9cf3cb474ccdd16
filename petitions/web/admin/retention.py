"""Retention pages: what is erased when, and the button that records a delivery."""

from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from petitions import clock
from petitions.queries import retention as rules
from petitions.queries.catalogue import catalogue
from petitions.services.privacy import retention as services
from petitions.web.admin.login import by, password_refused
from petitions.web.errors import status_of, wait_of, words_of
from petitions.web.i18n import locale


def retention() -> ResponseReturnValue:
    """Each campaign with its dates and numbers; nobody is named."""
    return _page({})


def record_delivery(campaign: str) -> ResponseReturnValue:
    """Record that the signatures were delivered, with the password again: 30 days later the names are erased."""
    return _with_password(campaign, services.record_delivery)


def undo_delivery(campaign: str) -> ResponseReturnValue:
    """Undo a recorded delivery, with the password again."""
    return _with_password(campaign, services.undo_delivery)


def _with_password(campaign: str, act: Callable[[str, str], None]) -> ResponseReturnValue:
    if exc := password_refused():
        return _page({campaign: words_of(exc)}), status_of(exc), wait_of(exc)
    act(campaign, by())
    return redirect(url_for("admin.retention"), 303)


def _page(refused: dict[str, object]) -> str:
    now = clock.now()
    plans = [(plan, rules.work(plan, now)) for plan in rules.plans(now)]
    titles = {campaign.slug: campaign.text(locale())["title"] for campaign in catalogue().campaigns}
    page = {
        "titles": titles,
        "plans": plans,
        "clock": rules.clock_state(),
        "now": now,
        "refused": refused,
    }
    return render_template("admin/retention.html", **page)
