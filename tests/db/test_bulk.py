"""Bulk inserts: exact values on both databases, and RETURNING gives the new rows."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from petitions.db import bulk
from petitions.db.base import db
from petitions.db.transactions import reading
from petitions.models import Count, Limit, Signer, Tally
from petitions.queries.catalogue import PublicCampaign
from tests.support.factories import rows
from tests.support.statements import statements

pytestmark = pytest.mark.usefixtures("context")

MOMENT = datetime(2026, 12, 10, 9, 30, 15, 123456, tzinfo=UTC)
LIMIT = ("key", "used", "ends_at")
SIGNER = ("campaign_id", "email_key", "slot", "name_key", "sealed", "locale", "newsletter", "signed_at", "asked_at")


def insert(*arguments: Any, **options: Any) -> list[Any]:
    """`bulk.insert` in a transaction of its own."""
    with db.engine.execution_options(writes=True).begin() as connection:
        return bulk.insert(connection, *arguments, **options)


def signer(campaign: PublicCampaign, number: int, **over: Any) -> tuple[Any, ...]:
    """A row for the signers' table."""
    values = {
        "campaign_id": campaign.id,
        "email_key": bytes([number]) * 32,
        "slot": 1,
        "name_key": None,
        "sealed": bytes(range(256)),
        "locale": "fr",
        "newsletter": number % 2 == 0,
        "signed_at": MOMENT,
        "asked_at": MOMENT,
    }
    return tuple({**values, **over}[name] for name in SIGNER)


def test_no_rows_are_no_statement() -> None:
    with statements(db.engine) as seen:
        assert insert(Limit, LIMIT, [], returning=("key",)) == []
    assert [text for text in seen if text.startswith("INSERT")] == []


def test_bytes_truth_nothing_and_moments_come_back_exactly(campaign: PublicCampaign) -> None:
    insert(Signer, SIGNER, [signer(campaign, number) for number in (0, 1, 255)])
    found = rows(Signer)
    assert [row.email_key for row in found] == [bytes([number]) * 32 for number in (0, 1, 255)]
    assert [row.newsletter for row in found] == [True, False, False]
    assert {(row.name_key, row.sealed, row.signed_at) for row in found} == {(None, bytes(range(256)), MOMENT)}


@pytest.mark.parametrize("text", ["", "'", '"', "\\", "\n", "é", "🏳️‍🌈", "{1,2}", "null", "a,b", "%s", ":x", "x" * 64])
def test_text_comes_back_exactly(text: str) -> None:
    insert(Limit, LIMIT, [(text, 1, 2**40)])
    assert [tuple(row) for row in rows(Limit)] == [(text, 1, 2**40)]


def test_what_all_rows_have_alike_is_said_once(campaign: PublicCampaign) -> None:
    alike = {"sealed": b"\x00\xff", "newsletter": True, "signed_at": MOMENT, "asked_at": MOMENT, "name_key": None}
    columns = tuple(name for name in SIGNER if name not in alike)
    mine = [(campaign.id, bytes([number]) * number, 1, "fr") for number in (1, 2)]
    returned = insert(Signer, columns, mine, same=alike, returning=("email_key", "sealed"))
    assert returned == [(b"\x01", b"\x00\xff"), (b"\x02\x02", b"\x00\xff")]
    found = [(row.newsletter, row.signed_at, row.name_key, row.locale) for row in rows(Signer)]
    assert found == [(True, MOMENT, None, "fr")] * 2


def test_dates_are_written_as_dates(campaign: PublicCampaign) -> None:
    columns = ("case_id", "kind", "number", "happened_on", "note", "recorded_at")
    insert(Tally, columns, [(campaign.cases[0].id, "paper", 1, date(2026, 2, 28), "", MOMENT)])
    assert [row.happened_on for row in rows(Tally)] == [date(2026, 2, 28)]


def test_returning_names_only_the_rows_that_are_new(campaign: PublicCampaign) -> None:
    def again(*numbers: int) -> list[bytes]:
        mine = [signer(campaign, number) for number in numbers]
        returned = insert(Signer, SIGNER, mine, on_conflict=bulk.skip, returning=("id", "email_key"))
        assert all(isinstance(number, int) for number, _ in returned)
        return [key[:1] for _, key in returned]

    assert again(1, 2) == [b"\x01", b"\x02"]
    assert again(2, 3, 1) == [b"\x03"]
    assert again(4, 4) == [b"\x04"], "also where one statement brings the same row twice"
    assert len(rows(Signer)) == 4


def test_returned_moments_are_aware(campaign: PublicCampaign) -> None:
    [(moment,)] = insert(Signer, SIGNER, [signer(campaign, 1)], returning=("signed_at",))
    assert moment == MOMENT


def test_a_conflict_may_update(campaign: PublicCampaign) -> None:
    columns = ("case_id", "hour_at", "shard", "confirmed", "pending", *("withdrawn", "invalidated", "expired"))
    columns += ("paper", "letters")
    row = (campaign.cases[0].id, MOMENT, 0, 2, *[0] * 6)

    def add(statement: bulk.Insert) -> bulk.Insert:
        total = {"confirmed": Count.confirmed + statement.excluded.confirmed}
        return statement.on_conflict_do_update(index_elements=["case_id", "hour_at", "shard"], set_=total)

    for expected in (2, 4):
        assert insert(Count, columns, [row], on_conflict=add, returning=("confirmed",)) == [(expected,)]


def test_one_row_that_cannot_be_leaves_none(campaign: PublicCampaign) -> None:
    with pytest.raises(DBAPIError):
        insert(Signer, SIGNER, [signer(campaign, 1), signer(campaign, 2, slot=10)])
    assert rows(Signer) == []


def test_a_row_of_the_wrong_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        insert(Limit, LIMIT, [("key", 1)])


def test_the_statement_is_the_same_for_one_row_and_for_a_thousand() -> None:
    with statements(db.engine) as seen:
        insert(Limit, LIMIT, [("a", 1, 1)])
        insert(Limit, LIMIT, [(f"b{number}", 1, 1) for number in range(1000)])
    one, many = [text for text in seen if text.startswith("INSERT")]
    assert one == many
    with reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM limits").scalar() == 1001
