"""Erasure: personal data is gone from every column and from the disk, and the ledger prevents its return."""

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert

from petitions.clock import LONG_AGO, minute_of, now, stopped_at
from petitions.db.transactions import transaction, truncate_log
from petitions.errors import Busy
from petitions.models import Check, Count, Invalidation, Message, Signature, Signer, Suppression
from petitions.queries import signer as signer_query
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.moderation import Condition
from petitions.services import ledger
from petitions.services.mailing import suppression
from petitions.services.moderation import invalidations
from petitions.services.operations import restore
from petitions.services.privacy.erasure import erase_signers
from petitions.services.signing import signer_page
from petitions.services.signing.confirming import reject_signer
from tests.support.factories import ANN, EVE, Keys, confirm, dump, miscounts, newest, rows, sign, token_of

PERSONAL = ("link_id", "address_key", "email_key", "name_key", "slot", "sealed", "sealed_name")
TELLING = ("is_of_age", "locale", "collector_id")
pytestmark = pytest.mark.usefixtures("context")


def erase(*ids: int, what: str = ledger.ERASED) -> int:
    """In a transaction of its own."""
    with transaction() as store:
        return erase_signers(store.connection(), ids, now(), what)


def note(*lines: ledger.Line, at: datetime | None = None) -> None:
    """Write to the ledger what no database knows of."""
    with transaction() as store:
        ledger.append(store.connection(), lines, at or now())


def of(row: Any, what: str, **more: Any) -> ledger.Line:
    """A line about this signer."""
    return {"what": what, "signer": row.link_id.hex(), **more}


