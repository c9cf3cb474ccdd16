"""The worker sends queued e-mails, publishes counts and erases what is due, in the server or as `flask worker`."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from flask import Flask

from petitions import sending
from petitions.db.transactions import truncate_log
from petitions.errors import DatabaseDamaged
from petitions.mail.mailboxes import MailboxFaulty
from petitions.parts import Part
from petitions.services.campaigns import publishing, recounting
from petitions.services.keys.keyring import settings
from petitions.services.limits import mail_quota, rate_limits
from petitions.services.mailing import bounces, outbox
from petitions.services.operations import alerts, nightly, snapshots
from petitions.services.paper import collectors, kit_orders
from petitions.services.privacy import retention, scrubbing

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two checks of an empty outbox
MAINTENANCE_SECONDS = 3600.0  # seconds
FIRST_MAINTENANCE_SECONDS = 300.0  # after the start, so that a server that restarts each night does it too
BOUNCES_EVERY = 300.0  # seconds
TRUNCATE_EVERY = 120.0  # seconds; erased data is gone from the disk within five minutes


class Worker:
    """A loop that sends and maintains, and helpers that send. Any number of workers, on any number of machines, share
    the outbox; none sends twice.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._ended = threading.Event()
        self._work = threading.Event()  # more e-mails are due than one sender can send
        self._thread: threading.Thread | None = None
        self.failed = False  # ended because the database is damaged
        self._published: datetime | None = None
        self._truncated_at = time.monotonic()
        self._maintained_at = time.monotonic() - MAINTENANCE_SECONDS + FIRST_MAINTENANCE_SECONDS

    def start(self) -> threading.Thread:
        """Run in the background until `stop`."""
        thread = threading.Thread(target=self.run, name="worker", daemon=True)
        thread.start()
        self._thread = thread
        return thread

    def stop(self) -> None:
        """Finish the e-mail that is being sent, and end."""
        self._ended.set()

    def finish(self, seconds: float) -> None:
        """Stop, and wait for the end for at most `seconds`; an e-mail that is interrupted would be sent again."""
        self.stop()
        if self._thread is not None:
            self._thread.join(seconds)

    def run(self) -> None:
        """Work until `stop`. A failure does not end the loop."""
        with self._app.app_context():
            number = max(1, settings().mail_connections) - 1
        helpers = [threading.Thread(target=self._help, name=f"sender-{each}", daemon=True) for each in range(number)]
        helpers.append(threading.Thread(target=self._collect_bounces, name="bounces", daemon=True))
        for helper in helpers:
            helper.start()
        try:
            self._loop(self.maintain, self._ended.wait)
        finally:
            self._ended.set()
            self._work.set()
            for helper in helpers:
                helper.join()

    def _collect_bounces(self) -> None:
        """Read the mailbox of bounces from time to time, in a thread of its own: a mail server may keep it waiting."""
        with self._app.app_context():
            while settings().bounce_mailbox and not self._ended.wait(BOUNCES_EVERY):
                try:
                    bounces.collect()
                except MailboxFaulty as exc:
                    log.warning("mailbox of bounces unreadable reason=%s", exc)
                except Exception as exc:
                    log.error("bounces not read error=%s", type(exc).__name__)  # its text may quote an address

    def _help(self) -> None:
        """Send too, while there is more than one sender can do."""
        self._loop(lambda: None, self._rest)

    def _rest(self, _pause: float) -> None:
        """Wait until there is more than one sender can do."""
        self._work.clear()
        if not self._ended.is_set():  # asked after the clearing: the end wakes up only those who wait already
            self._work.wait()

    def _loop(self, after: Callable[[], None], wait: Callable[[float], object]) -> None:
        """Send batches until `stop`; `after` each one, and `wait` when nothing is due."""
        sender = sending.Sender(self._ended)
        with self._app.app_context():
            while not self._ended.is_set():
                try:
                    sent = sender.send_due()
                    if sent == sending.BATCH:
                        self._work.set()
                    after()
                except DatabaseDamaged:
                    log.error("worker ended: the database is damaged, see flask doctor")
                    self.failed = True
                    break
                except Exception:
                    log.exception("worker failed, and will try again")
                    sent = 0
                if not sent:
                    sender.close()
                    wait(PAUSE)
            sender.close()

    def maintain(self) -> None:
        """Do the regular tasks whose time has come."""
        if time.monotonic() - self._truncated_at > TRUNCATE_EVERY:
            self._truncated_at = time.monotonic()
            truncate_log()
        if time.monotonic() - self._maintained_at > MAINTENANCE_SECONDS:
            self._maintained_at = time.monotonic()
            rate_limits.purge()
            mail_quota.purge()
            outbox.mend()
            outbox.purge()
            retention.run(self._ended)
            scrubbing.scrub_due()
            recounting.recount_due()
            collectors.maintain()
            kit_orders.maintain()
            nightly.backup_due()
            alerts.alert_due()
            snapshots.forget_old()
        self._published = publishing.publish_due(self._published)


WORKER: Part[Worker] = Part()
