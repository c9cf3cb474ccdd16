"""What is erased when, and the button that says that the signatures were handed over."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from petitions import clock
from petitions.queries import retention as rules
from petitions.queries.catalogue import catalogue
from petitions.services.privacy import retention as services
from petitions.web import sessions
from petitions.web.admin.login import bp, by
from petitions.web.i18n import locale


@bp.get("/retention")
def retention() -> ResponseReturnValue:
    """Each campaign with its dates and numbers; nobody is named."""
    now = clock.now()
    plans = [(plan, rules.work(plan, now)) for plan in rules.plans(now)]
    titles = {campaign.slug: campaign.text(locale())["title"] for campaign in catalogue().campaigns}
    page = {
        "titles": titles,
        "plans": plans,
        "clock": rules.clock_state(),
        "now": now,
        "login": sessions.current().login,
    }
    return render_template("admin/retention.html", **page)


@bp.post("/retention/<campaign>/handed-over")
def record_delivery(campaign: str) -> ResponseReturnValue:
    """Record the hand-over: 30 days later the names are erased."""
    services.record_hand_over(campaign, by())
    return redirect(url_for("admin.retention"), 303)
