"""Static files under names that change with their content, so that they may be kept for ever."""

import gzip
import hashlib
import mimetypes
from pathlib import Path

from flask import Flask, Response, abort

from petitions.settings import ROOT
from petitions.web.ready import Ready, answer

STATIC = ROOT / "static"
FOR_EVER = "public, max-age=31536000, immutable"
_PACKABLE = {".css", ".js", ".svg", ".txt"}

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


def register(app: Flask) -> None:
    """Read every file once, answer `/static/<digest>/<path>`, and give templates `asset(path)`."""
    files = {path.relative_to(STATIC).as_posix(): _read(path) for path in STATIC.rglob("*") if path.is_file()}

    def asset(path: str) -> str:
        return f"/static/{files[path].etag[3:15]}/{path}"

    @app.get("/static/<digest>/<path:name>")
    def static(digest: str, name: str) -> Response:
        file = files.get(name)
        if file is None:
            abort(404)
        # An older digest gets the present file, but nobody may keep it under that name.
        return answer(file, FOR_EVER if digest == file.etag[3:15] else "no-cache")

    app.jinja_env.globals["asset"] = asset


def _read(path: Path) -> Ready:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    packed = gzip.compress(body, 9) if path.suffix in _PACKABLE else b""
    return Ready(body, packed, f'W/"{hashlib.sha256(body).hexdigest()[:20]}"', kind, 0.0)
