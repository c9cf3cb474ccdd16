"""No trace of a signer: after a whole life, a crash and an erasure, no file holds a name, an address or a token.

Made-up signers do over HTTP all that a signer can do. Then every file is read: the database with its logs (Postgres'
own too, which is told to write down each statement), what our loggers said at DEBUG, exports, backups, temporary files.
The mails are left out, for they are the delivery.
"""

import dataclasses
import hashlib
import itertools
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text

from petitions import worker
from petitions.db.base import db
from petitions.domain.identity import mailbox
from petitions.models import Message, Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.privacy import scrubbing
from petitions.services.staff import accounts
from petitions.web.public import signing as signing_view
from tests.reliability.house import HERE, House, crash
from tests.support.canaries import Canary, Needles, canaries, scan
from tests.support.effort import effort, note
from tests.support.factories import CARLA, Keys, miscounts, rows
from tests.web.browsing import browser, mails, own_links, visit

FLOCKS = itertools.count()  # Postgres' log is one for all tests: none may find what another one seeded


@pytest.fixture
def house(
    app: Flask, campaign: PublicCampaign, tmp_path: Path, keys: Keys, request: pytest.FixtureRequest
) -> Iterator[House]:
    """An open campaign on either database, all of whose files can be read."""
    is_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    house = House(app, tmp_path, keys, None if is_sqlite else request.getfixturevalue("postgres"))
    before, tempfile.tempdir = tempfile.tempdir, str(house.temp)
    with house.logging():
        yield house
    tempfile.tempdir = before


# --- the life of a signer ---


def sign(house: House, birds: Sequence[Canary]) -> None:
    """Fill in the form, each from another network, and get the links from the mails."""
    for number, bird in enumerate(birds):
        fields = dataclasses.asdict(bird.person) | {"cases": ["river", "lake"], "newsletter": "y" if number % 2 else ""}
        assert visitor(house, number).post(f"{HERE}/sign", data=fields).status_code == 303
    found = {str(mail["To"]): own_links(mail) for mail in mails(house.app)}
    for bird in birds:
        confirm, *_, stop = found[bird.person.email]
        bird.secrets.extend([confirm.rpartition("/")[2], stop.rpartition("/")[2]])


def visitor(house: House, number: int) -> FlaskClient:
    client = browser(house.app)
    client.environ_base["REMOTE_ADDR"] = f"198.51.{number // 250}.{number % 250}"
    return client


def live_on(house: House, bird: Canary, number: int) -> None:
    """Open the link, confirm, and do all that the own page offers, with a few slips of the pen."""
    client, person = visitor(house, number), bird.person
    confirm = f"/fr/confirm/{bird.secrets[0]}"
    visit(client, confirm)
    assert client.get(f"{confirm}?email={quote(person.email)}&name={quote(person.last_name)}").status_code == 200
    assert client.get(f"{confirm}?email={person.email}&name={person.last_name}").status_code in (200, 400)
    for code in ("000000", "no code"):
        assert client.post(f"{HERE}/code", data={"email": person.email, "code": code}).status_code == 422
    wrong = dataclasses.asdict(person) | {"email": f"{person.email}.", "cases": ["river"]}
    assert client.post(f"{HERE}/sign", data=wrong).status_code == 422
    assert client.get(f"/fr/{person.email}/{person.last_name}").status_code == 404
    assert client.post(confirm, data={"receipt": "y"}).status_code == 303
    own = next(a["href"] for a in visit(client, confirm).all("a") if "/mine/" in a["href"])
    bird.secrets.append(own.rpartition("/")[2])
    for act, fields in (
        ("name", {"first_name": bird.corrected, "last_name": person.last_name}),
        ("more", {"cases": ["forest"]}),
        ("newsletter", {"newsletter": "y"}),
        ("withdraw", {"cases": ["river"]}),
    ):
        assert client.post(f"{own}/{act}", data=fields).status_code == 303, act
    assert client.post(f"{HERE}/mine", data={"email": person.email}).status_code == 303
    assert client.get(f"{own}/data.json").status_code == 200


def erase(house: House, birds: Sequence[Canary]) -> None:
    """Leave by every door: erased on the own page, "it was not me", "never write to me again"."""
    for number, bird in enumerate(birds):
        client = visitor(house, number)
        if len(bird.secrets) > 2:
            assert client.post(f"/fr/mine/{bird.secrets[2]}/erase").status_code == 303
        else:
            assert client.post(f"/fr/confirm/{bird.secrets[0]}/not-me").status_code == 303
        assert client.post(f"/fr/stop/{bird.secrets[1]}").status_code == 200


def hand_over(house: House) -> None:
    """Carla downloads the sealed signatures."""
    with house.app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(house.app)
    assert client.post("/admin/login", data=dataclasses.asdict(CARLA)).status_code == 303
    fields = visit(client, "/admin/export").form("/admin/export").fields()
    answer = client.post("/admin/export", data={**fields, "campaign": "water-2026", "password": CARLA.password})
    assert answer.text.count("\n") > 0
    (house.folder / "export.jsonl").write_bytes(answer.data)


