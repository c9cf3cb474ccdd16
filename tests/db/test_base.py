"""Column types and names."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import CheckConstraint, select
from sqlalchemy.exc import IntegrityError, StatementError

from petitions.db.base import Base
from petitions.db.transactions import reading, transaction
from petitions.models import Account, Campaign
from petitions.queries.catalogue import PublicCampaign

MOMENT = datetime(2026, 12, 10, 9, 30, 15, 123456, tzinfo=UTC)


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("offset", [0, 5.75, -9.5])
def test_a_moment_comes_back_aware_in_utc_whatever_zone_it_was_written_in(offset: float) -> None:
    written = MOMENT.astimezone(timezone(timedelta(hours=offset)))
    with transaction() as store:
        store.add(Account(name="carla", password_hash="x", created_at=written))
    with reading() as connection:
        found = connection.scalar(select(Account.created_at))
        hits = connection.scalar(select(Account.name).where(Account.created_at == written))
    assert found == MOMENT
    assert found.tzinfo is UTC
    assert hits == "carla"


@pytest.mark.usefixtures("context")
def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(StatementError, match="naive datetime"), transaction() as store:
        store.add(Account(name="carla", password_hash="x", created_at=MOMENT.replace(tzinfo=None)))


@pytest.mark.usefixtures("context")
def test_no_moment_is_nothing(campaign: PublicCampaign) -> None:
    with reading() as connection:
        assert connection.scalar(select(Campaign.closes_at)) is None


@pytest.mark.usefixtures("context")
def test_a_state_that_is_none_is_refused_by_the_database(campaign: PublicCampaign) -> None:
    with pytest.raises(IntegrityError), transaction() as store:
        store.execute(Campaign.__table__.update().values(state="opened"))


def test_every_constraint_has_a_name_else_sqlite_could_not_drop_it_again() -> None:
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, (table.name, constraint)
            if isinstance(constraint, CheckConstraint):
                assert str(constraint.name).startswith(f"ck_{table.name}_") or str(constraint.name).endswith(
                    ("_known", "_range", "_not_zero")
                )


def test_every_index_has_a_name() -> None:
    assert all(index.name for table in Base.metadata.tables.values() for index in table.indexes)
