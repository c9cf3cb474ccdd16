"""The campaign that the staff pages are about: what this browser chose, else the open or the newest one."""

from flask import Response, redirect, request, url_for

from petitions.errors import NotFound
from petitions.queries import board as boards
from petitions.queries.board import Board
from petitions.services.keys.keyring import settings
from petitions.web.i18n import locale

COOKIE = "campaign"


def board() -> Board | None:
    """The cases of the campaign with all numbers; None before there is any campaign."""
    return boards.of(request.cookies.get(COOKIE, ""), locale())


def needed_board() -> Board:
    """The same; raises NotFound before there is any campaign."""
    found = board()
    if found is None:
        raise NotFound()
    return found


def row_number() -> int:
    """The number of the row that a button belongs to; raises NotFound for an invalid one."""
    said = request.form.get("number", "")
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise NotFound()
    return int(said)


def slug_or_none() -> str | None:
    """The campaign's slug; None before there is any campaign."""
    return boards.slug_of(request.cookies.get(COOKIE, ""))


def slug() -> str:
    """The campaign's slug; raises NotFound before there is any campaign."""
    found = slug_or_none()
    if found is None:
        raise NotFound()
    return found


def answer(chosen: str, endpoint: str) -> Response:
    """The redirect to a page about this campaign, which stays chosen in this browser."""
    response = redirect(url_for(endpoint), 303)
    is_https = settings().is_https
    response.set_cookie(COOKIE, chosen, path="/admin", secure=is_https, httponly=True, samesite="Strict")
    return response  # type: ignore[return-value]


def choose_campaign() -> Response:
    """Make another campaign the one that the staff pages are about; raises NotFound."""
    chosen = request.form.get("campaign", "")
    if chosen not in {each.slug for each in boards.campaigns()}:
        raise NotFound(campaign=chosen)
    return answer(chosen, "admin.board")
