"""Staff sessions: Flask's `session` as a database row that a cookie identifies. Visitors get no cookie."""

import time
from typing import Any, cast

from flask import Flask, Request, Response, g, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from petitions.services.staff import accounts
from petitions.settings import Settings

IDLE_SECONDS = 30 * 60
RENEW_SECONDS = 60


class StaffSession(dict[str, Any], SessionMixin):
    """The data of one session. Changes are not saved: a login sets everything."""

    def __init__(self, token: str, login: accounts.Login, seen_at: int) -> None:
        super().__init__(login.data)
        self.token = token
        self.login = login
        self.seen_at = seen_at


def current() -> StaffSession:
    """The logged-in session; only on pages that require a login."""
    return cast(StaffSession, session)


class StaffSessions(SessionInterface):
    """Opens the session on staff pages; on all other pages there is none, and writing to it is an error."""

    def __init__(self, settings: Settings) -> None:
        # the __Host- prefix requires HTTPS; plain HTTP is only used to try it out on this machine
        self.cookie = "__Host-petitions" if settings.is_https else "petitions"
        self._is_https = settings.is_https

    def open_session(self, app: Flask, request: Request) -> StaffSession | None:
        """The staff session of this request, if its cookie names a valid one."""
        cookie = request.cookies.get(self.cookie, "") if request.path.startswith("/admin/") else ""
        if not cookie or not app.secret_key:
            return None
        try:
            raw, seen = _signer(app).unsign(cookie, max_age=IDLE_SECONDS, return_timestamp=True)
        except BadSignature as exc:
            g.session_has_ended = isinstance(exc, SignatureExpired)
            return None
        token = raw.decode()
        login = accounts.login_of(token)
        g.session_has_ended = login is None
        return StaffSession(token, login, int(seen.timestamp())) if login else None

    def is_null_session(self, obj: object) -> bool:
        """False, so that Flask also saves a session that a login begins in this request."""
        return super().is_null_session(obj) and "begun_session" not in g

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie after a login, renew it after use, delete it after the session's end."""
        begun = g.get("begun_session")
        if g.get("ended_session"):
            response.delete_cookie(self.cookie, path="/", secure=self._is_https, httponly=True, samesite="Strict")
        elif begun:
            self._set(app, response, begun)
        elif (
            isinstance(session, StaffSession) and not g.get("is_poll") and time.time() - session.seen_at > RENEW_SECONDS
        ):
            self._set(app, response, session.token)

    def _set(self, app: Flask, response: Response, token: str) -> None:
        signed = _signer(app).sign(token).decode()
        response.set_cookie(self.cookie, signed, path="/", secure=self._is_https, httponly=True, samesite="Strict")


def has_ended() -> bool:
    """Whether this request comes from a session that this server began, and that has ended."""
    return bool(g.get("session_has_ended"))


def begin(token: str) -> None:
    """Set the cookie of a new login in this request's response."""
    g.begun_session = token


def end() -> None:
    """Delete the cookie in this request's response."""
    g.ended_session = True


def is_poll() -> None:
    """Note that this request is automatic: it does not count as activity."""
    g.is_poll = True


def _signer(app: Flask) -> TimestampSigner:
    return TimestampSigner(str(app.secret_key), salt="staff session")
