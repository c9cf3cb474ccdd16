"""Seeded bugs for a server process: small wrong changes that must make the reliability tests fail."""

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import copy_current_request_context
from sqlalchemy import event

from app import app
from petitions.db import engine
from petitions.db.base import db
from petitions.db.queue import WriteQueue
from petitions.services.limits import mail_quota
from petitions.services.mailing import outbox
from petitions.services.signing import signing


def acknowledge_before_commit() -> None:
    """Thank first, and write a little later."""
    submit = WriteQueue.submit

    def acknowledge(self: WriteQueue, handler: Any, item: Any) -> Any:
        def write() -> None:
            time.sleep(0.05)
            submit(self, handler, item)

        threading.Thread(target=copy_current_request_context(write)).start()

    WriteQueue.submit = acknowledge  # type: ignore[method-assign]


def mail_at_each_try() -> None:
    """Answer every click with a mail, and let nothing limit them."""
    queue = outbox.queue

    def queue_all(connection: Any, letters: Any, now: Any) -> None:
        named = (outbox.NewMessage(e.kind, e.signer_id, e.locale, e.payload, secrets.token_hex()) for e in letters)
        queue(connection, list(named), now)

    signing.RESEND_AFTER = timedelta(microseconds=1)
    mail_quota.take = lambda _connection, keys, _now: [True] * len(keys)  # type: ignore[assignment]
    outbox.queue = queue_all  # type: ignore[assignment]


def synchronous_normal() -> None:
    """Leave the flushing to SQLite's checkpoints."""
    prepare = engine._prepare_sqlite  # noqa: SLF001 - a seeded bug replaces it

    def hurry(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=NORMAL")

    with app.app_context():
        event.listen(db.engine, "connect", hurry)
        db.engine.dispose()


def drop_what_is_under_way() -> None:
    """Stop at once on a signal."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


def wait_for_every_body() -> None:
    """Read a body before anything looks at how long it is said to be."""
    answer = app.wsgi_app

    def patient(environ: Any, start_response: Any) -> Any:
        environ["wsgi.input"].read()
        return answer(environ, start_response)

    app.wsgi_app = patient  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "acknowledge before commit": acknowledge_before_commit,
    "mail at each try": mail_at_each_try,
    "synchronous normal": synchronous_normal,
    "drop what is under way": drop_what_is_under_way,
    "wait for every body": wait_for_every_body,
}
