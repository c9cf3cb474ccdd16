"""HTTP status and public words for every error: the only such table, and the only error handlers."""

import logging

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException

from petitions import errors, logs
from petitions.errors import DomainError
from petitions.web.i18n import use_shipped_language

log = logging.getLogger(__name__)

ANSWERS: dict[type[DomainError], tuple[int, object]] = {
    errors.DomainError: (422, _l("This cannot be done.")),
    errors.NotFound: (404, _l("There is no such page. The link may be old, or a character may be missing.")),
    errors.LinkUnknown: (404, _l("This link does not work. Its data may be erased, or a character may be missing.")),
    errors.LinkExpired: (410, _l("This link is too old. Sign once more, and we send you a new one.")),
    errors.CampaignClosed: (409, _l("This campaign does not accept signatures at the moment. Nothing was recorded.")),
    errors.TooManyTries: (429, _l("Too many tries in a short time. Wait a while, then try again.")),
    errors.ProofNeeded: (422, _l("We check that a person is sending this form. Nothing was recorded yet.")),
    errors.ServerUnknown: (422, _l("This is not the name of a server. It looks like mastodon.social, for example.")),
    errors.KitOrderFaulty: (
        422,
        _l("This kit has a piece, case, language or size that does not exist. Go back and choose again."),
    ),
    errors.Busy: (
        503,
        _l("Nothing can be recorded at the moment, and nothing was recorded. Please send it again in a minute."),
    ),
    errors.NoRecipientKey: (503, _l("Signing is not possible yet. Please come back later. Nothing was recorded.")),
    errors.KeyMissing: (
        503,
        _l("Signing is not possible at the moment. Please come back later. Nothing was recorded."),
    ),
    errors.DatabaseDamaged: (503, _l("This website is out of order. Please come back later. Nothing was recorded.")),
    errors.MailboxFull: (
        409,
        _l(
            "As many people as we accept have already signed with this e-mail address. "
            "Please sign with another e-mail address."
        ),
    ),
    errors.NameUnknown: (
        422,
        _l("Nobody with this name has signed with this e-mail address. Enter the name as you did when you signed."),
    ),
    errors.CodeWrong: (
        422,
        _l("E-mail address and code do not match. Check both, or use the link in our newest e-mail."),
    ),
    errors.LoginRefused: (422, _l("Name, password and code do not belong together. Check them, then try again.")),
    errors.PasswordWrong: (422, _l("This is not your password. Check it, then try again.")),
    errors.LoginBusy: (503, _l("Too many people are logging in at this moment. Please try again in a moment.")),
    errors.ContentFaulty: (422, _l("The campaign has faults.")),
    errors.SettingsFaulty: (422, _l("The settings have faults.")),
    errors.NameTaken: (422, _l("Someone with this name has already signed with this e-mail address.")),
    errors.PasswordCommon: (422, _l("Many people use this password, so it is guessed first. Choose another one.")),
    errors.NameMissing: (422, _l("An account needs a name of at most 120 characters.")),
    errors.CountFaulty: (422, _l("This number cannot be right: it is too large, or the sum would be below zero.")),
    errors.CountDiffers: (422, _l("The first person counted another number. Count once more, both of you.")),
    errors.SecondPersonNeeded: (422, _l("Somebody else has to count this a second time.")),
    errors.OtherOwnerNeeded: (422, _l("Another owner has to agree first. Nothing was done.")),
    errors.AccountUnsettled: (
        422,
        _l("Somebody else made or changed your account less than a week ago. It can agree a week afterwards."),
    ),
    errors.LastOwner: (422, _l("This is the last owner. Make somebody else an owner first.")),
    errors.RightMissing: (403, _l("Your account may not do this. Ask an owner if you need it.")),
    errors.PasswordTooShort: (422, _l("The password is too short.")),
    errors.AccountExists: (422, _l("There is an account of that name already.")),
    errors.KeyFaulty: (422, _l("This is not a public key.")),
    errors.CollectorFaulty: (
        422,
        _l("Enter a name, a number from 1 to 2000, and an end that is after the beginning."),
    ),
    errors.ReasonMissing: (
        422,
        _l("Give a reason. Nothing is invalidated without a reason that others can read later."),
    ),
    errors.CampaignExists: (422, _l("There is a campaign with this address already. Choose another one.")),
    errors.TextChanged: (
        409,
        _l("Somebody changed this text meanwhile. Both versions are below: combine them, save again."),
    ),
    errors.RotationFaulty: (422, _l("The master key cannot be changed now.")),
    errors.BackupFaulty: (422, _l("No complete copy could be made.")),
    errors.CampaignRunning: (
        422,
        _l("This campaign still accepts signatures. Close it first, then record the delivery."),
    ),
    errors.LastKey: (422, _l("This is the only key. Add another one before you retire it.")),
    errors.WordsWrong: (422, _l("These are not the words of a waiting test message. Check them, then try again.")),
}
HTTP_MESSAGES = {
    400: _l("Your browser sent something that we could not read. Go back and try again."),
    403: _l("This request came from another website, so we did not follow it. Open our page itself and try again."),
    404: ANSWERS[errors.NotFound][1],
    405: _l("This page does not accept what was sent to it. Go back and use the button there."),
    413: _l("That was too much text. Shorten it and send it again."),
    429: ANSWERS[errors.TooManyTries][1],
    500: _l("Something went wrong on our side. Please go back, and try again in a while."),
    503: _l("This page cannot be shown at the moment. Please try again in a minute."),
}
MANY_SIGNING = _l("Very many people are signing right now. Nothing was recorded yet: please send it again in a moment.")


