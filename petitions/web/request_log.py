"""The request log: one line per request, with route, status and time. No client, no path, no query."""

import logging
import secrets
import time

from flask import Flask, Response, g, request

from petitions import logs

log = logging.getLogger(__name__)
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}


def note(method: str, route: str, status: int, began: float) -> None:
    """Log an answered request; `began` is a time.monotonic() value."""
    log.info("answered method=%s route=%s status=%s ms=%.1f", method, route, status, (time.monotonic() - began) * 1000)


def register(app: Flask) -> None:
    """Number each request and log it once answered; must be registered first, so that no request is missed."""

    @app.before_request
    def begin() -> None:
        g.request_began = time.monotonic()
        # For the log only: in a response it would make equal answers differ
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
