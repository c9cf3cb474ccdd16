"""One line for each request: what was asked for and how it went. Never who asked, and never the path."""

import logging
import secrets
import time

from flask import Flask, Response, g, request

from petitions import logs

log = logging.getLogger(__name__)
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}


def note(method: str, route: str, status: int, began: float) -> None:
    """Log that a request was answered, which began at that time.monotonic()."""
    log.info("answered method=%s route=%s status=%s ms=%.1f", method, route, status, (time.monotonic() - began) * 1000)


def register(app: Flask) -> None:
    """Number each request, and log it once it is answered; to be called first, so that nothing is left out."""

    @app.before_request
    def begin() -> None:
        g.request_began = time.monotonic()
        # For the log only: no two answers may differ, or one could tell who signed
        logs.request_id.set(secrets.token_hex(8))

    @app.after_request
    def end(response: Response) -> Response:
        method = request.method if request.method in METHODS else "other"
        route = request.url_rule.rule if request.url_rule else "-"
        note(method, route, response.status_code, g.get("request_began", time.monotonic()))
        return response

    @app.teardown_request
    def forget(_why: BaseException | None) -> None:
        logs.request_id.set("-")
