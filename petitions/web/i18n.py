"""The language of a page: the URL decides."""

from typing import Any

from flask import Flask, Request, current_app, g, has_request_context, request, url_for
from flask_babel import Babel, refresh
from werkzeug.routing import BaseConverter, ValidationError

from petitions import locales


class LanguageConverter(BaseConverter):
    """A language code in a path, such as `fr`."""

    regex = "[a-z]{2,3}"

    def to_python(self, value: str) -> str:
        """Accepts only languages that CLDR knows, so that `/api/` is not taken for a language."""
        if not locales.is_language(value):
            raise ValidationError()
        return value


def register(app: Flask) -> None:
    """Move `lang` from URLs into `g.locale`, and add it when URLs are built."""
    Babel(app, locale_selector=locale)
    app.url_value_preprocessor(_read_language)
    app.url_defaults(_add_language)
    app.context_processor(lambda: {"locale": locale(), "dir": locales.direction(locale())})


def locale() -> str:
    """The language of this page: the URL's; without one, the best of the shipped ones for the browser."""
    if not has_request_context():
        return locales.FALLBACK
    if "locale" not in g:
        g.locale = wanted(request, locales.SHIPPED)
    return str(g.locale)


def use_shipped_language() -> None:
    """Keep this page's language if it has a catalogue; otherwise use the best one for the browser."""
    if locale() not in locales.SHIPPED:
        g.locale = wanted(request, locales.SHIPPED)
        refresh()


def wanted(of: Request, offered: tuple[str, ...]) -> str:
    """The best of `offered` for this request's Accept-Language."""
    return locales.preferred([code for code, _ in of.accept_languages], offered)


def same_page_in(language: str) -> str:
    """The URL of this page in another language."""
    return url_for(request.endpoint or "pages.home", **{**(request.view_args or {}), "lang": language})


def _read_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and "lang" in values:
        g.locale = values.pop("lang")


def _add_language(endpoint: str, values: dict[str, Any]) -> None:
    if "lang" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values["lang"] = locale()
