"""The paper grid: what came back on paper, entered per case and kind, and verified by a second person."""

from datetime import date
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions import clock
from petitions.domain import codes
from petitions.domain.roles import Right
from petitions.domain.states import TallyKind
from petitions.errors import CountDiffers, CountFaulty, DomainError, NotFound, SecondPersonNeeded
from petitions.queries import collectors, staff
from petitions.queries import paper as queries
from petitions.queries.board import Board
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.services.paper import tallies
from petitions.services.paper.tallies import Entry
from petitions.web import sessions
from petitions.web.admin import chosen
from petitions.web.admin.login import by
from petitions.web.errors import status_of, words_of
from petitions.web.forms.words import REFUSALS

KINDS = {TallyKind.PAPER: _l("Signatures on paper"), TallyKind.LETTERS: _l("Letters")}
NOTHING = _l("Enter a number for at least one case.")
NO_NUMBER = _l("This is not a whole number.")
DAY_WRONG = _l("Enter the day like 2026-12-31.")
CODE_UNKNOWN = _l("No collector of this campaign has this code. Leave it empty if the paper has none.")
LONGEST_NOTE, LONGEST_CODE = 200, 20


def paper() -> ResponseReturnValue:
    """The grid, what waits for a second person, and the sums; without a public campaign, a sentence."""
    board = chosen.board()
    if board is None or not any(each.slug == board.campaign for each in catalogue().campaigns):
        return render_template("admin/no_paper.html")
    return _page(board)


def report_paper() -> ResponseReturnValue:
    """Record the numbers of the grid, all or none."""
    board = chosen.needed_board()
    campaign = _campaign(board)
    entries, faults = _entries(campaign)
    try:
        day = date.fromisoformat(request.form.get("day", "").strip())
    except ValueError:
        faults["day"] = DAY_WRONG
    collector = None
    try:
        collector = collectors.with_code(campaign.id, codes.clean(request.form.get("collector", "")))
    except codes.CodeMistyped:
        faults["collector"] = REFUSALS["pass_mistyped"]
    if request.form.get("collector", "").strip() and collector is None:
        faults.setdefault("collector", CODE_UNKNOWN)
    if faults or not entries:
        return _page(board, faults, None if faults else NOTHING), 422
    note = "".join(char for char in request.form.get("note", "") if char.isprintable())[:LONGEST_NOTE]
    is_alone = not staff.has_second_person(sessions.current().login.account_id, Right.PAPER)
    try:
        tallies.report(entries, day, note, by(), is_alone=is_alone, collector_id=collector.id if collector else None)
    except CountFaulty as exc:
        return _page(board, {}, words_of(exc)), status_of(exc)
    return redirect(url_for("admin.paper", done="counted" if is_alone else "reported"), 303)


def verify_paper() -> ResponseReturnValue:
    """Verify the entry with the number that a second person counted, or cancel it."""
    number = _number("tally")
    if request.form.get("act") == "cancel":
        tallies.cancel(number, by())
        return redirect(url_for("admin.paper", done="cancelled"), 303)
    try:
        tallies.verify(number, _number("number", is_signed=True), by())
    except (CountDiffers, CountFaulty, SecondPersonNeeded) as exc:
        return _page(chosen.needed_board(), refused={number: words_of(exc)}), status_of(exc)
    return redirect(url_for("admin.paper", done="verified"), 303)


def _entries(campaign: PublicCampaign) -> tuple[list[Entry], dict[str, object]]:
    """What was typed into the grid, and the faults by field."""
    entries: list[Entry] = []
    faults: dict[str, object] = {}
    for case in campaign.cases:
        for kind in TallyKind:
            typed = request.form.get(f"{kind}-{case.slug}", "").strip()
            try:
                number = _as_number(typed)
            except ValueError:
                faults[f"{kind}-{case.slug}"] = NO_NUMBER
            else:
                entries += [Entry(case, kind, number)] if number else []
    return entries, faults


def _as_number(typed: str) -> int:
    """The whole number, 0 if empty; raises ValueError."""
    plain = typed.replace("\u2212", "-").replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if not plain:
        return 0
    if not plain.removeprefix("-").isdecimal() or len(plain) > 8:
        raise ValueError(plain)
    return int(plain)


def _number(field: str, *, is_signed: bool = False) -> int:
    """A number of the form; raises NotFound, or CountDiffers for what a person typed."""
    try:
        return _as_number(request.form.get(field, ""))
    except ValueError as exc:
        error: DomainError = CountDiffers() if is_signed else NotFound()
        raise error from exc


def _campaign(board: Board) -> PublicCampaign:
    """The campaign, if it is public; paper of a draft cannot be entered."""
    return catalogue().campaign(board.campaign)


def _page(
    board: Board, faults: dict[str, Any] | None = None, problem: object = None, refused: dict[int, object] | None = None
) -> str:
    campaign = _campaign(board)
    login = sessions.current().login
    return render_template(
        "admin/paper.html",
        board=board,
        titles={line.slug: line.title for line in board.lines},
        cases=[case.slug for case in campaign.cases],
        kinds=KINDS,
        sums=queries.sums(campaign.id),
        waiting=queries.waiting(campaign.id),
        mine=by(),
        is_alone=not staff.has_second_person(login.account_id, Right.PAPER),
        today=clock.now().date().isoformat(),
        typed=request.form,
        faults=faults or {},
        problem=problem,
        refused=refused or {},
        done=request.args.get("done", ""),
        preset=request.args.get("collector", "")[:LONGEST_CODE],
    )
