"""Logging: one line per event, as text or JSON, without personal data.

An exception's message may quote personal data, so only its type and place are logged.
"""

import json
import logging
import sys
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class LineFormatter(logging.Formatter):
    """One line per event; as JSON if `as_json`."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = record.getMessage()
        if record.exc_info and record.exc_info[0]:
            message += f" error={record.exc_info[0].__name__} at={place(record.exc_info[2])}"
        said = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "name": record.name,
            "request": request_id.get(),
            "message": " ".join(message.split()),
        }
        return json.dumps(said, ensure_ascii=False) if self._as_json else " ".join(said.values())


def prepare(level: str, as_json: bool) -> None:
    """Log this process's events at `level` and above to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(as_json))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in ("alembic", "werkzeug"):  # werkzeug (only `flask run`) logs addresses and paths
        logging.getLogger(name).setLevel(logging.WARNING)


def place(trace: TracebackType | None) -> str:
    """Where an error happened, innermost first: files and lines of the last three frames."""
    places: list[str] = []
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return "<".join(reversed(places[-3:])) or "unknown"


def without_visitors(record: logging.LogRecord) -> bool:
    """A filter for gunicorn's error log: reduces details of a request (address, path, header) to their kind."""
    frame = sys._getframe()  # noqa: SLF001 - the documented name, in spite of the underscore
    while frame.f_back and frame.f_globals.get("__name__") in (__name__, "logging", "gunicorn.glogging"):
        frame = frame.f_back
    if str(frame.f_globals.get("__name__")).startswith(("gunicorn.workers", "gunicorn.http")):
        kind, _, trace = sys.exc_info()
        record.msg = f"server {frame.f_code.co_name} error={kind.__name__ if kind else 'none'} at={place(trace)}"
        record.args, record.exc_info = (), None
    return True
