"""Languages on the web: the URL says which one, and nothing else does."""

from typing import Any

from flask import Flask, Request, current_app, g, has_request_context, request, url_for
from flask_babel import Babel, refresh
from werkzeug.routing import BaseConverter, ValidationError

from petitions import locales


class LanguageConverter(BaseConverter):
    """A language code in a path, such as `fr`."""

    regex = "[a-z]{2,3}"

    def to_python(self, value: str) -> str:
        """Only what CLDR knows: nothing could be said on a page in `xx`, and `/api/` is no page."""
        if not locales.is_language(value):
            raise ValidationError()
        return value


def register(app: Flask) -> None:
    """Take `lang` out of URLs into `g.locale`, and put it back when URLs are built."""
    Babel(app, locale_selector=locale)
    app.url_value_preprocessor(_read_language)
    app.url_defaults(_add_language)
    app.context_processor(lambda: {"locale": locale(), "dir": locales.direction(locale())})


def locale() -> str:
    """The language of the present page: the URL's; elsewhere what the browser asks for, among those we ship."""
    if not has_request_context():
        return locales.FALLBACK
    if "locale" not in g:
        g.locale = wanted(request, locales.SHIPPED)
    return str(g.locale)


def use_shipped_language() -> None:
    """Stay in the present language if we ship words for it; otherwise speak one that the browser asks for."""
    if locale() not in locales.SHIPPED:
        g.locale = wanted(request, locales.SHIPPED)
        refresh()


def wanted(of: Request, offered: tuple[str, ...]) -> str:
    """The best of `offered` for this request's Accept-Language."""
    return locales.preferred([code for code, _ in of.accept_languages], offered)


def same_page_in(language: str) -> str:
    """The URL of the present page in another language."""
    return url_for(request.endpoint or "pages.home", **{**(request.view_args or {}), "lang": language})


def _read_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and "lang" in values:
        g.locale = values.pop("lang")


def _add_language(endpoint: str, values: dict[str, Any]) -> None:
    if "lang" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values["lang"] = locale()
