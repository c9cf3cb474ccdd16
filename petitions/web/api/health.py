"""The health check."""

from flask import Blueprint, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from petitions.db.transactions import reading
from petitions.errors import Busy

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """200 when the database answers and has the tables, otherwise 503."""
    try:
        with reading() as connection:
            connection.execute(text("SELECT 1 FROM campaigns LIMIT 1"))
    except (Busy, SQLAlchemyError):
        return Response("no database\n", 503, content_type="text/plain")
    return Response("ok\n", content_type="text/plain")
