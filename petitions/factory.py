"""Builds the application: the only module that imports every package."""

import os
import sys
from typing import Any

from flask import Flask

from petitions import file_modes, locales, logs
from petitions.cli import commands
from petitions.db import engine as db_engine
from petitions.db.base import db
from petitions.db.engine import WriteLock
from petitions.db.queue import WriteQueue
from petitions.db.transactions import WRITE_LOCK, WRITE_QUEUE
from petitions.errors import SettingsFaulty
from petitions.queries.catalogue import CATALOGUE_CACHE, CatalogueCache
from petitions.queries.pins import Pins
from petitions.services.keys.keyring import KEYRING, Keyring
from petitions.settings import ROOT, SETTINGS, Settings
from petitions.web import routes
from petitions.worker import WORKER, Worker


def create_app(settings: Settings | None = None) -> Flask:
    """The application for `settings`, or for the environment; exits with status 1 if those are faulty."""
    if settings is None:
        try:
            settings = Settings.from_env()
        except SettingsFaulty as exc:
            sys.exit(str(exc))
    locales.compile_catalogues(ROOT / "translations")
    os.umask(file_modes.UMASK)  # everything this process creates is readable for its own account only
    app = Flask(
        "petitions", root_path=str(ROOT / "petitions"), static_folder=None, instance_path=str(ROOT / "instance")
    )
    app.template_folder = str(ROOT / "templates")
    app.config.from_mapping(_flask_config(settings))
    logs.prepare(settings.log_level, settings.log_format == "json")
    SETTINGS.put(app, settings)
    KEYRING.put(app, Keyring(settings.secret_key, settings.master_key, settings.instance))
    CATALOGUE_CACHE.put(app, CatalogueCache(Pins(settings.instance / "recipients.txt")))
    _prepare_database(app, settings)
    routes.register(app, settings)
    commands.register(app)
    WORKER.put(app, Worker(app))
    return app


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key or None,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": db_engine.options(settings),
        "WTF_CSRF_CHECK_DEFAULT": False,  # public pages use no cookie; web/admin checks its forms
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session is valid
        "WTF_I18N_ENABLED": False,  # our own words are used; loading WTForms' catalogues is slow
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "BABEL_DEFAULT_LOCALE": "en",
        "MAX_CONTENT_LENGTH": 32 * 1024,
        "MAX_FORM_MEMORY_SIZE": 32 * 1024,
        "MAX_FORM_PARTS": 200,
        "TEMPLATES_AUTO_RELOAD": False,
    }


def _prepare_database(app: Flask, settings: Settings) -> None:
    if settings.is_sqlite:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    db_engine.prepare(engine)
    lock = WriteLock(settings)
    WRITE_LOCK.put(app, lock)
    WRITE_QUEUE.put(app, WriteQueue(engine, lock, most_waiting=settings.write_queue))
