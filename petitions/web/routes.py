"""Puts the web together: guards first, then the blueprints."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from petitions.settings import Settings
from petitions.web import assets, errors, filters, i18n, ready, security, sessions
from petitions.web.admin import board, export, keys, login, opening
from petitions.web.api import counts, health
from petitions.web.public import confirming, demo, pages, signing


def register(app: Flask, settings: Settings) -> None:
    """Give `app` every URL it answers."""
    app.url_map.converters["lang"] = i18n.LanguageConverter
    app.session_interface = sessions.StaffSessions(settings)
    app.extensions["petitions_ready"] = ready.ReadyPages()
    CSRFProtect(app)
    security.register(app, settings)
    i18n.register(app)
    assets.register(app)
    filters.register(app, settings)
    errors.register(app)
    for blueprint in (counts.bp, health.bp, login.bp, pages.bp, signing.bp, confirming.bp):
        app.register_blueprint(blueprint)
    if settings.demo:
        app.register_blueprint(demo.bp)


__all__ = ["board", "export", "keys", "opening", "register"]
