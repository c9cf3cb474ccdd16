"""The page cache: public pages as compressed bytes, rendered at most once a second, served before Flask runs."""

import gzip
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import brotli
from flask import Flask, Response, request
from werkzeug.sansio.utils import host_is_trusted

from petitions.parts import Part
from petitions.web import request_log

FRESH_SECONDS = 1.0  # with the catalogue's: a hidden case is gone after at most 1.6 s
PAGE = "public, max-age=15, s-maxage=0, must-revalidate"  # no proxy shows a hidden case
NUMBERS = "public, max-age=2, s-maxage=2, stale-while-revalidate=1"  # with FRESH_SECONDS: at most 5 s old
MAX_PAGES = 2_000  # limits memory; far above campaigns x languages x cases
PACK_PAGES, PACK_FILES = 5, 10  # of brotli's eleven levels: the last two cost 20 and 50 times as much


@dataclass(frozen=True)
class CachedPage:
    """One page as bytes; `packed`: compressed, by content coding, best first."""

    plain: bytes
    packed: Mapping[str, bytes]
    etag: str
    content_type: str
    cache: str
    route: str = "-"
    headers: tuple[tuple[str, str], ...] = ()  # instead of those that every answer has
    fresh_until: float = float("inf")  # on time.monotonic()'s clock

    def answer(self, accepted: str, known: str) -> tuple[HTTPStatus, list[tuple[str, str]], bytes]:
        """Status, headers and body for a request with these Accept-Encoding and If-None-Match headers."""
        headers = [("ETag", self.etag), ("Cache-Control", self.cache), ("Vary", "Accept-Encoding"), *self.headers]
        if self.etag in known:
            return HTTPStatus.NOT_MODIFIED, headers, b""
        body = self.plain
        for coding, packed in self.packed.items():
            if coding in _codings(accepted):
                headers.append(("Content-Encoding", coding))
                body = packed
                break
        headers += [("Content-Type", self.content_type), ("Content-Length", str(len(body)))]
        return HTTPStatus.OK, headers, body


def packed(body: bytes, degree: int) -> dict[str, bytes]:
    """`body` compressed with each content coding, best first."""
    return {"br": brotli.compress(body, quality=degree), "gzip": gzip.compress(body, 9)}


def etag(body: bytes) -> str:
    """An ETag of the content; weak, because it is the same for all content codings."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:20]}"'


@lru_cache(maxsize=256)
def _codings(accepted: str) -> frozenset[str]:
    """The content codings that an Accept-Encoding header allows."""
    parts = (part.strip().lower().partition(";") for part in accepted.split(","))
    refused = {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return frozenset(name.strip() for name, _, weight in parts if weight.replace(" ", "") not in refused)


class PageCache:
    """The cached pages of one process, by path."""

    def __init__(self) -> None:
        self._pages: dict[str, CachedPage] = {}
        self._builders: dict[str, threading.Lock] = {}
        self.files: dict[str, CachedPage] = {}

    def fresh(self, path: str) -> CachedPage | None:
        """The page at `path` if it is fresh; never renders."""
        kept = self.files.get(path) or self._pages.get(path)
        return kept if kept is not None and time.monotonic() < kept.fresh_until else None

    def get(self, path: str, build: Callable[[], str], empty: CachedPage) -> CachedPage:
        """The page at `path`, rendered if it is no longer fresh. While one thread renders, others get the old page."""
        kept = self._pages.get(path)
        if kept is not None and time.monotonic() < kept.fresh_until:
            return kept
        builder = self._builders.setdefault(path, threading.Lock())
        if not builder.acquire(blocking=kept is None):
            assert kept is not None  # noqa: S101 - acquire() blocks otherwise
            return kept
        try:
            newer = self._pages.get(path)
            if newer is not None and newer is not kept:
                return newer
            page = self._renewed(kept, build().encode(), empty)
            if len(self._pages) >= MAX_PAGES:
                self._pages.clear()
            self._pages[path] = page
            return page
        except Exception:
            self._builders.pop(path, None)  # nothing is kept for a path that is not a page
            raise
        finally:
            builder.release()

    def forget(self) -> None:
        """Render everything again at the next request."""
        self._pages.clear()

    @staticmethod
    def _renewed(kept: CachedPage | None, body: bytes, empty: CachedPage) -> CachedPage:
        fresh_until = time.monotonic() + FRESH_SECONDS
        if kept is not None and kept.plain == body:
            return replace(kept, fresh_until=fresh_until)
        return replace(empty, plain=body, packed=packed(body, PACK_PAGES), etag=etag(body), fresh_until=fresh_until)


PAGE_CACHE: Part[PageCache] = Part()


class PageCacheMiddleware:
    """WSGI middleware that answers from the cache before Flask runs, so that a reload costs almost nothing."""

    def __init__(self, app: Flask, pages: PageCache, headers: Mapping[str, str]) -> None:
        self._flask = app.wsgi_app
        self._pages = pages
        self._headers = list(headers.items())
        self._hosts: list[str] = app.config["TRUSTED_HOSTS"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        ready = self._found(environ)
        if ready is None:
            return self._flask(environ, start_response)
        began = time.monotonic()
        status, headers, body = ready.answer(
            environ.get("HTTP_ACCEPT_ENCODING", ""), environ.get("HTTP_IF_NONE_MATCH", "")
        )
        own = dict(ready.headers)
        headers += [pair for pair in self._headers if pair[0] not in own] if own else self._headers
        start_response(f"{status.value} {status.phrase}", headers)
        request_log.note(environ["REQUEST_METHOD"], ready.route, status.value, began)
        return [body] if environ["REQUEST_METHOD"] == "GET" else []

    def _found(self, environ: dict[str, Any]) -> CachedPage | None:
        path: str = environ["PATH_INFO"]
        is_plain = environ["REQUEST_METHOD"] in ("GET", "HEAD") and not environ.get("QUERY_STRING")
        if not is_plain or environ.get("SCRIPT_NAME") or not path.isascii():
            return None
        ready = self._pages.fresh(path)
        return ready if ready is not None and self._is_trusted(environ.get("HTTP_HOST", "")) else None

    def _is_trusted(self, host: str) -> bool:
        return host_is_trusted(host, self._hosts)


def page(
    build: Callable[[], str],
    *,
    cache: str = PAGE,
    content_type: str = "text/html; charset=utf-8",
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """The response for this path from the cache, or 304 if the client has it already."""
    route = request.url_rule.rule if request.url_rule else "-"
    return respond(
        PAGE_CACHE.of().get(request.path, build, CachedPage(b"", {}, "", content_type, cache, route, headers))
    )


def respond(ready: CachedPage) -> Response:
    """The cached page as Flask's response to this request."""
    status, headers, body = ready.answer(
        request.headers.get("Accept-Encoding", ""), request.headers.get("If-None-Match", "")
    )
    response = Response(body, status=status)
    if not body:
        del response.headers["Content-Type"]
    response.headers.update(headers)
    return response
