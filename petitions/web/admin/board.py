"""The overview: the counts of all cases, live."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from petitions.domain.states import CaseState
from petitions.queries import board as boards
from petitions.queries import moderation
from petitions.web import sessions
from petitions.web.i18n import locale
from petitions.web.sources import CHANNELS

STATES = {
    CaseState.DRAFT: lazy_pgettext("case", "draft"),
    CaseState.PAUSED: lazy_pgettext("case", "paused"),
    CaseState.HIDDEN: lazy_pgettext("case", "hidden"),
    CaseState.WON: lazy_pgettext("case", "won"),
    CaseState.CLOSED: lazy_pgettext("case", "closed"),
}

SOURCES = {
    "direct": _l("the site itself"),
    "embed": _l("the form on another site"),
    "email": _l("a link shared by e-mail"),
    "copy": _l("a link that was copied"),
    "share": _l("the phone’s own list for sharing"),
    "print": _l("the code on paper"),
    "": _l("unknown, because the signers are erased"),
    "sms": "SMS",
    "mastodon": "Mastodon",
    **{channel: name for channel, (name, _) in CHANNELS.items() if name},
}


def board() -> ResponseReturnValue:
    """The whole page."""
    newest = boards.newest(locale())
    watch = moderation.watch(newest.campaign) if newest else None
    return render_template("admin/board.html", board=newest, watch=watch, states=STATES)


def list_sources() -> ResponseReturnValue:
    """How signers reached the form, as sums."""
    newest = boards.newest(locale())
    found = boards.sources(newest.campaign) if newest else {}
    return render_template("admin/sources.html", sources=found, names=SOURCES)


def board_part() -> ResponseReturnValue:
    """The table alone, which the page fetches every few seconds."""
    sessions.is_poll()
    board = boards.newest(locale())
    if board is None:
        abort(404)
    return render_template("admin/_board.html", board=board, states=STATES)
