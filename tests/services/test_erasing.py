"""Erasing: what is personal is gone from every column and from the disk, and the ledger brings nobody back."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from petitions.clock import now, stopped_at
from petitions.db.transactions import transaction, truncate_log
from petitions.errors import Busy
from petitions.models import Message, Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services import erasing, retention
from petitions.services.confirming import reject_signer
from petitions.services.erasing import Erasure, erase_signers, ledger_path, note_erasures, noted_erasures
from tests.support.factories import ANN, EVE, confirm, miscounts, newest, rows, sign, token_of

PERSONAL = ("email_key", "name_key", "sealed", "sealed_name", "link_salt")
pytestmark = pytest.mark.usefixtures("context")


def erase(*ids: int, why: str = erasing.WISH) -> int:
    """In a transaction of its own."""
    with transaction() as store:
        return erase_signers(store.connection(), ids, now(), why)


def test_every_personal_column_is_emptied_and_nobody_else_is_touched(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    confirm(campaign, EVE)
    ann, eve = rows(Signer)
    assert erase(ann.id) == 1

    erased, kept = rows(Signer)
    assert [getattr(erased, name) for name in PERSONAL] == [None] * 5
    assert erased.erased_at is not None
    assert kept == eve
    assert [row.payload is None for row in rows(Message)] == [True, False]


def test_no_column_of_a_signer_is_forgotten() -> None:
    kept = {"id", "campaign_id", "slot", "locale", "newsletter", "pass_id", "signed_at", "asked_at", "confirmed_at"}
    columns = {column.name for column in Signer.__table__.columns}
    assert columns == kept | {"reminded_at", "erased_at"} | set(PERSONAL), "is the new column personal?"


def test_erasing_twice_is_the_same_as_once(campaign: PublicCampaign) -> None:
    confirm(campaign)
    number = newest(Signer).id
    with stopped_at(now() + timedelta(hours=1)):
        assert erase(number) == 1
    before = newest(Signer)
    assert erase(number) == 0
    assert newest(Signer) == before
    assert len(list(noted_erasures())) == 1


def test_a_mail_that_waits_is_given_up(campaign: PublicCampaign) -> None:
    sign(campaign)
    erase(newest(Signer).id)
    assert [(row.state, row.failure, row.payload) for row in rows(Message)] == [("failed", "erased", None)]


def test_the_ledger_names_nobody_and_only_the_server_reads_it(campaign: PublicCampaign) -> None:
    sign(campaign)
    moment = now() + timedelta(minutes=1)
    with stopped_at(moment):
        reject_signer(token_of(newest(Signer).id))
    [line] = ledger_path().read_text().splitlines()
    assert json.loads(line) == {
        "campaign": "water-2026",
        "signer": newest(Signer).id,
        "at": moment.isoformat(),
        "why": "wish",
    }
    assert ledger_path().stat().st_mode & 0o777 == 0o600


def test_a_torn_line_spoils_no_other(campaign: PublicCampaign) -> None:
    lines = [Erasure("water-2026", number, now(), "wish") for number in (1, 2)]
    note_erasures(lines[:1])
    with ledger_path().open("a") as file:
        file.write('{"campaign": "wat')
    note_erasures(lines[1:])
    assert list(noted_erasures()) == lines


def test_without_the_ledger_nothing_is_erased(campaign: PublicCampaign) -> None:
    sign(campaign)
    before = newest(Signer)
    ledger_path().mkdir(parents=True)  # cannot be opened for writing
    with pytest.raises(Busy):
        reject_signer(token_of(before.id))
    assert newest(Signer) == before
    assert {row.state for row in rows(Signature)} == {"pending"}


def test_whoever_comes_back_with_a_backup_is_erased_again(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    ann = newest(Signer)
    confirm(campaign, EVE)
    with stopped_at(now() + timedelta(hours=1)):
        reject_signer(token_of(ann.id))
    signatures = rows(Signature)
    with transaction() as store:
        store.merge(Signer(**ann._asdict()))  # as a restored backup brings her back
    assert rows(Signer)[0].sealed is not None

    assert retention.replay() == 1
    assert [row.sealed is None for row in rows(Signer)] == [True, False]
    assert rows(Signature) == signatures
    assert retention.replay() == 0
    assert miscounts() == []


def test_what_came_back_waiting_is_taken_back_with_its_counts(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    note_erasures([Erasure("water-2026", newest(Signer).id, now() + timedelta(hours=1), "wish")])
    assert retention.replay() == 1
    assert {row.state for row in rows(Signature)} == {"withdrawn"}
    assert miscounts() == []


def test_what_was_confirmed_counts_on_after_retention_and_not_after_a_wish(campaign: PublicCampaign) -> None:
    for person, why in ((ANN, "retention"), (EVE, "wish")):
        confirm(campaign, person, "river")
        note_erasures([Erasure("water-2026", newest(Signer).id, now() + timedelta(hours=1), why)])
    assert retention.replay() == 2
    assert [row.state for row in rows(Signature)] == ["confirmed", "withdrawn"]
    assert miscounts() == []


@pytest.mark.parametrize(
    ("slug", "hours"), [("other", 1), ("water-2026", -1)], ids=["another campaign", "signed later"]
)
def test_a_number_that_means_somebody_else_erases_nobody(campaign: PublicCampaign, slug: str, hours: int) -> None:
    sign(campaign, ANN)
    note_erasures([Erasure(slug, newest(Signer).id, now() + timedelta(hours=hours), "wish")])
    assert retention.replay() == 0
    assert newest(Signer).sealed is not None


def test_whoever_acted_after_the_line_was_not_erased_then(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    note_erasures([Erasure("water-2026", newest(Signer).id, now(), "wish")])  # and then the transaction failed
    with stopped_at(now() + timedelta(hours=1)):
        confirm(campaign, ANN)
        assert retention.replay() == 0
    assert newest(Signer).sealed is not None


def test_after_erasing_the_bytes_are_gone_from_the_disk(app: Flask, campaign: PublicCampaign, tmp_path: Path) -> None:
    if "sqlite" not in app.config["SQLALCHEMY_DATABASE_URI"]:
        pytest.skip("Postgres keeps its files to itself; docs/operating.md says what to do there")
    sign(campaign, ANN)
    sign(campaign, EVE)
    secrets = [
        value[:64] for row in rows(Signer, Signer.id == rows(Signer)[0].id) for value in (row.sealed, row.email_key)
    ]
    secrets += [rows(Message)[0].payload[:64]]

    def found() -> list[bool]:
        files = [path for path in tmp_path.iterdir() if path.name.startswith("petitions.db")]
        return [any(secret in path.read_bytes() for path in files) for secret in secrets]

    assert all(found())
    erase(rows(Signer)[0].id)
    assert any(found()), "the log still holds them: without emptying it this test would prove nothing"
    assert truncate_log()
    assert not any(found())


def test_a_long_reader_delays_the_emptying_and_signers_do_not_wait(
    app: Flask, campaign: PublicCampaign, tmp_path: Path
) -> None:
    if "sqlite" not in app.config["SQLALCHEMY_DATABASE_URI"]:
        assert truncate_log()
        return
    reader = sqlite3.connect(tmp_path / "petitions.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM signers").fetchone()
    sign(campaign, ANN)
    assert not truncate_log()
    reader.close()
    assert truncate_log()
