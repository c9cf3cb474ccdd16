"""For monitoring: alive, ready to take a signature, and sums for Prometheus. Nothing about a person or a case."""

import hmac
import time

from flask import Blueprint, Response, abort, request
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from petitions import clock
from petitions.db.transactions import reading
from petitions.errors import Busy
from petitions.models import Count
from petitions.parts import Part
from petitions.queries.board import outbox
from petitions.queries.catalogue import catalogue
from petitions.queries.counts import COLUMNS
from petitions.queries.retention import marks
from petitions.services.keys.keyring import keyring, settings
from petitions.services.operations import machine_checks, site_checks

bp = Blueprint("health", __name__)
FRESH_SECONDS = 5.0  # of an answer about readiness, so that nobody makes the server try writes all the time
READINESS: Part[list[tuple[float, str]]] = Part(list)


@bp.get("/healthz")
def healthz() -> Response:
    """200 when the database answers and has the tables, otherwise 503."""
    try:
        with reading() as connection:
            connection.execute(text("SELECT 1 FROM campaigns LIMIT 1"))
    except (Busy, SQLAlchemyError):
        return _answer("no database", 503)
    return _answer("ok", 200)


@bp.get("/readyz")
def readyz() -> Response:
    """200 when a signature could be stored now, otherwise 503 and what is missing in a word."""
    kept = READINESS.of()
    if not kept or time.monotonic() - kept[-1][0] > FRESH_SECONDS:
        kept[:] = [(time.monotonic(), _missing())]
    reason = kept[-1][1]
    return _answer(reason or "ready", 503 if reason else 200)


@bp.get("/proxies")
def proxies() -> Response:
    """For `flask doctor` of this installation only: how many proxies have forwarded the request; 404 for others."""
    nonce, _, given = request.headers.get("X-Petitions-Probe", "").partition(" ")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), site_checks.proof(nonce).encode()):
        abort(404)
    chain = [each.strip() for each in ",".join(request.headers.getlist("X-Forwarded-For")).split(",") if each.strip()]
    return _answer(str(sum(each != site_checks.FORGED for each in chain)), 200)


@bp.get("/metrics")
def metrics() -> Response:
    """Sums for Prometheus; 404 without the token of PETITIONS_METRICS_TOKEN."""
    token = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        abort(404)
    lines = [f"petitions_{name} {value}" for name, value in _numbers().items()]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")


def _missing() -> str:
    ring = keyring()
    if not (ring.secret_key and ring.master_key and catalogue().public_keys):
        return "key"
    return machine_checks.unready(settings())


def _numbers() -> dict[str, float]:
    sums = [func.coalesce(func.sum(getattr(Count, name)), 0) for name in COLUMNS]
    with reading() as connection:
        counted = connection.execute(select(*sums)).one()
        noted = marks(connection)
    waiting = outbox()
    now = clock.now()
    age = (now - waiting.oldest_at).total_seconds() if waiting.oldest_at else 0
    found: dict[str, float] = {f"signatures_{name}": int(value) for name, value in zip(COLUMNS, counted, strict=True)}
    found |= {"mails_waiting": waiting.waiting, "mails_failed": waiting.failed, "oldest_mail_seconds": max(0, age)}
    for key, at in noted.items():
        if key.kind in ("backup made", "backup copied", "retention"):
            found[f"{key.kind.replace(' ', '_')}_seconds_ago"] = (now - at).total_seconds()
    return found


def _answer(said: str, status: int) -> Response:
    return Response(f"{said}\n", status, content_type="text/plain")
