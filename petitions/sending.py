"""Sends due e-mails within the mail server's limits, over connections that are kept while there is work."""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from email.message import EmailMessage
from typing import Any

from petitions.errors import Busy, DatabaseDamaged, DomainError, NotFound
from petitions.mail.compose import compose
from petitions.mail.transports import Delayed, Transport, Undeliverable, connected
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign, catalogue
from petitions.services.keys.keyring import settings
from petitions.services.limits import rate_limits
from petitions.services.mailing import bounces, forecast, outbox, suppression
from petitions.services.signing import confirming, signer_page
from petitions.settings import Settings

log = logging.getLogger(__name__)

BATCH = 20
MOST_REFUSED = 5  # "try later" in a row; then the sender pauses
SHORTEST_PAUSE, LONGEST_PAUSE = 10.0, 300.0  # seconds


class Sender:
    """Sends batches over one connection to each mail server. For one thread."""

    def __init__(self, ended: threading.Event | None = None) -> None:
        self._ended = ended or threading.Event()
        self._open: dict[str, tuple[ExitStack, Transport]] = {}
        self._refused = 0
        self._pause, self._paused_until = 0.0, 0.0

    def send_due(self) -> int:
        """Send a batch of due e-mails; returns how many were tried."""
        if time.monotonic() < self._paused_until:
            return 0
        leased = outbox.lease(BATCH)
        if not leased:
            return 0
        config = settings()
        first = rate_limits.reserve(forecast.rules(config), forecast.ALL, len(leased))
        tried = self._send_all(config.mail_url, leased[:first], config)
        if not config.mail_url_second or tried < first:
            outbox.release(leased[max(first, tried) :])
            return tried
        return tried + self._send_all(config.mail_url_second, leased[first:], config)

    def close(self) -> None:
        """Close the connections."""
        for stack, _ in self._open.values():
            stack.close()
        self._open.clear()

    def _send_all(self, url: str, leased: Sequence[outbox.Leased], config: Settings) -> int:
        """Send these e-mails until the end is asked for; the rest is released. Returns how many were tried."""
        for number, message in enumerate(leased):
            must_end = number > 0 and self._ended.is_set()
            if must_end or self._refused >= MOST_REFUSED or not outbox.has_lease_time(message):
                outbox.release(leased[number:])
                self._slow_down()
                return number
            try:
                transport = self._transport(url)
            except Delayed as exc:
                for each in leased[number:]:
                    outbox.mark_delayed(each, str(exc))
                log.warning("mail server unreachable reason=%s waiting=%s", exc, len(leased) - number)
                return len(leased)
            if send_one(transport, message, config):
                self._refused, self._pause = 0, 0.0
            else:
                self._refused += 1
                self.close()  # a connection that failed may be of no use any more
        return len(leased)

    def _transport(self, url: str) -> Transport:
        if url not in self._open:
            stack = ExitStack()
            self._open[url] = (stack, stack.enter_context(connected(url)))
        return self._open[url][1]

    def _slow_down(self) -> None:
        if self._refused >= MOST_REFUSED:
            self._pause = min(LONGEST_PAUSE, max(SHORTEST_PAUSE, 2 * self._pause))
            self._paused_until, self._refused = time.monotonic() + self._pause, 0
            log.warning("mail server asks to wait seconds=%s", self._pause)


def send_due() -> int:
    """Send a batch of due e-mails over connections of its own; returns how many were tried."""
    sender = Sender()
    try:
        return sender.send_due()
    finally:
        sender.close()


def send_one(transport: Transport, message: outbox.Leased, config: Settings) -> bool:
    """Send one e-mail, and record the result. False if the mail server asked to try later."""
    try:
        if message.kind == outbox.REQUEST:
            signer_page.answer_request(message)
            return True
        mail = _wanted(message, config)
        if mail is None:
            outbox.drop(message.id)
        else:
            transport.send(mail)
            outbox.mark_sent(message)
    except Delayed as exc:
        outbox.mark_delayed(message, str(exc))
        log.warning("mail delayed kind=%s reason=%s", message.kind, exc)
        return False
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
    return True


def _wanted(message: outbox.Leased, config: Settings) -> EmailMessage | None:
    """The e-mail; None for a blank one, a suppressed mailbox, and a signer who confirmed meanwhile."""
    if message.kind == outbox.BLANK or suppression.is_suppressed(message.recipient["to"]):
        return None
    here = f"{config.base_url}/{message.locale}"
    if message.kind == outbox.COLLECTOR:
        campaign = catalogue().campaign(message.recipient["campaign"])
        return _composed(message, config, campaign, own_page=f"{here}/collector/{message.recipient['token']}")
    facts = signer_query.facts(message.signer_id or 0)
    is_question = message.kind in ("confirm", "reminder")
    if is_question and not facts.pending:
        return None
    campaign = catalogue().campaign_with_id(facts.campaign_id)
    cases = facts.pending if is_question else facts.confirmed
    return _composed(
        message,
        config,
        campaign,
        cases=[case.text(message.locale)["title"] for case in campaign.cases if case.id in cases],
        link=f"{here}/confirm/{confirming.link_token(facts)}",
        own_page=f"{here}/mine/{signer_page.link_token(facts)}",
        code=confirming.code(facts),
        code_page=f"{here}/{campaign.slug}/code",
        days=confirming.LINK_LIFETIME.days,
    )


def _composed(message: outbox.Leased, config: Settings, campaign: PublicCampaign, **facts: Any) -> EmailMessage:
    to = message.recipient["to"]
    return compose(
        message.kind,
        message.locale,
        to,
        sender=config.mail_from,
        message_id=bounces.message_id(outbox.message_id(message), to),
        campaign=campaign.text(message.locale),
        controller=campaign.controller,
        is_neutral=campaign.neutral_subject,
        stop=f"{config.base_url}/{message.locale}/stop/{suppression.stop_token(to)}",
        **facts,
    )
