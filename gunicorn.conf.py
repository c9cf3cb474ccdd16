"""How gunicorn serves the application: threads share commits, and slow clients do not stop signers."""

import os
import sys
import time
from contextlib import suppress
from typing import Any

from gunicorn.glogging import Logger

from petitions import logs, modes
from petitions.errors import Busy, SettingsFaulty
from petitions.services import installation, ledger
from petitions.settings import Settings

APP_LOAD_ERROR = 4  # gunicorn's own: the server ends with this status, and starts no further worker
STARTS_WITHIN = 20  # seconds for a new worker, on a busy machine

_settings = Settings.from_env()
os.umask(modes.UMASK)  # also for what comes before the application
if _settings.faults_of_server():
    sys.exit(str(SettingsFaulty(_settings.faults_of_server())))

bind = _settings.bind
umask = modes.UMASK
workers = _settings.workers
worker_class = "petitions.gunicorn_worker.PatientWorker"
threads = _settings.threads
worker_connections = 900  # below the 1,024 files that a process may usually open
timeout = 30
graceful_timeout = 10
keepalive = 5
max_requests = 500_000
max_requests_jitter = 50_000
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - heartbeat files only
control_socket_disable = True  # else two servers of one account would share a socket in the home folder
forwarded_allow_ips = ""  # X-Forwarded-For is read by the application, exactly PETITIONS_PROXY_HOPS from the right
limit_request_line = 8190
accesslog = None  # a log of who looked when is a log of who signed


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn's own events in our format, without what they say about visitors."""

    def setup(self, cfg: Any) -> None:
        """Take the configuration."""
        super().setup(cfg)
        self.error_log.addFilter(logs.without_visitors)
        for handler in self.error_log.handlers:
            handler.setFormatter(logs.LineFormatter(_settings.log_format == "json"))


logger_class = ServerLog


def on_reload(server: Any) -> None:
    """Let the old workers serve until the new ones do: gunicorn ends them as soon as those begin to start."""
    last, manage = server.worker_age, server.manage_workers

    def manage_when_ready() -> None:
        server.manage_workers = manage
        starting = {worker.tmp: worker.tmp.last_update() for worker in server.WORKERS.values() if worker.age > last}
        give_up_at = time.monotonic() + STARTS_WITHIN
        while any(pulse.last_update() == first for pulse, first in starting.items()) and time.monotonic() < give_up_at:
            time.sleep(0.1)
        manage()

    server.manage_workers = manage_when_ready


def post_worker_init(worker: Any) -> None:
    """Refuse to serve without the keys that the database was made with; else start this process's mail worker.

    The mail workers of all processes share the outbox by leases.
    """
    from app import app

    with app.app_context(), suppress(Busy):  # a database that is away may come back
        found = installation.faults(app.extensions["petitions_shelf"])
        if found:
            worker.log.error("%s", " ".join(found))
            sys.exit(APP_LOAD_ERROR)
        ledger.notice_restore()
    if _settings.worker:
        worker.petitions_worker = app.extensions["petitions_worker"]
        worker.petitions_worker.start()


def worker_exit(server: Any, worker: Any) -> None:
    """Let the mail that is under way leave."""
    running = getattr(worker, "petitions_worker", None)
    if running is not None:
        running.finish(10)  # seconds