def register(app: Flask) -> None:
    """Answer every error with words in the page's language."""
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


DISK_FULL = _l(
    "The disk of this website is full, so nothing can be recorded, and nothing was. Please try again in an hour."
)


def status_of(exc: DomainError) -> int:
    """The HTTP status of this error."""
    return _answer(exc)[0]


def words_of(exc: DomainError) -> object:
    """The public words for this error; "many people are signing" and "the disk is full" only if that is the reason."""
    if isinstance(exc, errors.Busy):
        if "waiting" in exc.details:
            return MANY_SIGNING
        if "disk" in exc.details:
            return DISK_FULL
        if request.method == "GET":  # so "nothing was recorded" would make no sense
            return HTTP_MESSAGES[503]
    return _answer(exc)[1]


def wait_of(exc: DomainError) -> dict[str, str]:
    """The Retry-After header, if the time is known."""
    seconds = exc.details.get("seconds") or (5 if isinstance(exc, errors.Busy) else 0)
    return {"Retry-After": str(seconds)} if seconds else {}


def _answer(exc: DomainError) -> tuple[int, object]:
    """The row of this error, or of the nearest one above it."""
    return next(ANSWERS[kind] for kind in type(exc).__mro__ if kind in ANSWERS)


def _refused(exc: DomainError) -> Response:
    status = status_of(exc)
    log.info("refused code=%s status=%s", exc.code, status)
    response = _notice(status, exc.code, words_of(exc))
    response.headers.update(wait_of(exc))
    return response


def _http(exc: HTTPException) -> Response:
    status = exc.code or 500
    if status < 400:  # a redirect is not an error
        return make_response(exc.get_response())
    message = HTTP_MESSAGES.get(status, HTTP_MESSAGES[400 if status < 500 else 500])
    response = _notice(status, exc.name.lower().replace(" ", "_"), message)
    if status == 405 and exc.get_response().headers.get("Allow"):
        response.headers["Allow"] = exc.get_response().headers["Allow"]
    return response


def _unexpected(exc: Exception) -> Response:
    # An exception's message may quote personal data: only its type and place are logged.
    place = logs.place(exc.__traceback__)
    log.error("unexpected error=%s at=%s route=%s", type(exc).__name__, place, request.url_rule)
    return _notice(500, "unexpected", HTTP_MESSAGES[500])


def _notice(status: int, code: str, message: object) -> Response:
    use_shipped_language()  # the URL may name a language without a catalogue
    title = _l("Page not found") if status == 404 else _l("This did not work")
    if request.path.startswith("/api/"):
        response = jsonify({"error": code, "message": str(message)})
    else:
        response = make_response(render_template("errors/error.html", status=status, title=title, message=message))
    response.status_code = status
    return response
