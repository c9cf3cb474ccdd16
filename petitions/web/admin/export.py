"""Handing over: the sealed rows as a download. Nothing is opened here."""

from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from petitions import clock
from petitions.errors import LoginRefused, TooManyTries
from petitions.queries.catalogue import catalogue
from petitions.services import accounts, exports
from petitions.web import sessions
from petitions.web.admin.login import bp
from petitions.web.errors import MESSAGES, status_of, wait_of
from petitions.web.security import network


@bp.get("/export")
def export() -> ResponseReturnValue:
    """Which campaign, and the password once more."""
    return _page(None)


@bp.post("/export")
def exported() -> ResponseReturnValue:
    """The rows of the campaign as a stream; the file's name is ours."""
    login = sessions.current().login
    try:
        accounts.prove_password(login.name, request.form.get("password", ""), network())
    except (LoginRefused, TooManyTries, accounts.LoginBusy) as exc:
        return _page(MESSAGES[exc.code]), status_of(exc), wait_of(exc)
    campaign = catalogue().campaign(request.form.get("campaign", ""))
    lines = exports.sealed_lines(campaign.slug, by=f"account {login.account_id}")
    response = Response(stream_with_context(lines), mimetype="application/x-ndjson")
    response.headers.set("Content-Disposition", "attachment", filename=f"{campaign.slug}-{clock.now():%Y-%m-%d}.jsonl")
    return response


def _page(problem: object) -> str:
    return render_template("admin/export.html", campaigns=catalogue().campaigns, problem=problem)
