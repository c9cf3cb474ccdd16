"""The board: the counts of all cases, live."""

from flask import abort, render_template, session
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.models.states import CaseState
from petitions.queries import board as boards
from petitions.web import sessions
from petitions.web.admin.login import bp
from petitions.web.i18n import locale

STATES = {
    CaseState.DRAFT: _l("draft"),
    CaseState.PAUSED: _l("paused"),
    CaseState.HIDDEN: _l("hidden"),
    CaseState.WON: _l("won"),
    CaseState.CLOSED: _l("closed"),
}


@bp.get("/")
def board() -> ResponseReturnValue:
    """The whole page."""
    return render_template("admin/board.html", board=boards.newest(locale()), states=STATES, login=session.login)  # type: ignore[attr-defined]


@bp.get("/board")
def board_part() -> ResponseReturnValue:
    """The table alone, which the page fetches every few seconds."""
    sessions.is_poll()
    board = boards.newest(locale())
    if board is None:
        abort(404)
    return render_template("admin/_board.html", board=board, states=STATES)
