"""What visitors told or did without a check, as sums: letters posted by case, donation links followed by place."""

from datetime import date

from sqlalchemy import func, select

from petitions.db.transactions import reading
from petitions.domain.states import ActionKind
from petitions.models import ActionCount, Campaign


def sums(campaign: str, kind: ActionKind, before: date | None = None) -> dict[str, int]:
    """The numbers of the campaign with this slug by subject, largest first; of the days `before` that one, if given."""
    number = func.sum(ActionCount.number).label("number")
    chosen = (
        select(ActionCount.subject, number)
        .join(Campaign, Campaign.id == ActionCount.campaign_id)
        .where(Campaign.slug == campaign, ActionCount.kind == kind)
        .group_by(ActionCount.subject)
        .order_by(number.desc(), ActionCount.subject)
    )
    if before is not None:
        chosen = chosen.where(ActionCount.day < before)
    with reading() as connection:
        return {row.subject: int(row.number) for row in connection.execute(chosen)}
