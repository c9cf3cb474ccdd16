"""How fast e-mails may leave, and when the last one that waits will have left."""

from datetime import timedelta
from math import ceil

from sqlalchemy import func, literal, select, union_all

from petitions import clock
from petitions.db.transactions import read_autocommit
from petitions.domain.states import MessageState
from petitions.models import Limit, Message
from petitions.services.limits import rate_limits
from petitions.settings import Settings

ALL = "all"  # the limits are for all senders together
LATE = timedelta(minutes=2)  # visitors and staff are told when it takes longer


def rules(config: Settings) -> list[rate_limits.Rule]:
    """The limits of the mail server, as the settings say."""
    limits = (
        ("outbound", config.mail_per_minute, timedelta(minutes=1)),
        ("outbound-hour", config.mail_per_hour, timedelta(hours=1)),
        ("outbound-day", config.mail_per_day, timedelta(days=1)),
    )
    return [rate_limits.Rule(kind, most, window) for kind, most, window in limits if most]


def minutes_left(config: Settings) -> int:
    """In how many minutes the last e-mail that is due now will have left, if the limits alone decide; 0 if at once."""
    limits = {rule.key(ALL): rule for rule in rules(config)[: 1 if config.mail_url_second else None]}
    now = int(clock.now().timestamp())
    is_due = (Message.state == MessageState.QUEUED) & (Message.due_at <= clock.now())
    count = select(literal(""), func.count(), literal(0)).select_from(Message).where(is_due)
    used = select(Limit.key, Limit.used, Limit.ends_at).where(Limit.key.in_(limits), Limit.ends_at > now)
    with read_autocommit() as connection:
        found = {key: (number, ends_at) for key, number, ends_at in connection.execute(union_all(count, used))}
    waiting, longest = found[""][0], 0.0
    for key, rule in limits.items():
        number, ends_at = found.get(key, (0, now + int(rule.window.total_seconds())))
        missing = waiting - max(0, rule.most - number)
        if missing > 0:
            windows = ceil(missing / rule.most) - 1
            longest = max(longest, ends_at - now + windows * rule.window.total_seconds())
    return ceil(longest / 60)
