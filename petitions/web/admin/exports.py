"""Export pages: the encrypted signatures as a download. Nothing is decrypted here."""

from collections import defaultdict
from collections.abc import Mapping

from flask import Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from petitions import clock
from petitions.errors import OtherOwnerNeeded
from petitions.queries.catalogue import catalogue
from petitions.services.privacy import exports
from petitions.services.staff import second_person
from petitions.web.admin import chosen
from petitions.web.admin.login import by, password_refused
from petitions.web.errors import status_of, wait_of, words_of
from petitions.web.i18n import locale


def export_form() -> ResponseReturnValue:
    """The form: which campaign, and the password again; the request for another owner's consent, where there is one."""
    return _page()


def ask_for_export() -> ResponseReturnValue:
    """Ask the other owners to agree."""
    second_person.ask(catalogue().campaign(request.form.get("campaign", "")).slug, by())
    return redirect(url_for("admin.export_form"), 303)


def agree_to_export() -> ResponseReturnValue:
    """Agree to the request of another owner, with the password again."""
    number = chosen.row_number()
    exc = password_refused()
    try:
        if not exc:
            second_person.agree(number, by())
    except OtherOwnerNeeded as other:
        exc = other
    if exc:
        return _page({number: words_of(exc)}), status_of(exc), wait_of(exc)
    return redirect(url_for("admin.export_form"), 303)


def export() -> ResponseReturnValue:
    """The export as a stream of lines, as a download."""
    if exc := password_refused():
        return _page({0: words_of(exc)}), status_of(exc), wait_of(exc)
    campaign = catalogue().campaign(request.form.get("campaign", ""))
    second_person.check_export(campaign.slug, by())
    lines = exports.sealed_lines(campaign.slug, by())
    response = Response(stream_with_context(lines), mimetype="application/x-ndjson")
    response.headers.set("Content-Disposition", "attachment", filename=f"{campaign.slug}-{clock.now():%Y-%m-%d}.jsonl")
    return response


def _page(errors: Mapping[int, object] | None = None) -> str:
    """The page; `errors` are about the repeated password, by the number of the request, 0 for the download."""
    campaigns, requests = catalogue().campaigns, second_person.requests()
    asked = {each.campaign for each in requests if each.by == by()}
    return render_template(
        "admin/export.html",
        campaigns=[each for each in campaigns if each.slug not in asked],
        titles={each.slug: each.text(locale())["title"] for each in campaigns},
        is_needed=second_person.is_needed(by()),
        requests=requests,
        me=by(),
        errors=defaultdict(str, errors or {}),
    )
