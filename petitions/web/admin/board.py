"""The overview: the counts of all cases, live."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions.domain.states import ActionKind
from petitions.queries import actions, moderation
from petitions.queries import board as boards
from petitions.web import sessions
from petitions.web.admin import chosen
from petitions.web.admin.cases import STATES
from petitions.web.sources import CHANNELS

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

PLACES = {
    "before": _l("before signing"),
    "thanks": _l("after signing"),
    "closed": _l("on the closed campaign"),
    "footer": _l("at the foot of a page"),
    "page": _l("on the page about donating"),
}


def board() -> ResponseReturnValue:
    """The whole page."""
    newest = chosen.board()
    watch = moderation.watch(newest.campaign) if newest else None
    return render_template("admin/board.html", board=newest, watch=watch, states=STATES)


def list_sources() -> ResponseReturnValue:
    """How signers reached the form, which letters were posted, and which donation links were followed, as sums."""
    newest = chosen.board()
    if newest is None:
        abort(404)
    found = boards.sources(newest.campaign)
    posted, opened = (actions.sums(newest.campaign, kind) for kind in (ActionKind.POSTED, ActionKind.DONATION))
    titles = {line.slug: line.title for line in newest.lines}
    return render_template(
        "admin/sources.html",
        tables=[
            (_l("How signers came"), _l("Signatures"), [(SOURCES.get(key, key), n) for key, n in found.items()]),
            (
                _l("Letters posted, as reported"),
                _l("Letters"),
                [(titles.get(key, key), n) for key, n in posted.items()],
            ),
            (_l("Donation links followed"), _l("Times"), [(PLACES.get(key, key), n) for key, n in opened.items()]),
        ],
    )


def board_part() -> ResponseReturnValue:
    """The table alone, which the page fetches every few seconds."""
    sessions.is_poll()
    part = chosen.board()
    if part is None:
        abort(404)
    return render_template("admin/_board.html", board=part, states=STATES)
