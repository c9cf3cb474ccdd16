"""Batch updates: change the state of a campaign's signatures, 1,000 signers per transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from petitions.db.transactions import reading
from petitions.domain.states import SignatureState
from petitions.models import Case, Signature, Signer
from petitions.services.signatures import counting

SIGNERS_AT_ONCE = 1_000

Span = tuple[int, int]  # first and last signer id of a batch


@dataclass(frozen=True)
class Step:
    """A change of state for signatures in `before` that match `where`, and the columns that change with it."""

    before: SignatureState
    after: SignatureState
    values: Mapping[str, object]
    where: Sequence[ColumnElement[bool]] = ()


def spans(campaign_id: int) -> Iterator[Span]:
    """The batches that together cover all present signers of the campaign."""
    edges = select(func.min(Signer.id), func.max(Signer.id)).where(Signer.campaign_id == campaign_id)
    with reading() as connection:
        first, last = connection.execute(edges).one()
    for start in range(first or 0, (last or -1) + 1, SIGNERS_AT_ONCE):
        yield start, start + SIGNERS_AT_ONCE - 1


def change(connection: Connection, campaign_id: int, span: Span, step: Step, now: datetime) -> int:
    """Apply the step to the batch's signatures and to the counts; returns how many changed."""
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
