"""Orders for printed kits: taken on a public page, sent by post, and erased afterwards."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from petitions import clock
from petitions.db.transactions import reading, transaction
from petitions.domain import sealing
from petitions.domain.retention import KIT_ORDERS_AFTER_SENDING
from petitions.errors import NotFound
from petitions.models import Campaign, KitOrder
from petitions.services import journal
from petitions.services.keys.keyring import keyring
from petitions.services.limits import networks, rate_limits

ORDERS = rate_limits.Rule("kit-orders", 5, timedelta(hours=1))  # per network
AT_MOST = timedelta(days=180)  # the same, for one that was never sent
MOST_KITS, MOST_LINES, LONGEST_ADDRESS = 50, 6, 300


@dataclass(frozen=True)
class Parcel:
    """An order that waits, with its label; the name is empty if no key opens it."""

    id: int
    language: str
    number: int
    ordered_at: datetime
    name: str
    address: str


def is_open(slug: str) -> bool:
    """Whether the campaign sends kits by post."""
    with reading() as connection:
        return bool(connection.scalar(select(Campaign.posts_kits).where(Campaign.slug == slug)))


def set_open(slug: str, is_open: bool, by: str) -> None:
    """Begin or end to take orders; raises NotFound."""
    changing = update(Campaign).where(Campaign.slug == slug).values(posts_kits=is_open).returning(Campaign.id)
    with transaction() as store:
        if store.scalar(changing) is None:
            raise NotFound(campaign=slug)
        journal.record(store, by, "kit orders opened" if is_open else "kit orders closed", slug)


def take(campaign_id: int, name: str, address: str, number: int, language: str, network: str) -> None:
    """Store an order; raises TooManyTries."""
    rate_limits.spend(ORDERS, networks.line(network) or str(campaign_id))
    payload = sealing.seal({"name": name, "address": address}, [keyring().master_public])
    order = KitOrder(campaign_id=campaign_id, language=language, number=number, payload=payload)
    order.ordered_at = clock.now()
    with transaction() as store:
        store.add(order)


def waiting(slug: str) -> list[Parcel]:
    """The orders that were not sent yet, oldest first."""
    columns = (KitOrder.id, KitOrder.language, KitOrder.number, KitOrder.ordered_at, KitOrder.payload)
    unsent = select(*columns).join(Campaign).where(Campaign.slug == slug, KitOrder.sent_at.is_(None))
    with reading() as connection:
        rows = connection.execute(unsent.order_by(KitOrder.id)).all()
    return [Parcel(*row[:4], *_label(row.payload)) for row in rows]


def sent(slug: str) -> int:
    """How many kits were sent in the last 30 days."""
    total = select(func.coalesce(func.sum(KitOrder.number), 0)).join(Campaign)
    with reading() as connection:
        return int(connection.scalar(total.where(Campaign.slug == slug, KitOrder.sent_at.is_not(None))) or 0)


def mark_sent(slug: str, number: int, by: str) -> None:
    """Note that the order is on its way; raises NotFound."""
    with transaction() as store:
        order = store.get(KitOrder, number)
        if order is None or order.sent_at or store.get_one(Campaign, order.campaign_id).slug != slug:
            raise NotFound(order=number)
        order.sent_at = clock.now()
        journal.record(store, by, "kit sent", f"order {number}", order.number)


def refuse(slug: str, number: int, by: str) -> None:
    """Erase an order that will not be sent; raises NotFound."""
    campaign_id = select(Campaign.id).where(Campaign.slug == slug).scalar_subquery()
    theirs = (KitOrder.id == number) & (KitOrder.campaign_id == campaign_id)
    with transaction() as store:
        if store.scalar(delete(KitOrder).where(theirs).returning(KitOrder.id)) is None:
            raise NotFound(order=number)
        journal.record(store, by, "kit order refused", f"order {number}")


def maintain() -> None:
    """Erase what was sent 30 days ago, and what waited for half a year."""
    now = clock.now()
    is_over = or_(KitOrder.sent_at < now - KIT_ORDERS_AFTER_SENDING, KitOrder.ordered_at < now - AT_MOST)
    with transaction() as store:
        store.execute(delete(KitOrder).where(is_over))


def _label(payload: bytes | None) -> tuple[str, str]:
    try:
        fields = sealing.unseal(payload or b"", keyring().master_keys)
    except sealing.CannotOpen:
        return "", ""
    return fields["name"], fields["address"]
