"""Recipient key pages: which keys there are, and the key tests. No private key is sent here."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from petitions.errors import NotFound, WordsWrong
from petitions.queries import recipient_keys as queries
from petitions.services.keys import key_tests
from petitions.web.admin.decrypt_export import SCRIPTS
from petitions.web.admin.login import by, password_refused
from petitions.web.errors import status_of, wait_of, words_of


def keys() -> ResponseReturnValue:
    """The keys, and the open test messages."""
    return _page(None)


def prove_key() -> ResponseReturnValue:
    """Check the words that a key's holder read in the test message, with the password again."""
    if exc := password_refused():
        return _page(None, words_of(exc)), status_of(exc), wait_of(exc)
    try:
        key_tests.prove_key(queries.check_of().campaign, request.form.get("words", ""), by())
    except WordsWrong as exc:
        return _page(words_of(exc)), status_of(exc)
    return redirect(url_for("admin.keys"), 303)


def _page(problem: object, error: object = None) -> str:
    try:
        check = queries.check_of()
    except NotFound:
        check = queries.KeyCheck("", None, queries.of_section())
    return render_template("admin/keys.html", check=check, problem=problem, error=error, scripts=SCRIPTS)
