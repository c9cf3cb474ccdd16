"""Staff pages of collectors: make one, end its code, replace its link."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import CollectorFaulty, NotFound
from petitions.queries import collectors as queries
from petitions.queries.board import Board
from petitions.services.paper import collectors
from petitions.web.admin import chosen
from petitions.web.admin.login import by
from petitions.web.errors import words_of
from petitions.web.forms.collecting import KINDS, whole_number
from petitions.web.forms.staff import CollectorForm
from petitions.web.i18n import locale


def list_collectors() -> ResponseReturnValue:
    """All collectors, and the form for a new one."""
    board = chosen.needed_board()
    return _page(board, CollectorForm(board.timezone))


def create_collector() -> ResponseReturnValue:
    """Make a collector."""
    board = chosen.needed_board()
    form = CollectorForm(board.timezone)
    if not form.validate():
        return _page(board, form), 422
    try:
        collectors.create(
            board.campaign, form.kind.data, form.title.data or "", form.number, form.begin, form.end, by()
        )
    except CollectorFaulty as exc:
        return _page(board, form, words_of(exc)), 422
    return redirect(url_for("admin.list_collectors"), 303)


def change_collector() -> ResponseReturnValue:
    """End the code, or replace the link to the collector's page and show the new one."""
    board, number = chosen.needed_board(), whole_number(request.form.get("number", ""))
    if number not in {each.id for each in queries.of_campaign(board.campaign)}:
        raise NotFound()
    if request.form.get("act") == "link":
        token = collectors.replace_link(number, by())
        link = url_for("collecting.own_page", lang=locale(), token=token, _external=True)
        return _page(board, CollectorForm(board.timezone, {}), links={number: link})
    collectors.end(number, by())
    return redirect(url_for("admin.list_collectors"), 303)


def _page(board: Board, form: CollectorForm, problem: object = None, links: dict[int, str] | None = None) -> str:
    return render_template(
        "admin/collectors.html",
        board=board,
        form=form,
        problem=problem,
        collectors=queries.of_campaign(board.campaign),
        kinds=KINDS,
        links=links or {},
    )
