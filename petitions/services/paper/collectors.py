"""Collectors: sign up by e-mail, have a page behind a link, and are credited with what came in through their code."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select, update

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain import codes, sealing
from petitions.domain.retention import PENDING_LIFETIME
from petitions.domain.states import CollectorKind, SignatureState
from petitions.errors import CollectorFaulty, LinkUnknown, NotFound
from petitions.models import Campaign, Collector, Mark, Signature, Signer, Tally
from petitions.queries import collectors as queries
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.collectors import CollectorFacts
from petitions.services import journal, ledger
from petitions.services.keys.keyring import keyring
from petitions.services.limits import mail_quota, networks, rate_limits
from petitions.services.mailing import outbox

PURPOSE = "collect"
SIGN_UPS = rate_limits.Rule("collectors", 10, timedelta(hours=1))  # per network
DEFAULT_SIGNERS = 40
LARGEST = 2_000  # signers, or pupils
LONGEST_TITLE = 120
LASTS = timedelta(days=366)  # where the campaign has no closing date
STEP = 5  # the figure of signers online is rounded down to fives, and changes once a day
MARK, FIGURES_EVERY = "collectors", timedelta(hours=24)


def link_token(link_id: bytes) -> str:
    """The token of the link to a collector's own page."""
    return sealing.link_token(keyring().secret_key, PURPOSE, link_id)


def open_page(token: str) -> CollectorFacts:
    """The collector of a link; raises LinkUnknown for a forged, replaced or erased one."""
    name = sealing.token_name(token)
    found = queries.behind(name) if name else None
    if name is None or found is None or not sealing.is_link_token(token, keyring().secret_key, PURPOSE, name):
        raise LinkUnknown()
    return found


def sign_up(
    campaign: PublicCampaign,
    kind: CollectorKind,
    title: str,
    pupils: int | None,
    email: str,
    locale: str,
    network: str,
    *,
    is_listed: bool,
) -> None:
    """Make a collector whose code works once the link in the e-mail was used. The address is in the e-mail only.

    Raises TooManyTries, or CollectorFaulty.
    """
    rate_limits.spend(SIGN_UPS, networks.line(network) or campaign.slug)
    now = clock.now()
    made = _new(campaign.id, kind, title, DEFAULT_SIGNERS, now, campaign.closes_at or now + LASTS)
    made.pupils, made.is_listed, made.link_id = pupils, is_listed, secrets.token_bytes(sealing.LINK_ID)
    recipient = {"to": email, "campaign": campaign.slug, "token": link_token(made.link_id)}
    payload = sealing.seal(recipient, [keyring().master_public])
    message = outbox.NewMessage(outbox.COLLECTOR, None, locale, payload, secrets.token_hex(16))
    with transaction() as store:
        store.add(made)
        may_go = mail_quota.take(store.connection(), [mail_quota.wanted(email)], now)[0]
        outbox.queue(store.connection(), [message if may_go else outbox.blank(locale)], now)


def create(
    slug: str,
    kind: CollectorKind,
    title: str,
    most: int,
    opens_at: datetime,
    closes_at: datetime | None,
    by: str = journal.COMMAND,
) -> str:
    """Make a collector whose code works at once and whose signers are expected; returns the code.

    Without `closes_at` it works until the campaign closes. Raises NotFound, or CollectorFaulty.
    """
    with transaction() as store:
        campaign = store.scalar(select(Campaign).where(Campaign.slug == slug))
        if campaign is None:
            raise NotFound(campaign=slug)
        end = closes_at or campaign.closes_at or opens_at + LASTS
        made = _new(campaign.id, kind, title, most, opens_at, end)
        made.is_trusted, made.confirmed_at = True, clock.now()
        store.add(made)
        store.flush()
        journal.record(store, by, "collector made", f"collector {made.id}", most)
        return made.code


def begin(token: str) -> None:
    """Let the code work, because the link from the e-mail was used."""
    _change(open_page(token), confirmed_at=clock.now())


def stop(token: str) -> None:
    """End the code; what came in stays credited."""
    _change(open_page(token), closes_at=clock.now())


