"""The board: the counts of all cases, live."""

from flask import render_template, session
from flask.typing import ResponseReturnValue

from petitions.queries import board as boards
from petitions.web import sessions
from petitions.web.admin.login import bp
from petitions.web.i18n import locale


@bp.get("/")
def board() -> ResponseReturnValue:
    """The whole page."""
    return render_template("admin/board.html", board=boards.newest(locale()), login=session.login)  # type: ignore[attr-defined]


@bp.get("/board")
def board_part() -> ResponseReturnValue:
    """The table alone, which the page fetches every few seconds."""
    sessions.is_poll()
    return render_template("admin/_board.html", board=boards.newest(locale()))
