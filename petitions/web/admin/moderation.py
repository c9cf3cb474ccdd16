"""Moderation pages: group codes, the end of a hold, invalidations."""

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_pgettext

from petitions import clock
from petitions.domain.states import SignatureState
from petitions.errors import DomainError, GroupCodeFaulty, NotFound, ReasonMissing
from petitions.queries import moderation
from petitions.queries.board import Board
from petitions.queries.moderation import Condition
from petitions.services.limits import group_codes
from petitions.services.moderation import holds, invalidations
from petitions.web.admin import chosen
from petitions.web.admin.login import by, password_refused
from petitions.web.errors import status_of, wait_of, words_of
from petitions.web.forms.staff import GroupCodeForm, InvalidationForm

STATES = {
    SignatureState.CONFIRMED: lazy_pgettext("signatures", "confirmed"),
    SignatureState.HELD: lazy_pgettext("signatures", "held back"),
    SignatureState.PENDING: lazy_pgettext("signatures", "waiting"),
}


def list_group_codes() -> ResponseReturnValue:
    """All group codes, and the form for a new one."""
    board = _board()
    return _group_codes_page(board, GroupCodeForm(board.timezone))


def create_group_code() -> ResponseReturnValue:
    """Create a group code."""
    board = _board()
    form = GroupCodeForm(board.timezone)
    if not form.validate():
        return _group_codes_page(board, form), 422
    try:
        group_codes.create_group_code(board.campaign, form.place.data or "", form.number, form.begin, form.end, by())
    except GroupCodeFaulty as exc:
        return _group_codes_page(board, form, words_of(exc)), 422
    return redirect(url_for("admin.list_group_codes"), 303)


def end_group_code() -> ResponseReturnValue:
    """End a group code now."""
    group_codes.end_group_code(_number(), by())
    return redirect(url_for("admin.list_group_codes"), 303)


def count_held() -> ResponseReturnValue:
    """End the hold and count the held signatures."""
    holds.count_held(_board().campaign, by())
    return redirect(url_for("admin.board"), 303)


def list_invalidations() -> ResponseReturnValue:
    """All invalidations, and the form for a new one."""
    board = _board()
    return _invalidations_page(board, InvalidationForm(board.timezone))


def prepare_invalidation() -> ResponseReturnValue:
    """Count what would be invalidated, and show it."""
    board = _board()
    form = InvalidationForm(board.timezone)
    if not form.validate():
        return _invalidations_page(board, form), 422
    try:
        reason = form.reason.data or ""
        invalidations.prepare_invalidation(board.campaign, form.condition(), reason, by(), form.chosen_kind)
    except ReasonMissing as exc:
        return _invalidations_page(board, form, words_of(exc)), 422
    return redirect(url_for("admin.list_invalidations"), 303)


def run_invalidation() -> ResponseReturnValue:
    """Invalidate the signatures, with the password again."""
    return _with_password(invalidations.run_invalidation)


def undo_invalidation() -> ResponseReturnValue:
    """Restore the signatures, with the password again."""
    return _with_password(invalidations.undo_invalidation)


def _with_password(act: Callable[[int, str], int]) -> ResponseReturnValue:
    number = _number()
    if exc := password_refused():
        board = _board()
        page = _invalidations_page(board, InvalidationForm(board.timezone), refused=(number, exc))
        return page, status_of(exc), wait_of(exc)
    act(number, by())
    return redirect(url_for("admin.list_invalidations"), 303)


def _number() -> int:
    """The row that the button belongs to; raises NotFound for an invalid number."""
    said = request.form.get("number", "")
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise NotFound()
    return int(said)


def _board() -> Board:
    board = chosen.board()
    if board is None:
        raise NotFound()
    return board


def _group_codes_page(board: Board, form: GroupCodeForm, problem: object = None) -> str:
    made = [(row, group_codes.display_code(row.id)) for row in moderation.group_codes(board.campaign)]
    return render_template(
        "admin/group_codes.html",
        board=board,
        form=form,
        problem=problem,
        group_codes=made,
        now=clock.now(),
        default=group_codes,
    )


def _invalidations_page(
    board: Board, form: InvalidationForm, problem: object = None, refused: tuple[int, DomainError] | None = None
) -> str:
    rows = [(row, Condition.from_json(row.condition)) for row in moderation.invalidations(board.campaign)]
    made = {row.id: row.place for row in moderation.group_codes(board.campaign)}
    return render_template(
        "admin/invalidations.html",
        board=board,
        form=form,
        problem=problem,
        states=STATES,
        invalidations=rows,
        group_codes=made,
        refused={refused[0]: words_of(refused[1])} if refused else {},
    )
