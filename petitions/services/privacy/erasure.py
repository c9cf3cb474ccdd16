"""Erasure of signers: personal data is deleted, the fact that somebody signed stays, the ledger records it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, select, update

from petitions.clock import LONG_AGO
from petitions.models import Signature, Signer
from petitions.services import ledger
from petitions.services.mailing import outbox

_PERSONAL = ("link_id", "address_key", "email_key", "name_key", "slot", "sealed", "sealed_name")
_IDENTIFYING = ("is_of_age", "locale", "collector_id")  # they could identify the signer, together with other logs
_TIMES = ("confirmed_at", "withdrawn_at", "held_at", "invalidated_at", "expired_at")


def erase_signers(connection: Connection, ids: Sequence[int], now: datetime, what: str = ledger.ERASED) -> int:
    """Erase these signers and delete their e-mails; returns how many were not erased before.

    What stays shows neither when somebody signed, nor in which language, nor where. Raises Busy if the ledger cannot be
    written: then the caller must roll back.
    """
    living = connection.execute(
        select(Signer.id, Signer.link_id)
        .where(Signer.id.in_(ids), Signer.erased_at.is_(None))
        .order_by(Signer.id)
        .with_for_update()
    ).all()
    if not living:
        return 0
    ledger.append(connection, [{"what": what, "signer": row.link_id.hex()} for row in living if row.link_id], now)
    living_ids = [row.id for row in living]
    connection.execute(
        update(Signer)
        .where(Signer.id.in_(living_ids))
        .values(**dict.fromkeys((*_PERSONAL, *_IDENTIFYING)), newsletter=False)
        .values(
            signed_at=LONG_AGO, asked_at=LONG_AGO, confirmed_at=_without_time(Signer.confirmed_at), erased_at=_day(now)
        )
    )
    connection.execute(
        update(Signature)
        .where(Signature.signer_id.in_(living_ids))
        .values(signed_at=LONG_AGO, letter_version_id=None, consent_version_id=None, source="")
        .values({name: _without_time(getattr(Signature, name)) for name in _TIMES})
    )
    outbox.cancel(connection, living_ids)
    return len(living_ids)


def _without_time(column: object) -> object:
    """That it happened stays; when it happened is erased."""
    return case((column.is_not(None), LONG_AGO), else_=None)  # type: ignore[attr-defined]


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