def test_all_that_names_or_dates_a_person_is_emptied_and_nobody_else_is_touched(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    confirm(campaign, EVE)
    ann, eve = rows(Signer)
    hers = rows(Signature, Signature.signer_id == eve.id)
    assert erase(ann.id) == 1

    erased, kept = rows(Signer)
    assert {getattr(erased, name) for name in PERSONAL + TELLING} == {None}
    assert (erased.signed_at, erased.asked_at, erased.confirmed_at) == (LONG_AGO,) * 3
    assert (erased.erased_at.hour, erased.erased_at.minute, erased.newsletter) == (0, 0, False)
    for row in rows(Signature, Signature.signer_id == ann.id):
        assert (row.signed_at, row.confirmed_at, row.letter_version_id, row.consent_version_id) == (
            *(LONG_AGO, LONG_AGO, None, None),
        )
        assert (row.state, row.source) == ("confirmed", "")
    assert kept == eve
    assert rows(Signature, Signature.signer_id == eve.id) == hers
    assert {row.signer_id for row in rows(Message)} == {eve.id}


def test_no_column_of_a_signer_is_forgotten() -> None:
    kept = {"id", "campaign_id", "newsletter", "is_named", "signed_at", "asked_at", "confirmed_at", "erased_at"}
    columns = {column.name for column in Signer.__table__.columns}
    assert columns == kept | set(PERSONAL) | set(TELLING), "is the new column personal?"


def test_no_time_of_a_signer_is_finer_than_a_minute(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN)
    sign(campaign, EVE)
    moments = [value for row in (*rows(Signer), *rows(Signature)) for value in row if isinstance(value, datetime)]
    assert len(moments) > 10
    assert {(moment.second, moment.microsecond) for moment in moments} == {(0, 0)}


def test_erasing_twice_is_the_same_as_once(campaign: PublicCampaign) -> None:
    confirm(campaign)
    number = newest(Signer).id
    with stopped_at(now() + timedelta(hours=1)):
        assert erase(number) == 1
    before = newest(Signer)
    assert erase(number) == 0
    assert newest(Signer) == before
    assert len(list(ledger.lines())) == 1


def test_the_ledger_names_nobody_and_only_the_server_reads_it(campaign: PublicCampaign) -> None:
    sign(campaign)
    moment, link_id = now() + timedelta(minutes=1), newest(Signer).link_id
    with stopped_at(moment):
        reject_signer(token_of(newest(Signer).id))
    [line] = ledger.path().read_text().splitlines()
    assert json.loads(line) == {
        "at": minute_of(moment).isoformat(),
        "what": "erased",
        "signer": link_id.hex(),
    }
    assert ledger.path().stat().st_mode & 0o777 == 0o600


def test_a_torn_line_spoils_no_other() -> None:
    note({"what": "lifted", "mailbox": "a"})
    with ledger.path().open("a") as file:
        file.write('{"what": "lif')
    note({"what": "lifted", "mailbox": "b"})
    assert [line["mailbox"] for line in ledger.lines()] == ["a", "b"]


def test_without_the_ledger_nothing_is_erased(campaign: PublicCampaign) -> None:
    sign(campaign)
    before = newest(Signer)
    ledger.path().mkdir(parents=True)  # cannot be opened for writing
    with pytest.raises(Busy):
        reject_signer(token_of(before.id))
    assert newest(Signer) == before
    assert {row.state for row in rows(Signature)} == {"pending"}


def test_the_database_knows_how_far_it_is_in_the_ledger(campaign: PublicCampaign) -> None:
    assert ledger.lengths() == (0, 0)
    note({"what": "lifted", "mailbox": "a"})
    known, there = ledger.lengths()
    assert known == there > 0
    with transaction() as store:  # as in a backup from before
        store.execute(delete(Check).where(Check.name == "ledger"))
    assert ledger.lengths() == (0, there)
    restore.replay()
    assert ledger.lengths() == (there, there)
    ledger.path().unlink()
    assert ledger.lengths() == (there, 0)
    restore.replay()
    assert ledger.lengths() == (0, 0)


def test_a_signer_restored_by_a_backup_is_erased_again(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    ann = newest(Signer)
    confirm(campaign, EVE)
    with stopped_at(now() + timedelta(hours=1)):
        reject_signer(token_of(ann.id))
    signatures = rows(Signature)
    with transaction() as store:
        store.merge(Signer(**ann._asdict()))  # as a restored backup brings her back
    assert rows(Signer)[0].sealed is not None

    assert restore.replay() == 1
    assert [row.sealed is None for row in rows(Signer)] == [True, False]
    assert rows(Signature) == signatures
    assert restore.replay() == 0
    assert miscounts() == []


def test_confirmed_signatures_count_after_retention_and_not_after_an_erasure(campaign: PublicCampaign) -> None:
    for person, what in ((ANN, ledger.EXPIRED), (EVE, ledger.ERASED)):
        confirm(campaign, person, "river")
        note(of(newest(Signer), what), at=now() + timedelta(hours=1))
    assert restore.replay() == 2
    assert [row.state for row in rows(Signature)] == ["confirmed", "withdrawn"]
    assert miscounts() == []


def test_lines_of_the_version_before_are_understood(campaign: PublicCampaign) -> None:
    confirm(campaign, ANN, "river")
    old = {"campaign": campaign.slug, "signer": newest(Signer).id, "at": (now() + timedelta(hours=1)).isoformat()}
    ledger.path().parent.mkdir(exist_ok=True)
    ledger.path().write_text(json.dumps({**old, "why": "wish"}) + "\n")
    assert restore.replay() == 1
    assert newest(Signer).sealed is None


def test_a_signer_who_acted_after_the_line_was_not_erased_then(campaign: PublicCampaign) -> None:
    sign(campaign, ANN)
    note(of(newest(Signer), ledger.ERASED))  # and then the transaction failed
    with stopped_at(now() + timedelta(hours=1)):
        confirm(campaign, ANN)
        assert restore.replay() == 0
    assert newest(Signer).sealed is not None


def test_nothing_that_was_taken_back_comes_back(app: Flask, campaign: PublicCampaign, keys: Keys) -> None:
    """Each act, then the database as it was before, then the replay."""
    for person in (ANN, EVE):
        confirm(campaign, person)
        signer_page.set_newsletter(signer_page.link_token(signer_query.facts(newest(Signer).id)), True)
    ann, eve = rows(Signer)
    token = signer_page.link_token(signer_query.facts(ann.id))
    before = {model: rows(model) for model in (Signer, Signature, Count, Check)}
    number = invalidations.prepare_invalidation(campaign.slug, Condition(cases=("forest",)), "not real")

    signer_page.withdraw(token, [campaign.case("river").id])
    signer_page.correct_name(token, "Anna", "Right")
    signer_page.set_newsletter(token, False)
    suppression.suppress(EVE.email, "wanted")
    invalidations.run_invalidation(number)
    with transaction() as store:
        for model in (Suppression, Message):
            store.execute(delete(model))
        store.execute(delete(Signature))
        store.execute(delete(Signer))
        for model in (Count, Invalidation, Check):
            store.execute(delete(model))
        for model, kept in before.items():
            store.execute(insert(model), [row._asdict() for row in kept])
    assert ledger.lengths()[0] < ledger.lengths()[1], "doctor is red"

    restore.replay()
    ann, eve = rows(Signer)
    states = {(row.signer_id, row.case_id): row.state for row in rows(Signature)}
    river, forest, lake = (campaign.case(slug).id for slug in ("river", "forest", "lake"))
    assert states == {
        (ann.id, river): "withdrawn",
        (ann.id, forest): "invalidated",
        (ann.id, lake): "confirmed",
        (eve.id, river): "confirmed",
        (eve.id, forest): "invalidated",
        (eve.id, lake): "confirmed",
    }
    assert (ann.newsletter, eve.newsletter) == (False, True)
    assert (ann.is_named, eve.is_named) == (False, True), "the wrong name goes nowhere"
    assert suppression.is_suppressed(EVE.email)
    assert miscounts() == []
    after = dump("checks.value")
    restore.replay()
    assert dump("checks.value") == after


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
