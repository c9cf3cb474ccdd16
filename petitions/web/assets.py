"""Static files under URLs that contain a digest of their content, so that they can be cached for ever."""

import mimetypes
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from flask import Flask, Response, abort

from petitions.settings import ROOT
from petitions.web import page_cache
from petitions.web.page_cache import CachedPage, PageCache

STATIC = ROOT / "static"
IMMUTABLE = "public, max-age=31536000, immutable"
ROUTE = "/static/<digest>/<path:name>"
_PACKABLE = {".css", ".js", ".svg", ".txt"}
_RELATIVE = re.compile(rb"url\(\.\./([^)]+)\)")
_FOR_READERS = re.compile(rb"/\*.*?\*/\s*|(?<=\n)\s+", re.DOTALL)

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


def register(app: Flask, pages: PageCache) -> None:
    """Load every file into the cache at `/static/<digest>/<path>`, and give templates `asset(path)`."""
    paths = [path for path in STATIC.rglob("*") if path.is_file()]
    files: dict[str, CachedPage] = {}

    def asset(name: str) -> str:
        return f"/static/{files[name].etag[3:15]}/{name}"

    for path in sorted(paths, key=lambda path: path.suffix == ".css"):  # style sheets last: they refer to the others
        name = path.relative_to(STATIC).as_posix()
        files[name] = _ready(path, _served(path.read_bytes(), asset) if path.suffix == ".css" else path.read_bytes())
        pages.files[asset(name)] = files[name]

    @app.get(ROUTE)
    def static(digest: str, name: str) -> Response:
        file = files.get(name)
        if file is None:
            abort(404)
        # An old digest gets the present file, but it must not be cached under that URL.
        return page_cache.respond(file if digest == file.etag[3:15] else replace(file, cache="no-cache"))

    app.jinja_env.globals["asset"] = asset


def _served(css: bytes, asset: Callable[[str], str]) -> bytes:
    """The style sheet without comments and indentation, with the same URLs of files as the pages use."""
    return _RELATIVE.sub(lambda found: f"url({asset(found[1].decode())})".encode(), _FOR_READERS.sub(b"", css))


@cache
def _packed(body: bytes) -> dict[str, bytes]:
    """Compressed as small as possible; slow, but done once per process."""
    return page_cache.packed(body, page_cache.PACK_FILES)


def _ready(path: Path, body: bytes) -> CachedPage:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    packed = _packed(body) if path.suffix in _PACKABLE else {}
    return CachedPage(body, packed, page_cache.etag(body), kind, IMMUTABLE, ROUTE)
