"""Template filters and functions: numbers, dates, countries and Markdown in the reader's language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_time
from babel.numbers import format_decimal
from flask import Flask
from markupsafe import Markup

from petitions import locales
from petitions.content.markdown import to_html
from petitions.queries.catalogue import Translated
from petitions.settings import Settings, version
from petitions.web.i18n import locale, same_page_in


def register(app: Flask, settings: Settings) -> None:
    """Add the filters and functions to `app`'s templates."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        number=number, date=day, long_date=long_date, time=hour, country=country, markdown=markdown, decimal=decimal
    )
    app.jinja_env.globals.update(same_page_in=same_page_in, spoken=spoken, own_name=locales.own_name)
    app.jinja_env.globals.update(direction=locales.direction, base_url=settings.base_url, version=version())


def number(value: int) -> str:
    """`12345` grouped as the language does."""
    return format_decimal(value, locale=locale())


def decimal(value: float) -> str:
    """A number with one decimal place, as the language writes it."""
    return format_decimal(value, format="#,##0.0", locale=locale())


def day(moment: datetime, timezone: str = "UTC") -> str:
    """The date in words, in the campaign's time zone."""
    return locales.long_date(moment.astimezone(ZoneInfo(timezone)).date(), locale())


def long_date(day: date) -> str:
    """A day without a time, in words."""
    return locales.long_date(day, locale())


def hour(moment: datetime, timezone: str = "UTC") -> str:
    """Hours and minutes, in the campaign's time zone."""
    return format_time(moment.astimezone(ZoneInfo(timezone)), format="short", locale=locales.written(locale()))


def country(code: str) -> str:
    """The country's name from CLDR."""
    return locales.country_name(code, locale())


def spoken(translated: Translated) -> Markup:
    """`lang` and `dir` attributes for words that are not in the page's language."""
    language = translated.locale_for(locale())
    if language == locale():
        return Markup("")
    return Markup(' lang="{}" dir="{}"').format(language, locales.direction(language))


def markdown(text: str) -> Markup:
    """Safe HTML from Markdown: content/markdown.py removes everything dangerous."""
    return Markup(to_html(text))  # noqa: S704
