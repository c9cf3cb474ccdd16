"""Pages for the accounts of others, and the journal."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from petitions import clock
from petitions.domain.roles import Role
from petitions.errors import AccountExists, LastOwner, NameMissing, NotFound
from petitions.queries import staff
from petitions.services import journal
from petitions.services.keys.keyring import settings
from petitions.services.staff import accounts, invitations, people
from petitions.web import sessions
from petitions.web.admin.login import by, password_refused
from petitions.web.admin.tables import csv_file
from petitions.web.errors import status_of, wait_of, words_of

ROLES = {
    Role.OWNER: (_l("Owner"), _l("may do everything, and reaches names")),
    Role.EDITOR: (_l("Editor"), _l("changes the campaign, enters paper, sees the counts")),
    Role.COUNTER: (_l("Counter"), _l("enters paper, sees the counts")),
    Role.VIEWER: (_l("Viewer"), _l("sees the counts")),
}
DAY_WRONG = _l("Enter the day like 2026-12-31, or leave the field empty.")


def list_staff() -> ResponseReturnValue:
    """All accounts."""
    return _page()


def invite() -> ResponseReturnValue:
    """Create an account, with the password again; shows the link for its holder once."""
    if exc := password_refused():
        return _page(words_of(exc)), status_of(exc), wait_of(exc)
    name = request.form.get("name", "")
    try:
        token = invitations.invite(name, _role(), _ends_at(), by())
    except ValueError:
        return _page(problem=DAY_WRONG), 422
    except (AccountExists, NameMissing) as exc:
        return _page(problem=words_of(exc)), status_of(exc)
    return _page(link=_link(token), invited=accounts.folded(name))


def change_staff() -> ResponseReturnValue:
    """Change another account; raises NotFound for an unknown one and for the own one."""
    name, act = request.form.get("name", ""), request.form.get("act", "")
    if name == sessions.current().login.name or act not in ACTS:
        raise NotFound()
    if act in WITH_PASSWORD and (exc := password_refused()):
        return _page(words_of(exc)), status_of(exc), wait_of(exc)
    if act == "invite":
        return _page(link=_link(invitations.renew(name, by())), invited=name)
    try:
        ACTS[act](name)
    except ValueError:
        return _page(problem=DAY_WRONG), 422
    except LastOwner as exc:
        return _page(problem=words_of(exc)), status_of(exc)
    return redirect(url_for("admin.list_staff"), 303)


def list_journal() -> ResponseReturnValue:
    """The journal, newest first; of one kind of act or one actor, if the address says so."""
    shown = {name: request.args.get(name, "").replace("\0", "") for name in ("act", "actor")}  # Postgres refuses NUL
    entries = journal.newest(200, acts=[shown["act"]] if shown["act"] else (), actor=shown["actor"])
    return render_template("admin/journal.html", entries=entries, actors=journal.actors(), **shown)


def journal_csv() -> ResponseReturnValue:
    """The whole journal as a table for programs, oldest first."""
    columns = ("id", "at", "actor", "name", "act", "subject", "number")
    rows = ([getattr(row, column) for column in columns] for row in reversed(journal.newest()))
    return csv_file("journal.csv", columns, rows)


ACTS: dict[str, Callable[[str], object]] = {
    "invite": lambda name: invitations.renew(name, by()),
    "end": lambda name: accounts.end_sessions(name, by()),
    "enable": lambda name: accounts.set_enabled(name, True, by()),
    "disable": lambda name: accounts.set_enabled(name, False, by()),
    "role": lambda name: people.set_role(name, _role(), _ends_at(), by()),
    "factor": lambda name: people.end_factor(name, by()),
}
WITH_PASSWORD = {"invite", "role", "factor"}  # each could give somebody a way to names


def _role() -> Role:
    """The chosen role; raises NotFound for another word."""
    try:
        return Role(request.form.get("role", ""))
    except ValueError as exc:
        raise NotFound() from exc


def _ends_at() -> datetime | None:
    """The end of the chosen day; None if none was chosen. Raises ValueError."""
    typed = request.form.get("ends_at", "").strip()
    return datetime.fromisoformat(typed).replace(hour=23, minute=59, tzinfo=UTC) if typed else None


def _link(token: str) -> str:
    return f"{settings().base_url}{url_for('admin.invitation', token=token)}"


def _page(error: object = None, problem: object = None, link: str = "", invited: str = "") -> str:
    return render_template(
        "admin/staff.html",
        members=staff.members(clock.now() - accounts.SESSION_LIFETIME),
        roles=ROLES,
        days=invitations.LIFETIME.days,
        error=error,
        problem=problem,
        link=link,
        invited=invited,
        now=clock.now(),
    )
