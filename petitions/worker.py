"""The worker sends queued e-mails, publishes counts and erases what is due, in the server or as `flask worker`."""

import logging
import threading
import time
from datetime import datetime, timedelta
from email.message import EmailMessage

from flask import Flask

from petitions.db.transactions import truncate_log
from petitions.errors import Busy, DatabaseDamaged, DomainError, NotFound
from petitions.mail.compose import compose
from petitions.mail.transports import Delayed, Transport, Undeliverable, connected
from petitions.parts import Part
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import catalogue
from petitions.services.campaigns import publishing, recounting
from petitions.services.keys.keyring import settings
from petitions.services.limits import mail_quota, rate_limits
from petitions.services.mailing import outbox, suppression
from petitions.services.operations import nightly
from petitions.services.privacy import retention, scrubbing
from petitions.services.signing import confirming, signer_page
from petitions.settings import Settings

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two checks of an empty outbox
BATCH = 20
MAINTENANCE_SECONDS = 3600.0  # seconds
FIRST_MAINTENANCE_SECONDS = 300.0  # after the start, so that a server that restarts each night does it too
TRUNCATE_EVERY = 120.0  # seconds; erased data is gone from the disk within five minutes


class Worker:
    """One loop in one thread. Any number of workers, on any number of machines, share the outbox; none sends twice."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._ended = threading.Event()
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
            while not self._ended.is_set():
                try:
                    sent = send_due(self._ended)
                    self._maintain()
                except DatabaseDamaged:
                    log.error("worker ended: the database is damaged, see flask doctor")
                    self.failed = True
                    return
                except Exception:
                    log.exception("worker failed, and will try again")
                    sent = 0
                if not sent:
                    self._ended.wait(PAUSE)

    def _maintain(self) -> None:
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
            nightly.backup_due()
        self._published = publishing.publish_due(self._published)


WORKER: Part[Worker] = Part()


def send_due(ended: threading.Event | None = None) -> int:
    """Send due e-mails, within the rate limit of all senders together; returns how many were tried."""
    leased = outbox.lease(BATCH)
    if not leased:
        return 0
    config = settings()
    budget = rate_limits.Rule("outbound", config.mail_per_minute, timedelta(minutes=1))
    tried = 0
    try:
        with connected(config.mail_url) as transport:
            for message in leased:
                is_ended = tried > 0 and ended is not None and ended.is_set()
                if is_ended or not outbox.has_lease_time(message) or not rate_limits.is_within(budget, "all"):
                    outbox.release(leased[tried:])
                    break
                _send(transport, message, config)
                tried += 1
    except Delayed as exc:
        for message in leased:
            outbox.mark_delayed(message, str(exc))
        log.warning("mail server unreachable reason=%s waiting=%s", exc, len(leased))
        return len(leased)
    return tried


def _send(transport: Transport, message: outbox.Leased, config: Settings) -> None:
    try:
        if message.kind == outbox.REQUEST:
            signer_page.answer_request(message)
            return
        if message.signer_id is None or suppression.is_suppressed(message.recipient["to"]):
            outbox.drop(message.id)
            return
        facts = signer_query.facts(message.signer_id)
        if message.kind in ("confirm", "reminder") and not facts.pending:  # confirmed by another e-mail meanwhile
            outbox.drop(message.id)
            return
        transport.send(_composed(message, facts, config))
        outbox.mark_sent(message)
    except Delayed as exc:
        outbox.mark_delayed(message, str(exc))
        log.warning("mail delayed kind=%s reason=%s", message.kind, exc)
    except Undeliverable as exc:
        outbox.mark_failed(message.id, str(exc))
        log.warning("mail undeliverable kind=%s reason=%s", message.kind, exc)
    except (Busy, DatabaseDamaged):
        raise
    except NotFound as exc:  # the campaign is a draft again: retry, and give up as usual
        outbox.mark_delayed(message, exc.code)
        log.warning("mail delayed kind=%s reason=%s", message.kind, exc.code)
    except DomainError:  # the signer was erased
        outbox.drop(message.id)
    except Exception as exc:
        # Only the type: the message of an exception may quote an address
        log.error("mail could not be composed kind=%s error=%s", message.kind, type(exc).__name__)
        outbox.mark_delayed(message, "not_made")


def _composed(message: outbox.Leased, facts: signer_query.SignerFacts, config: Settings) -> EmailMessage:
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    wanted = facts.pending if message.kind in ("confirm", "reminder") else facts.confirmed
    here = f"{config.base_url}/{message.locale}"
    return compose(
        message.kind,
        message.locale,
        message.recipient["to"],
        sender=config.mail_from,
        message_id=outbox.message_id(message),
        campaign=campaign.text(message.locale),
        controller=campaign.controller,
        is_neutral=campaign.neutral_subject,
        cases=[case.text(message.locale)["title"] for case in campaign.cases if case.id in wanted],
        link=f"{here}/confirm/{confirming.link_token(facts)}",
        own_page=f"{here}/mine/{signer_page.link_token(facts)}",
        stop=f"{here}/stop/{suppression.stop_token(message.recipient['to'])}",
        code=confirming.code(facts),
        code_page=f"{here}/{campaign.slug}/code",
        days=confirming.LINK_LIFETIME.days,
    )
