"""Registers everything of the web: security first, then the blueprints."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from petitions.settings import Settings
from petitions.web import admin, assets, errors, filters, i18n, page_cache, request_log, security, sessions
from petitions.web.api import bounces, counts, health, oembed
from petitions.web.embed import frames
from petitions.web.public import (
    cards,
    collecting,
    confirming,
    crawlers,
    demo,
    donating,
    events,
    figures,
    kit,
    kit_orders,
    letters,
    pages,
    sharing,
    signer_page,
    signing,
    well_known,
)


def register(app: Flask, settings: Settings) -> None:
    """Register every URL of `app`."""
    app.url_map.converters["lang"] = i18n.LanguageConverter
    app.session_interface = sessions.StaffSessions(settings)
    kept = page_cache.PAGE_CACHE.put(app, page_cache.PageCache())
    request_log.register(app)
    CSRFProtect(app)
    security.register(app, settings)
    i18n.register(app)
    assets.register(app, kept)
    filters.register(app, settings)
    errors.register(app)
    shown = (cards.bp, collecting.bp, kit_orders.bp, crawlers.bp, donating.bp, events.bp, figures.bp, sharing.bp)
    public = (*shown, pages.bp, letters.bp, kit.bp, signing.bp, frames.bp, confirming.bp, signer_page.bp, well_known.bp)
    for blueprint in (bounces.bp, counts.bp, health.bp, oembed.bp, admin.blueprint(), *public):
        app.register_blueprint(blueprint)
    if settings.demo:
        app.register_blueprint(demo.bp)
    app.wsgi_app = page_cache.PageCacheMiddleware(app, kept, security.headers(settings))  # type: ignore[method-assign]
