"""One line for each request: what was asked for and how it went. Never who asked, and never the path."""

import logging
import secrets
import time

from flask import Flask, Response, g, request

from petitions import logs

log = logging.getLogger(__name__)
METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}


def register(app: Flask) -> None:
    """Number each request, and log it once it is answered; to be called first, so that nothing is left out."""

    @app.before_request
    def begin() -> None:
        g.request_began, g.request_id = time.monotonic(), secrets.token_hex(8)
        logs.request_id.set(g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        milliseconds = (time.monotonic() - g.get("request_began", time.monotonic())) * 1000
        method = request.method if request.method in METHODS else "other"
        route = request.url_rule.rule if request.url_rule else "-"
        log.info("answered method=%s route=%s status=%s ms=%.1f", method, route, response.status_code, milliseconds)
        response.headers["X-Request-ID"] = g.get("request_id", "-")
        return response

    @app.teardown_request
    def forget(_why: BaseException | None) -> None:
        logs.request_id.set("-")
