"""The overview: the counts of all cases, live."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from petitions.domain.roles import Right, may
from petitions.domain.states import ActionKind, TextState
from petitions.queries import actions, moderation
from petitions.queries import board as boards
from petitions.queries.board import Board
from petitions.queries.counts import COLUMNS
from petitions.services.campaigns import editing
from petitions.services.keys.keyring import settings
from petitions.services.operations import nightly
from petitions.services.staff import second_person
from petitions.web import sessions
from petitions.web.admin import chosen, navigation
from petitions.web.admin.cases import STATES
from petitions.web.admin.login import by
from petitions.web.admin.tables import csv_file
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
    if newest is None:
        return render_template("admin/board.html", board=None)
    facts = boards.facts(newest.campaign)
    shown = {"facts": facts, "needs": _needs(newest, facts), "watch": moderation.watch(newest.campaign)}
    return render_template("admin/board.html", board=newest, states=STATES, **shown)


def _needs(board: Board, facts: boards.Facts) -> list[tuple[object, str, object]]:
    """What waits for somebody, as far as this account may do it: a sentence, and the page for it with its name."""
    role = sessions.current().login.role
    languages, lines = editing.overview(board.campaign) if may(role, Right.CAMPAIGN) else ([], [])
    texts = sum(line.states[each] != TextState.READY for line in lines for each in languages)
    asked = [each for each in second_person.requests() if not each.agreed and each.by != by()]
    mails, untested = board.outbox, _l("It is not proven yet that the keys open what is encrypted to them.")
    found = (
        (not facts.is_key_tested, Right.PEOPLE, "admin.keys", untested),
        (asked, Right.SIGNATURES, "admin.export_form", _l("An owner asks you to agree to an export.")),
        (nightly.faults(settings()), Right.PEOPLE, "admin.health", _l("The backups are not in order.")),
        (not facts.has_end, Right.CAMPAIGN, "admin.edit_campaign", _l("The campaign has no closing date.")),
        (texts, Right.CAMPAIGN, "admin.list_texts", _texts(texts)),
        (facts.papers, Right.PAPER, "admin.paper", _papers(facts.papers)),
        (mails.is_late or mails.failed, Right.SIGNATURES, "admin.mailing", _l("E-mails wait for too long, or failed.")),
    )
    names = {endpoint: name for _, pages in navigation.TASKS for endpoint, name in pages}
    return [(words, page, names[page]) for is_so, right, page, words in found if is_so and may(role, right)]


def _texts(number: int) -> object:
    return ngettext("%(num)s text is missing or not ready.", "%(num)s texts are missing or not ready.", number)


def _papers(number: int) -> object:
    return ngettext("%(num)s number from paper must be checked.", "%(num)s numbers from paper must be checked.", number)


def board_csv() -> ResponseReturnValue:
    """The counts as a table for programs."""
    found = chosen.board()
    if found is None:
        abort(404)
    rows = [
        [line.slug, line.state, line.goal, *(getattr(line.numbers, column) for column in COLUMNS), line.today.confirmed]
        for line in found.lines
    ]
    rows.append(["people", *[""] * 4, boards.facts(found.campaign).people])
    return csv_file(f"{found.campaign}.csv", ["case", "state", "goal", *COLUMNS, "confirmed_today"], rows)


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
