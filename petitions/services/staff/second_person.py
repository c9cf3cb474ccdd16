"""The rule of two owners: where there are two, one alone exports no names, and invalidates only a few signatures.

Requests and consents are rows of the journal, so they cannot be removed afterwards. An owner who disables the others,
or logs in with an account made or changed for that, has to wait for a week, in which the others can read of it there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select

from petitions import clock
from petitions.db.transactions import reading
from petitions.domain.roles import Right, Role
from petitions.errors import AccountUnsettled, NotFound, OtherOwnerNeeded
from petitions.models import Account, Invalidation, JournalRow
from petitions.queries import staff
from petitions.services import journal

LASTS = timedelta(hours=24)  # a request waits so long for a consent, which holds for the rest of that time
FEW = 50  # signatures that one owner may invalidate alone
SETTLES = timedelta(days=7)
CHANGES = ("account created", "account enabled", "account invited again", "role changed", "second factor removed")
ASKED, AGREED = "export asked for", "export agreed to"


@dataclass(frozen=True)
class Request:
    """A request for an export of this campaign; `number` is its row in the journal, `agreed` who agreed, if anybody."""

    number: int
    campaign: str
    by: str
    name: str
    ends_at: datetime
    agreed: str = ""


def is_needed(by: str) -> bool:
    """Whether there is another owner who could agree, or was one a week ago."""
    account_id, since = int(by.removeprefix("account ")), clock.now() - SETTLES
    gone = or_(Account.disabled_at > since, and_(Account.ends_at > since, Account.ends_at <= clock.now()))
    were = select(Account.id).where(Account.role == Role.OWNER, gone, Account.id != account_id)
    demoted = any(f"{Role.OWNER} → " in row.subject for row in journal.newest(since=since, acts=("role changed",)))
    with reading() as connection:
        is_gone = connection.scalar(were.limit(1)) is not None
    return is_gone or demoted or staff.has_second_person(account_id, Right.SIGNATURES)


def check_settled(by: str) -> None:
    """Raise AccountUnsettled if somebody else made or changed this account in the browser less than a week ago."""
    for row in journal.newest(since=clock.now() - SETTLES, acts=CHANGES):
        if row.subject.partition(" →")[0].split()[:2] == by.split() and row.actor not in (by, journal.COMMAND):
            raise AccountUnsettled()


def requests() -> list[Request]:
    """The requests of the last day, oldest first."""
    found: dict[int, Request] = {}
    for row in reversed(journal.newest(since=clock.now() - LASTS, acts=(ASKED, AGREED))):
        if row.act == ASKED:
            found[row.id] = Request(row.id, row.subject, row.actor, row.name or "", row.at + LASTS)
        elif row.number in found:
            found[row.number] = replace(found[row.number], agreed=row.name or "?")
    return list(found.values())


def ask(campaign: str, by: str) -> None:
    """Ask the other owners to agree to an export of this campaign."""
    if not any((each.campaign, each.by) == (campaign, by) for each in requests()):
        journal.note(by, ASKED, campaign)


def agree(number: int, by: str) -> None:
    """Agree to the request of another owner; raises NotFound when it is over, and OtherOwnerNeeded for the own one.

    Raises AccountUnsettled too.
    """
    request = next((each for each in requests() if each.number == number), None)
    if request is None:
        raise NotFound(request=number)
    if request.by == by:
        raise OtherOwnerNeeded()
    check_settled(by)
    journal.note(by, AGREED, request.campaign, number)


def check_export(campaign: str, by: str) -> None:
    """Raise OtherOwnerNeeded unless another owner agreed to it, or there is none."""
    if is_needed(by) and not any(each.agreed for each in requests() if (each.campaign, each.by) == (campaign, by)):
        raise OtherOwnerNeeded()


def check_invalidation(number: int, by: str) -> None:
    """Raise OtherOwnerNeeded if it is large, and this owner prepared it, and there is another one.

    Raises AccountUnsettled if the one who runs it is no other owner yet.
    """
    prepared = select(JournalRow.id).where(
        JournalRow.actor == by,
        JournalRow.act == "invalidation prepared",
        JournalRow.subject == f"invalidation {number}",
    )
    with reading() as connection:
        size = connection.scalar(select(Invalidation.previewed).where(Invalidation.id == number)) or 0
        is_own = connection.scalar(prepared) is not None
    if size > FEW and is_needed(by):
        if is_own:
            raise OtherOwnerNeeded()
        check_settled(by)
