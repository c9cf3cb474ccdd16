"""The journal (audit log): who did what, and to how many. Rows are written with the act and never changed.

Each row holds the hash of the previous row, so `verify` finds rows that were changed or removed in spite of the
database's triggers. It cannot find that the last rows are missing, or that all hashes were computed again.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, cast, func, insert, select, text
from sqlalchemy.orm import Session

from petitions import clock
from petitions.db.base import db
from petitions.db.transactions import reading, transaction
from petitions.models import Account, JournalRow

COMMAND = "command"  # the actor of everything done by commands on the server


def record(store: Session | Connection, by: str, act: str, subject: str = "", number: int | None = None) -> None:
    """Append a row, as the last statement of the caller's transaction: from here on, others wait for its end."""
    if isinstance(store, Session):
        store.flush()
    if db.engine.dialect.name == "postgresql":
        store.execute(text("LOCK TABLE journal IN EXCLUSIVE MODE"))
    last = store.execute(select(JournalRow.id, JournalRow.hash).order_by(JournalRow.id.desc()).limit(1)).one_or_none()
    row = {"id": last.id + 1 if last else 1, "at": clock.now(), "actor": by, "act": act, "subject": subject}
    row |= {"number": number, "previous": last.hash if last else ""}
    store.execute(insert(JournalRow).values({**row, "hash": _hash(row)}))


def note(by: str, act: str, subject: str = "", number: int | None = None) -> None:
    """Append a row in a transaction of its own, about an act of several transactions."""
    with transaction() as store:
        record(store, by, act, subject, number)


def actors() -> list[tuple[str, str]]:
    """Who is in the journal: each actor with the account's name, which is empty for others and deleted accounts."""
    is_theirs = JournalRow.actor == "account " + cast(Account.id, String)
    statement = select(JournalRow.actor, func.coalesce(Account.name, "")).outerjoin(Account, is_theirs).distinct()
    with reading() as connection:
        return [(row[0], row[1]) for row in connection.execute(statement.order_by(JournalRow.actor))]


def newest(
    most: int | None = None, since: datetime | None = None, acts: Sequence[str] = (), actor: str = ""
) -> Sequence[Any]:
    """The last `most` rows, newest first, or those after `since`, of these acts, by this actor; `name` is the acting
    account's name.
    """
    is_theirs = JournalRow.actor == "account " + cast(Account.id, String)
    statement = select(JournalRow.__table__, Account.name).outerjoin(Account, is_theirs)
    if since:
        statement = statement.where(JournalRow.at > since)
    if acts:
        statement = statement.where(JournalRow.act.in_(acts))
    if actor:
        statement = statement.where(JournalRow.actor == actor)
    with reading() as connection:
        return connection.execute(statement.order_by(JournalRow.id.desc()).limit(most)).all()


def verify() -> tuple[int, str, int | None]:
    """How many rows are unchanged, the last one's hash, and the number of the first changed row or None."""
    number, previous = 0, ""
    with reading() as connection:
        for row in connection.execute(select(JournalRow.__table__).order_by(JournalRow.id)).mappings():
            said = {name: value for name, value in row.items() if name != "hash"}
            if (row["id"], row["previous"], row["hash"]) != (number + 1, previous, _hash(said)):
                return number, previous, int(row["id"])
            number, previous = number + 1, row["hash"]
    return number, previous, None


def _hash(row: dict[str, Any]) -> str:
    said = {**row, "at": row["at"].isoformat()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
