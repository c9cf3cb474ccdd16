"""Moderation pages: the end of a hold, invalidations."""

from collections.abc import Callable

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_pgettext

from petitions.domain.states import SignatureState
from petitions.errors import DomainError, OtherOwnerNeeded, ReasonMissing
from petitions.queries import collectors, moderation
from petitions.queries.board import Board
from petitions.queries.moderation import Condition
from petitions.services.moderation import holds, invalidations
from petitions.services.staff import second_person
from petitions.web.admin import chosen
from petitions.web.admin.login import by, password_refused
from petitions.web.errors import status_of, wait_of, words_of
from petitions.web.forms.staff import InvalidationForm

STATES = {
    SignatureState.CONFIRMED: lazy_pgettext("signatures", "confirmed"),
    SignatureState.HELD: lazy_pgettext("signatures", "held back"),
    SignatureState.PENDING: lazy_pgettext("signatures", "waiting"),
}


def count_held() -> ResponseReturnValue:
    """End the hold and count the held signatures."""
    holds.count_held(chosen.needed_board().campaign, by())
    return redirect(url_for("admin.board"), 303)


def list_invalidations() -> ResponseReturnValue:
    """All invalidations, and the form for a new one."""
    board = chosen.needed_board()
    return _invalidations_page(board, InvalidationForm(board.timezone))


def prepare_invalidation() -> ResponseReturnValue:
    """Count what would be invalidated, and show it."""
    board = chosen.needed_board()
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
    """Invalidate the signatures, with the password again; many of them only if another owner prepared it."""
    return _with_password(_run)


def undo_invalidation() -> ResponseReturnValue:
    """Restore the signatures, with the password again."""
    return _with_password(invalidations.undo_invalidation)


def _with_password(act: Callable[[int, str], int]) -> ResponseReturnValue:
    number = chosen.row_number()
    exc = password_refused()
    try:
        if not exc:
            act(number, by())
    except OtherOwnerNeeded as other:
        exc = other
    if exc:
        board = chosen.needed_board()
        page = _invalidations_page(board, InvalidationForm(board.timezone), refused=(number, exc))
        return page, status_of(exc), wait_of(exc)
    return redirect(url_for("admin.list_invalidations"), 303)


def _run(number: int, by: str) -> int:
    second_person.check_invalidation(number, by)
    return invalidations.run_invalidation(number, by)


def _invalidations_page(
    board: Board, form: InvalidationForm, problem: object = None, refused: tuple[int, DomainError] | None = None
) -> str:
    rows = [(row, Condition.from_json(row.condition)) for row in moderation.invalidations(board.campaign)]
    return render_template(
        "admin/invalidations.html",
        board=board,
        form=form,
        problem=problem,
        states=STATES,
        invalidations=rows,
        collectors={each.id: each.title for each in collectors.of_campaign(board.campaign)},
        refused={refused[0]: words_of(refused[1])} if refused else {},
        few=second_person.FEW if second_person.is_needed(by()) else None,
    )
