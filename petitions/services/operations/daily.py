"""Tasks that one of several servers does once a day, at a fixed hour."""

from datetime import datetime

from sqlalchemy import delete

from petitions.db.transactions import transaction
from petitions.domain.retention import MarkKey
from petitions.models import Mark


def claim(task: MarkKey, now: datetime, hour: int) -> bool:
    """Whether `task` is due today from `hour` (UTC) on, and nobody has claimed it yet; then it is claimed."""
    due_at = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    if now < due_at:
        return False
    with transaction() as store:
        begun = store.get(Mark, tuple(task))
        if begun is not None and begun.at >= due_at:
            return False
        store.merge(Mark(**task._asdict(), at=now))
        return True


def give_back(task: MarkKey) -> None:
    """The task failed: it is due again, within the hour."""
    with transaction() as store:
        store.execute(delete(Mark).where(Mark.kind == task.kind))
