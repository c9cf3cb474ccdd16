"""Staff pages of collectors: make one, end its code, replace its link."""

from datetime import date

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from petitions import clock
from petitions.errors import CollectorFaulty, NotFound
from petitions.queries import collectors as queries
from petitions.queries.board import Board
from petitions.queries.catalogue import catalogue
from petitions.services.paper import collectors, contest
from petitions.web.admin import chosen
from petitions.web.admin.login import by
from petitions.web.admin.staff import DAY_WRONG
from petitions.web.errors import words_of
from petitions.web.forms.collecting import KINDS, whole_number
from petitions.web.forms.staff import CollectorForm
from petitions.web.i18n import locale
from petitions.web.public.views import render


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


def change_contest() -> ResponseReturnValue:
    """Set the last day, freeze the ranking, or draw among equals; raises NotFound for anything else."""
    board, act = chosen.needed_board(), request.form.get("act", "")
    if act == "end":
        typed = request.form.get("ends_on", "").strip()
        try:
            ends_on = date.fromisoformat(typed) if typed else None
        except ValueError:
            return _page(board, CollectorForm(board.timezone, {}), day_problem=DAY_WRONG), 422
        contest.set_end(board.campaign, ends_on, by())
    elif act == "freeze":
        contest.freeze(board.campaign, by())
    else:
        contest.draw(board.campaign, request.form.get("kind", ""), by())
    return redirect(url_for("admin.list_collectors"), 303)


def print_certificates() -> ResponseReturnValue:
    """A certificate for each collector with which something came in, to print."""
    board = chosen.needed_board()
    collectors = [each for each in queries.of_campaign(board.campaign) if each.title and each.letters + each.paper]
    campaign = catalogue().campaign(board.campaign)
    shown = {"collectors": collectors, "winners": queries.winners(board.campaign), "kinds": KINDS}
    return render("certificates.html", campaign, **shown)


def _page(
    board: Board,
    form: CollectorForm,
    problem: object = None,
    links: dict[int, str] | None = None,
    day_problem: object = None,
) -> str:
    end = queries.contest(board.campaign)
    return render_template(
        "admin/collectors.html",
        board=board,
        form=form,
        problem=problem,
        collectors=queries.of_campaign(board.campaign),
        kinds=KINDS,
        links=links or {},
        contest=end,
        is_over=bool(end.ends_on and end.ends_on < clock.now().date()),
        equals={kind: found for kind in KINDS if (found := contest.equals(board.campaign, kind))},
        day_problem=day_problem,
    )
