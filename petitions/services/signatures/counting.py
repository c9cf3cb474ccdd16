"""Updates the hourly counts, always inside the transaction that changed the signatures."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from petitions.clock import hour_of
from petitions.db import bulk
from petitions.models import Count
from petitions.queries.counts import COLUMNS

SHARDS = 16  # enough for a few server processes to rarely share one

Change = tuple[int, str, int]  # case id, column, difference

_KEYS = ("case_id", "hour_at", "shard")


def shift(connection: Connection, changes: Iterable[Change], now: datetime) -> None:
    """Add `changes` to the counts of the hour of `now`."""
    by_case: dict[int, Counter[str]] = {}
    for case_id, column, number in changes:
        by_case.setdefault(case_id, Counter())[column] += number
    rows = [(case_id, *_ordered(changed)) for case_id, changed in sorted(by_case.items())]
    same = {"hour_at": hour_of(now), "shard": shard(connection)}
    bulk.insert(connection, Count, ("case_id", *COLUMNS), rows, same=same, on_conflict=_add)


def _add(statement: bulk.Insert) -> bulk.Insert:
    sums = {name: Count.__table__.c[name] + statement.excluded[name] for name in COLUMNS}
    return statement.on_conflict_do_update(index_elements=_KEYS, set_=sums)


def shard(connection: Connection) -> int:
    """This process's shard of the counts: on Postgres all processes would otherwise wait for one row's lock."""
    return 0 if connection.dialect.name == "sqlite" else os.getpid() % SHARDS


def _ordered(changed: Mapping[str, int]) -> list[int]:
    return [changed.get(name, 0) for name in COLUMNS]