def erase(token: str) -> None:
    """End the code, and erase title and link. What came in still counts, but is credited to no collector."""
    facts, now = open_page(token), clock.now()
    with transaction() as store:
        forget(store.connection(), facts.campaign_id, facts.code, now)
        line = {"what": ledger.COLLECTOR_ERASED, "campaign": facts.campaign_id, "code": facts.code}
        ledger.append(store.connection(), [line], now)


def forget(connection: Connection, campaign_id: int, code: str, at: datetime) -> int:
    """Erase the collector that had this code then, in the caller's transaction; returns how many there were."""
    is_theirs = (
        (Collector.campaign_id == campaign_id)
        & (Collector.code == code)
        & (Collector.opens_at < at + timedelta(minutes=1))
    )
    empty = {"title": "", "is_listed": False, "link_id": None, "confirmed_at": None, "closes_at": at}
    return connection.execute(update(Collector).where(is_theirs, Collector.title != "").values(empty)).rowcount


def end(collector_id: int, by: str) -> None:
    """End the code now, by staff."""
    now = clock.now()
    ending = update(Collector).where(Collector.id == collector_id, Collector.closes_at > now).values(closes_at=now)
    with transaction() as store:
        if store.scalar(ending.returning(Collector.id)):
            journal.record(store, by, "collector ended", f"collector {collector_id}")


def replace_link(collector_id: int, by: str) -> str:
    """Make a new link to the collector's page, and end the former one; returns its token."""
    link_id = secrets.token_bytes(sealing.LINK_ID)
    changing = update(Collector).where(Collector.id == collector_id, Collector.confirmed_at.is_not(None))
    with transaction() as store:
        if not store.scalar(changing.values(link_id=link_id).returning(Collector.id)):
            raise LinkUnknown()
        journal.record(store, by, "collector's link replaced", f"collector {collector_id}")
    return link_token(link_id)


def maintain() -> None:
    """Delete collectors that never used their link, erase unlisted titles with their campaign, count signers daily."""
    now = clock.now()
    is_used = or_(
        select(Signer.id).where(Signer.collector_id == Collector.id).exists(),
        select(Tally.id).where(Tally.collector_id == Collector.id).exists(),
    )
    over = Collector.confirmed_at.is_(None) & (Collector.opens_at < now - PENDING_LIFETIME) & ~is_used
    is_erased = Collector.campaign_id.in_(select(Campaign.id).where(Campaign.erased_at.is_not(None)))
    with transaction() as store:
        store.execute(delete(Collector).where(over))
        hidden = Collector.is_listed.is_(False) & (Collector.title != "")
        store.execute(update(Collector).where(is_erased, hidden).values(title="", link_id=None))
        mark = store.get(Mark, (MARK, ""))
        if mark is not None and abs(now - mark.at) < FIGURES_EVERY:
            return
        store.merge(Mark(kind=MARK, subject="", at=now))
        confirmed = select(Signature.signer_id).where(
            Signature.signer_id == Signer.id, Signature.state == SignatureState.CONFIRMED
        )
        signers = select(func.count(Signer.id)).where(Signer.collector_id == Collector.id, confirmed.exists())
        counted = (signers.scalar_subquery() // STEP) * STEP
        # The figure never falls, so it shows no withdrawal; and erasing signers removes their collector
        store.execute(update(Collector).where(counted > Collector.online).values(online=counted))


def _new(
    campaign_id: int, kind: CollectorKind, title: str, most: int, opens_at: datetime, closes_at: datetime
) -> Collector:
    title = " ".join(title.split())
    if not 0 < len(title) <= LONGEST_TITLE or not 0 < most <= LARGEST or opens_at >= closes_at:
        raise CollectorFaulty()
    code = codes.new()
    while queries.is_taken(campaign_id, code):
        code = codes.new()
    made = Collector(campaign_id=campaign_id, kind=kind, code=code, title=title, most=most, is_listed=False)
    made.opens_at, made.closes_at, made.used, made.online, made.is_trusted = opens_at, closes_at, 0, 0, False
    return made


def _change(facts: CollectorFacts, **values: object) -> None:
    with transaction() as store:
        store.execute(update(Collector).where(Collector.id == facts.id).values(**values))
