"""The table of orders for printed kits."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime


class KitOrder(Base):
    """Printed kits to be sent by post. Name and address are encrypted with the master key, and are no signer's."""

    __tablename__ = "kit_orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"), index=True)
    language: Mapped[str] = mapped_column(String(12))
    number: Mapped[int]  # of kits
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)  # name and address
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
