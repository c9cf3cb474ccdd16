"""People: role, term and second factor of accounts."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from petitions.db.transactions import transaction
from petitions.domain.roles import Role
from petitions.errors import LastOwner
from petitions.models import Account
from petitions.services import journal
from petitions.services.staff import accounts, factors


def set_role(name: str, role: Role, ends_at: datetime | None, by: str) -> None:
    """Change what the account may do, from its next request on, and until when; raises NotFound or LastOwner."""
    with transaction() as store:
        account = accounts.changed(store, name)
        is_lost = account.role == Role.OWNER and (role != Role.OWNER or ends_at is not None)
        if is_lost and _other_owners(store, account.id) == 0:
            raise LastOwner()
        journal.record(store, by, "role changed", f"account {account.id} {account.role} → {role}")
        account.role, account.ends_at = role, ends_at


def begin_factor(name: str, secret: str, code: str, token: str, by: str) -> list[str]:
    """Give the account a second factor, and end its other sessions; returns the recovery codes. Raises CodeWrong."""
    with transaction() as store:
        account = accounts.changed(store, name)
        codes = factors.begin(account, secret, code)
        accounts.end_all_sessions(store, account, by, "second factor set", token)
    return codes


def end_factor(name: str, by: str = journal.COMMAND) -> None:
    """Take the account's second factor away, for a lost phone, and end its sessions; raises NotFound."""
    with transaction() as store:
        account = accounts.changed(store, name)
        factors.end(account)
        accounts.end_all_sessions(store, account, by, "second factor removed")


def _other_owners(store: Session, account_id: int) -> int:
    is_other = (Account.role == Role.OWNER) & Account.disabled_at.is_(None) & (Account.id != account_id)
    return store.scalar(select(func.count()).where(is_other, Account.ends_at.is_(None))) or 0
