"""Static files under names that change with their content, so that they may be kept for ever."""

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
    """Read every file once, keep it ready at `/static/<digest>/<path>`, and give templates `asset(path)`."""
    paths = [path for path in STATIC.rglob("*") if path.is_file()]
    files: dict[str, CachedPage] = {}

    def asset(name: str) -> str:
        return f"/static/{files[name].etag[3:15]}/{name}"

    for path in sorted(paths, key=lambda path: path.suffix == ".css"):  # style sheets last: they name the others
        name = path.relative_to(STATIC).as_posix()
        files[name] = _ready(path, _served(path.read_bytes(), asset) if path.suffix == ".css" else path.read_bytes())
        pages.files[asset(name)] = files[name]

    @app.get(ROUTE)
    def static(digest: str, name: str) -> Response:
        file = files.get(name)
        if file is None:
            abort(404)
        # An older digest gets the present file, but nobody may keep it under that name.
        return page_cache.respond(file if digest == file.etag[3:15] else replace(file, cache="no-cache"))

    app.jinja_env.globals["asset"] = asset


def _served(css: bytes, asset: Callable[[str], str]) -> bytes:
    """The style sheet without comments and indents, which a first visit need not load.

    It names files by the addresses that pages use too, so that no file is fetched under two names.
    """
    return _RELATIVE.sub(lambda found: f"url({asset(found[1].decode())})".encode(), _FOR_READERS.sub(b"", css))


@cache
def _packed(body: bytes) -> dict[str, bytes]:
    """Packed as small as can be, which takes a moment: once in the life of a process."""
    return page_cache.packed(body, page_cache.PACK_FILES)


def _ready(path: Path, body: bytes) -> CachedPage:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    packed = _packed(body) if path.suffix in _PACKABLE else {}
    return CachedPage(body, packed, page_cache.etag(body), kind, IMMUTABLE, ROUTE)
