"""gunicorn's configuration: its own thread workers; slow clients are the work of the proxy."""

import os
import sys
from contextlib import suppress
from typing import Any

from petitions import file_modes, locales, logs
from petitions.errors import Busy, SettingsFaulty
from petitions.queries.catalogue import CATALOGUE_CACHE
from petitions.services import installation, ledger
from petitions.settings import ROOT, Settings
from petitions.worker import WORKER

APP_LOAD_ERROR = 4  # gunicorn's exit status for this: it stops and starts no further worker

_settings = Settings.from_env()
os.umask(file_modes.UMASK)  # also for files created before the application starts
if _settings.faults_of_server():
    sys.exit(str(SettingsFaulty(_settings.faults_of_server())))
locales.compile_catalogues(ROOT / "translations")  # here a failure stops the server; in a worker, gunicorn would retry

bind = _settings.bind
umask = file_modes.UMASK
workers = _settings.workers
worker_class = "gthread"
threads = _settings.threads
worker_connections = 900  # below the usual limit of 1,024 open files
timeout = 30
graceful_timeout = 10
keepalive = 5
max_requests = 500_000
max_requests_jitter = 50_000
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeat files only
control_socket_disable = True  # otherwise two servers of one account would share a socket in the home folder
forwarded_allow_ips = ""  # the application reads X-Forwarded-For itself, PETITIONS_PROXY_HOPS entries from the right
limit_request_line = 8190
accesslog = None  # a log of visitors' addresses would show who signed


# gunicorn's own events in our format, without visitors' data
logconfig_dict = {
    "filters": {"without_visitors": {"()": lambda: logs.without_visitors}},
    "formatters": {"line": {"()": logs.LineFormatter, "as_json": _settings.log_format == "json"}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"gunicorn.error": {"handlers": ["errors"], "filters": ["without_visitors"], "propagate": False}},
    "root": {"handlers": []},
}


def post_worker_init(worker: Any) -> None:
    """Refuse to serve without the keys that the database was created with; otherwise start the mail worker.

    The mail workers of all processes share the outbox by leases.
    """
    from app import app

    with app.app_context(), suppress(Busy):  # the database may become reachable later
        found = installation.faults(CATALOGUE_CACHE.of(app))
        if found:
            worker.log.error("%s", " ".join(found))
            sys.exit(APP_LOAD_ERROR)
        ledger.notice_restore()
    if _settings.worker:
        worker.petitions_worker = WORKER.of(app)
        worker.petitions_worker.start()


def worker_exit(server: Any, worker: Any) -> None:
    """Let the e-mail that is being sent leave."""
    running = getattr(worker, "petitions_worker", None)
    if running is not None:
        running.finish(10)  # seconds
