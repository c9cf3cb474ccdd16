"""Export pages: the encrypted signatures as a download. Nothing is decrypted here."""

from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from petitions import clock
from petitions.queries.catalogue import catalogue
from petitions.services.privacy import exports
from petitions.web.admin.login import by, password_refused
from petitions.web.errors import status_of, wait_of, words_of


def export_form() -> ResponseReturnValue:
    """The form: which campaign, and the password again."""
    return _page(None)


def export() -> ResponseReturnValue:
    """The export as a stream of lines, as a download."""
    if exc := password_refused():
        return _page(words_of(exc)), status_of(exc), wait_of(exc)
    campaign = catalogue().campaign(request.form.get("campaign", ""))
    lines = exports.sealed_lines(campaign.slug, by())
    response = Response(stream_with_context(lines), mimetype="application/x-ndjson")
    response.headers.set("Content-Disposition", "attachment", filename=f"{campaign.slug}-{clock.now():%Y-%m-%d}.jsonl")
    return response


def _page(error: object) -> str:
    return render_template("admin/export.html", campaigns=catalogue().campaigns, error=error)
