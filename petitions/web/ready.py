"""Pages kept as ready bytes: rendered at most every other second, compressed once, answered with 304."""

import gzip
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, current_app, request

FRESH_SECONDS = 1.5
PAGE = "public, max-age=15, s-maxage=30, stale-while-revalidate=60, stale-if-error=86400"
NUMBERS = "public, max-age=2, s-maxage=2, stale-while-revalidate=1"  # with FRESH_SECONDS: at most 5 s behind
MOST_KEPT = 2_000  # a bound on memory, far above campaigns x languages x cases


@dataclass(frozen=True)
class Ready:
    """One page as bytes."""

    plain: bytes
    packed: bytes  # empty where packing gains nothing
    etag: str
    content_type: str
    built_at: float


class ReadyPages:
    """The ready pages of one process, by path."""

    def __init__(self) -> None:
        self._pages: dict[str, Ready] = {}
        self._builders: dict[str, threading.Lock] = {}

    def get(self, path: str, build: Callable[[], str], content_type: str) -> Ready:
        """The page at `path`, built anew if it is no longer fresh. While one thread builds, others get the old one."""
        kept = self._pages.get(path)
        if kept is not None and time.monotonic() - kept.built_at < FRESH_SECONDS:
            return kept
        builder = self._builders.setdefault(path, threading.Lock())
        if not builder.acquire(blocking=kept is None):
            assert kept is not None  # noqa: S101 - acquire() blocks otherwise
            return kept
        try:
            newer = self._pages.get(path)
            if newer is not None and newer is not kept:
                return newer
            body = build().encode()
            page = self._renewed(kept, body, content_type)
            if len(self._pages) >= MOST_KEPT:
                self._pages.clear()
            self._pages[path] = page
            return page
        except Exception:
            self._builders.pop(path, None)  # a path that is no page leaves nothing behind
            raise
        finally:
            builder.release()

    def forget(self) -> None:
        """Build everything anew at the next request."""
        self._pages.clear()

    @staticmethod
    def _renewed(kept: Ready | None, body: bytes, content_type: str) -> Ready:
        if kept is not None and kept.plain == body:
            return Ready(body, kept.packed, kept.etag, content_type, time.monotonic())
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'  # weak: the same page, plain or packed
        return Ready(body, gzip.compress(body, 9), etag, content_type, time.monotonic())


def page(build: Callable[[], str], *, cache: str = PAGE, content_type: str = "text/html; charset=utf-8") -> Response:
    """The answer for the present path: ready bytes, or 304 for who has them already."""
    pages: ReadyPages = current_app.extensions["petitions_ready"]
    return answer(pages.get(request.path, build, content_type), cache)


def answer(ready: Ready, cache: str) -> Response:
    """`ready` as a response, packed where the client unpacks."""
    headers = {"ETag": ready.etag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if ready.etag in request.headers.get("If-None-Match", ""):
        return Response(status=304, headers=headers)
    if ready.packed and request.accept_encodings["gzip"] > 0:
        headers["Content-Encoding"] = "gzip"
        return Response(ready.packed, headers=headers, content_type=ready.content_type)
    return Response(ready.plain, headers=headers, content_type=ready.content_type)
