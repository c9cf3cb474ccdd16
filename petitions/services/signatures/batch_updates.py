"""Changing the state of a campaign's signatures in bulk: a thousand signers at a time, so that signing goes on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from petitions.db.transactions import reading
from petitions.domain.states import SignatureState
from petitions.models import Case, Signature, Signer
from petitions.services.signatures import counting

SIGNERS_AT_ONCE = 1_000

Span = tuple[int, int]  # the first and the last signer of a batch


@dataclass(frozen=True)
class Step:
    """A change of state for those who are `before` and match `where`, with the columns that change along."""

    before: SignatureState
    after: SignatureState
    values: Mapping[str, object]
    where: Sequence[ColumnElement[bool]] = ()


def spans(campaign_id: int) -> Iterator[Span]:
    """The batches that together reach every signer the campaign has now."""
    edges = select(func.min(Signer.id), func.max(Signer.id)).where(Signer.campaign_id == campaign_id)
    with reading() as connection:
        first, last = connection.execute(edges).one()
    for start in range(first or 0, (last or -1) + 1, SIGNERS_AT_ONCE):
        yield start, start + SIGNERS_AT_ONCE - 1


def change(connection: Connection, campaign_id: int, span: Span, step: Step, now: datetime) -> int:
    """Take the step with the batch's signatures, and the counts along with them; gives how many."""
    statement = (
        update(Signature)
        .where(Signature.signer_id.between(*span), Signature.state == step.before, *step.where)
        .where(Signature.case_id.in_(select(Case.id).where(Case.campaign_id == campaign_id)))
        .values(state=step.after, **step.values)
        .returning(Signature.case_id)
    )
    cases = list(connection.scalars(statement))
    changes = ((case, column, by) for case in cases for column, by in ((step.before, -1), (step.after, 1)))
    counting.shift(connection, changes, now)
    return len(cases)
