"""The table of collectors."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from petitions.db.base import Base, UtcDateTime
from petitions.domain.states import CollectorKind, one_of


class Collector(Base):
    """Who gathers signatures and letters. Its code is credited with both, and lifts the network's rate limit.

    `title` is what it wants to be called: no other name and no address is stored, `link_id` identifies it in its own
    link, which goes out by e-mail. The code works from `opens_at` to `closes_at`, once the link was used.
    """

    __tablename__ = "collectors"
    __table_args__ = (UniqueConstraint("campaign_id", "code"), one_of("kind", CollectorKind))

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    kind: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(12))
    title: Mapped[str] = mapped_column(String(120))
    pupils: Mapped[int | None]
    is_listed: Mapped[bool] = mapped_column(server_default=false())  # in the public ranking
    is_trusted: Mapped[bool] = mapped_column(server_default=false())  # made by staff
    most: Mapped[int]  # signers for whom the network's limit is lifted
    used: Mapped[int] = mapped_column(default=0)
    online: Mapped[int] = mapped_column(default=0, server_default="0")  # signers in steps of five, as of the last night
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    link_id: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # drawn among those with the same figures