def tidy(house: House) -> None:
    """What the worker does by itself within five minutes; on Postgres within a day."""
    with house.app.app_context():
        while worker.send_due():
            pass
        loop = worker.Worker(house.app)
        loop._truncated_at -= worker.TRUNCATE_EVERY + 1
        loop._maintained_at -= worker.MAINTENANCE_SECONDS
        loop._maintain()


# --- the promise ---


def test_after_a_whole_life_and_a_crash_no_file_tells_who_signed(house: House) -> None:
    number = effort(16, 500)
    birds, crashing = canaries(number, next(FLOCKS)), canaries(effort(16, 80), next(FLOCKS))
    sign(house, birds)
    for place, bird in enumerate(birds):
        if place % 8:  # the others never confirm
            live_on(house, bird, place)
    hand_over(house)
    house.back_up()
    thanked = crash(house, crashing)
    with house.app.app_context():
        assert len(rows(Signer)) >= number + thanked
    needles = Needles().add_birds([*birds, *crashing])
    files = list(house.files())
    assert {"backup", "export.jsonl", "text.log", "json.log", "server.log"} <= {path.name for path in files}
    found, size = scan(needles, files)
    assert found == []

    erase(house, birds[: number // 2])
    tidy(house)
    found, again = scan(needles, house.files())
    assert found == []
    with house.app.app_context():
        assert miscounts() == []
    done = f"{len(birds) + len(crashing)} signers, {needles.number} spellings, a crash"
    note("leaks", house.database, done, f"0 hits in {(size + again) // 2**20} MB")


# --- seeded bugs: without them the scan might be blind ---


def careless(house: House, monkeypatch: pytest.MonkeyPatch, also: Callable[[str], object]) -> None:
    """Let signing do something more with the address."""
    real = signing_view.sign_cases

    def sign_cases(entry: Any) -> None:
        real(entry)
        also(entry.email)

    monkeypatch.setattr(signing_view, "sign_cases", sign_cases)


def test_the_scan_finds_every_careless_line(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(value: str) -> None:
        db.session.execute(text("UPDATE signers SET leak = :value"), {"value": value})
        db.session.commit()

    careless_lines: dict[str, Callable[[str], object]] = {
        "nothing": str,
        "a column": lambda email: keep(mailbox(email)),
        "a field of JSON, in hex": lambda email: keep(f'{{"seen": "{email.encode().hex()}"}}'),
        "a hash": lambda email: keep(hashlib.sha256(mailbox(email).encode()).hexdigest()),
        "a line in the log": lambda email: logging.getLogger("careless").debug("signed by %s", email),
        "a temporary file": lambda email: (house.temp / "form").write_text(email, encoding="utf-16-le"),
    }
    with house.app.app_context():
        db.session.execute(text("ALTER TABLE signers ADD COLUMN leak TEXT"))
        db.session.commit()
    house.hang_up()
    needles = Needles()
    for name, also in careless_lines.items():
        birds = canaries(3, next(FLOCKS))
        with monkeypatch.context() as patch:
            careless(house, patch, also)
            sign(house, birds)
        needles.add_birds(birds, f"{name}: ")
    found, _ = scan(needles, house.files())
    expected = {f"{name}: name or address" for name in careless_lines if name not in ("nothing", "a hash")}
    assert {what for _, what in found} == expected | {"a hash: hash of an address"}


# --- erased, also between the rows ---


def sealed_bytes(house: House) -> Needles:
    """What lies sealed of the first signer: no harm without the key, but to be gone after erasing."""
    needles = Needles()
    with house.app.app_context():
        first = rows(Signer)[0]
        kept = {name: getattr(first, name) for name in ("sealed", "email_key", "name_key", "link_id", "address_key")}
        kept |= {f"mail {row.id}": row.payload for row in rows(Message, Message.signer_id == first.id)}
        assert rows(Signature, Signature.signer_id == first.id)
    for name, value in kept.items():
        needles.add(name, [value[-16:]] if value else [])  # they begin alike, as age files do
    return needles


def erased_and_found(house: House) -> tuple[list[str], list[str]]:
    """What of the first of three signers lies on the disk before they are erased, and after the worker tidied."""
    birds = canaries(3, next(FLOCKS))
    sign(house, birds)
    needles = sealed_bytes(house)
    before, _ = scan(needles, house.database_files())
    erase(house, birds[:1])
    tidy(house)
    # Postgres' own log of statements is switched on in these tests only
    after, _ = scan(needles, [path for path in house.database_files() if path.name != "log"])
    return sorted({what for _, what in before}), sorted({what for _, what in after})


def test_what_lay_sealed_of_the_erased_is_gone_from_the_disk_too(house: House) -> None:
    assert worker.TRUNCATE_EVERY + worker.PAUSE < 5 * 60
    before, after = erased_and_found(house)
    assert {"sealed", "email_key", "name_key", "link_id", "address_key"} <= set(before)
    assert after == []
    note("leaks", house.database, "the sealed row of an erased signer, after the worker tidied", "0 bytes left")


def test_without_secure_delete_or_scrubbing_they_would_not_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing, "scrub_due", lambda: False)
    if house.database == "SQLite":
        with house.app.app_context():
            event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA secure_delete=OFF"))
        house.hang_up()
    _, after = erased_and_found(house)
    assert after != []
