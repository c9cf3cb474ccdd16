"""Group codes (school mode): a code lifts the network's rate limit and proof of work, for a while, for some signers."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from petitions import clock
from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.errors import GroupCodeFaulty, NotFound
from petitions.models import Campaign, GroupCode
from petitions.services import journal
from petitions.services.keys.keyring import keyring
from petitions.services.limits import rate_limits

DEFAULT_DURATION = timedelta(hours=1)
DEFAULT_SIGNERS = 40
LARGEST = 2_000
PERSON = rate_limits.Rule("pass-person", 1, timedelta(hours=24))
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 characters that are not confused with one another
_LENGTH = 8


def create_group_code(
    slug: str, place: str, most: int, opens_at: datetime, closes_at: datetime, by: str = journal.COMMAND
) -> int:
    """Create a group code for the campaign; returns its number. Raises GroupCodeFaulty."""
    place = " ".join(place.split())
    if not 0 < len(place) <= 120 or not 0 < most <= LARGEST or opens_at >= closes_at:
        raise GroupCodeFaulty()
    with transaction() as store:
        campaign_id = store.scalar(select(Campaign.id).where(Campaign.slug == slug))
        if campaign_id is None:
            raise NotFound(campaign=slug)
        made = GroupCode(campaign_id=campaign_id, place=place, most=most, opens_at=opens_at, closes_at=closes_at)
        made.code_hash = secrets.token_hex(32)  # replaced below, once the row has a number
        store.add(made)
        store.flush()
        made.code_hash = hash_of(display_code(made.id))
        journal.record(store, by, "group code made", f"group code {made.id}", most)
        return made.id


def end_group_code(group_code_id: int, by: str = journal.COMMAND) -> None:
    """End this group code now."""
    now = clock.now()
    with transaction() as store:
        ending = update(GroupCode).where(GroupCode.id == group_code_id, GroupCode.closes_at > now).values(closes_at=now)
        if store.scalar(ending.returning(GroupCode.id)):
            journal.record(store, by, "group code ended", f"group code {group_code_id}")


def display_code(group_code_id: int) -> str:
    """The code as printed, such as K7QM-2XBD. It is computed, so staff can look it up, and never stored."""
    raw = sealing.blind_index(keyring().secret_key.encode(), "pass code", str(group_code_id))
    code = "".join(_LETTERS[byte % len(_LETTERS)] for byte in raw[:_LENGTH])
    return f"{code[:4]}-{code[4:]}"


def hash_of(typed: str) -> str:
    """The hash that identifies a typed code, however it is spaced; empty without one."""
    code = "".join(char for char in typed.upper() if char.isalnum())
    return sealing.blind_index(keyring().secret_key.encode(), "pass", code).hex() if code else ""


@dataclass(frozen=True)
class Wanted:
    """A request to use a group code; `person` is a keyed hash, so that nobody is counted twice."""

    campaign_id: int
    code_hash: str
    person: str


def wanted(campaign_id: int, typed: str, person: str) -> Wanted | None:
    """The request of an entry with this code; None without a code."""
    code_hash = hash_of(typed)
    return Wanted(campaign_id, code_hash, PERSON.key(f"{code_hash} {person}")) if code_hash else None


def claim(connection: Connection, places: Sequence[Wanted | None], now: datetime) -> list[int | None]:
    """For each request the id of its group code; None if the code is unknown, over or full.

    A signer who comes again is not counted twice. A full code refuses everybody, or it would show who used it before.
    """
    hashes = sorted({each.code_hash for each in places if each})
    if not hashes:
        return [None] * len(places)
    is_valid = GroupCode.code_hash.in_(hashes) & (GroupCode.opens_at <= now) & (GroupCode.closes_at > now)
    columns = (GroupCode.id, GroupCode.campaign_id, GroupCode.code_hash, GroupCode.most, GroupCode.used)
    rows = connection.execute(select(*columns).where(is_valid).order_by(GroupCode.id).with_for_update()).all()
    codes = {(row.campaign_id, row.code_hash): row for row in rows}
    visits = iter(rate_limits.use(connection, PERSON, [each.person for each in places if each], now))
    taken: Counter[int] = Counter()
    claimed: list[int | None] = []
    for each in places:
        is_first = each is not None and next(visits) == 1
        found = codes.get((each.campaign_id, each.code_hash)) if each else None
        if found is None or found.used + taken[found.id] >= found.most:
            claimed.append(None)
            continue
        taken[found.id] += is_first
        claimed.append(found.id)
    for group_code_id, number in sorted(taken.items()):
        connection.execute(update(GroupCode).where(GroupCode.id == group_code_id).values(used=GroupCode.used + number))
    return claimed
