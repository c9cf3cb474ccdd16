"""The cases with their states; each can be paused, hidden, won or closed at once."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from petitions.domain.states import CaseState
from petitions.errors import NotFound
from petitions.queries.catalogue import CATALOGUE_CACHE
from petitions.services.campaigns import states
from petitions.web.admin import chosen
from petitions.web.admin.login import by
from petitions.web.page_cache import PAGE_CACHE

STATES = {
    CaseState.DRAFT: lazy_pgettext("case", "draft"),
    CaseState.OPEN: lazy_pgettext("case", "open"),
    CaseState.PAUSED: lazy_pgettext("case", "paused"),
    CaseState.HIDDEN: lazy_pgettext("case", "hidden"),
    CaseState.WON: lazy_pgettext("case", "won"),
    CaseState.CLOSED: lazy_pgettext("case", "closed"),
}
# The states that staff can choose, with the words on the button and what the state means to visitors
CHOICES = {
    CaseState.HIDDEN: (_l("Hide at once"), _l("Nobody sees it anywhere on this site. Its signatures are kept.")),
    CaseState.PAUSED: (lazy_pgettext("case", "Pause"), _l("Everybody can read it. Nobody can sign for the moment.")),
    CaseState.OPEN: (lazy_pgettext("case", "Open"), _l("Everybody can read it and sign while the campaign is open.")),
    CaseState.WON: (_l("Mark as won"), _l("Everybody can read what was achieved. Signing has ended.")),
    CaseState.CLOSED: (lazy_pgettext("case", "Close"), _l("Everybody can read it. Signing has ended.")),
}


def list_cases() -> ResponseReturnValue:
    """All cases of the campaign in their order, with the states that each can get."""
    return render_template(
        "admin/cases.html",
        board=chosen.board(),
        states=STATES,
        choices=CHOICES,
        changed=request.args.get("changed", ""),
    )


def change_case() -> ResponseReturnValue:
    """Give one case another state, at once."""
    campaign, case, state = (request.form.get(key, "") for key in ("campaign", "case", "state"))
    if state not in CHOICES:
        raise NotFound(state=state)
    states.set_case_state(campaign, case, CaseState(state), by(), CATALOGUE_CACHE.of())
    PAGE_CACHE.of().forget()
    return redirect(url_for("admin.list_cases", changed=case, _anchor=f"case-{case}"), 303)
