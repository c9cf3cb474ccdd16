"""No trace of a signer: after signing, a crash and an erasure, no file contains a name, an address or a token.

Generated signers do over HTTP everything that a signer can do. Then every file is searched: the database with its logs
(including Postgres' own, which logs each statement), our logs at DEBUG, exports, backups, temporary files. The e-mails
are excluded, because they are the delivery.
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

from petitions import sending, worker
from petitions.db.base import db
from petitions.domain.identity import mailbox
from petitions.models import Message, Signature, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.privacy import scrubbing
from petitions.services.staff import accounts
from petitions.web.public import signing as signing_view
from tests.reliability.installation import HERE, Installation, crash
from tests.support.canaries import Canary, Needles, canaries, scan
from tests.support.effort import effort, note
from tests.support.factories import CARLA, Keys, miscounts, rows
from tests.web.browsing import browser, mails, own_links, visit

GROUPS = itertools.count()  # Postgres' log is one for all tests: none may find what another one seeded


@pytest.fixture
def installation(
    app: Flask, campaign: PublicCampaign, tmp_path: Path, keys: Keys, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """An open campaign on either database, all of whose files can be read."""
    is_sqlite = app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    installation = Installation(app, tmp_path, keys, None if is_sqlite else request.getfixturevalue("postgres"))
    before, tempfile.tempdir = tempfile.tempdir, str(installation.temp)
    with installation.logging():
        yield installation
    tempfile.tempdir = before


# --- the life of a signer ---


def sign(installation: Installation, birds: Sequence[Canary]) -> None:
    """Fill in the form, each from another network, and get the links from the mails."""
    for number, bird in enumerate(birds):
        fields = dataclasses.asdict(bird.person) | {"cases": ["river", "lake"], "newsletter": "y" if number % 2 else ""}
        assert visitor(installation, number).post(f"{HERE}/sign", data=fields).status_code == 303
    found = {str(mail["To"]): own_links(mail) for mail in mails(installation.app)}
    for bird in birds:
        confirm, *_, stop = found[bird.person.email]
        bird.secrets.extend([confirm.rpartition("/")[2], stop.rpartition("/")[2]])


def visitor(installation: Installation, number: int) -> FlaskClient:
    client = browser(installation.app)
    client.environ_base["REMOTE_ADDR"] = f"198.51.{number // 250}.{number % 250}"
    return client


def use_own_page(installation: Installation, bird: Canary, number: int) -> None:
    """Open the link, confirm, and use everything on the signer's page, with a few mistakes."""
    client, person = visitor(installation, number), bird.person
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


def erase(installation: Installation, birds: Sequence[Canary]) -> None:
    """Leave in each possible way: erased on the signer's page, "it was not me", unsubscribed."""
    for number, bird in enumerate(birds):
        client = visitor(installation, number)
        if len(bird.secrets) > 2:
            assert client.post(f"/fr/mine/{bird.secrets[2]}/erase").status_code == 303
        else:
            assert client.post(f"/fr/confirm/{bird.secrets[0]}/not-me").status_code == 303
        assert client.post(f"/fr/stop/{bird.secrets[1]}").status_code == 200


def export(installation: Installation) -> None:
    """Carla downloads the encrypted signatures."""
    with installation.app.app_context():
        accounts.create_account(CARLA.name, CARLA.password)
    client = browser(installation.app)
    assert client.post("/admin/login", data=dataclasses.asdict(CARLA)).status_code == 303
    fields = visit(client, "/admin/export").form("/admin/export").fields()
    answer = client.post("/admin/export", data={**fields, "campaign": "water-2026", "password": CARLA.password})
    assert answer.text.count("\n") > 0
    (installation.folder / "export.jsonl").write_bytes(answer.data)


def maintain(installation: Installation) -> None:
    """What the worker does within five minutes; on Postgres within a day."""
    with installation.app.app_context():
        while sending.send_due():
            pass
        loop = worker.Worker(installation.app)
        loop._truncated_at -= worker.TRUNCATE_EVERY + 1  # noqa: SLF001 - as if the time had passed
        loop._maintained_at -= worker.MAINTENANCE_SECONDS  # noqa: SLF001 - as if the time had passed
        loop.maintain()


# --- the promise ---


def test_after_a_whole_life_cycle_and_a_crash_no_file_shows_who_signed(installation: Installation) -> None:
    number = effort(16, 500)
    birds, crashing = canaries(number, next(GROUPS)), canaries(effort(16, 80), next(GROUPS))
    sign(installation, birds)
    for place, bird in enumerate(birds):
        if place % 8:  # the others never confirm
            use_own_page(installation, bird, place)
    export(installation)
    installation.back_up()
    acknowledged = crash(installation, crashing)
    with installation.app.app_context():
        assert len(rows(Signer)) >= number + acknowledged
    needles = Needles().add_birds([*birds, *crashing])
    files = list(installation.files())
    assert {"backup", "export.jsonl", "text.log", "json.log", "server.log"} <= {path.name for path in files}
    found, size = scan(needles, files)
    assert found == []

    erase(installation, birds[: number // 2])
    maintain(installation)
    found, again = scan(needles, installation.files())
    assert found == []
    with installation.app.app_context():
        assert miscounts() == []
    done = f"{len(birds) + len(crashing)} signers, {needles.number} spellings, a crash"
    note("leaks", installation.database, done, f"0 hits in {(size + again) // 2**20} MB")


# --- seeded bugs: proof that the scan can fail ---


def careless(installation: Installation, monkeypatch: pytest.MonkeyPatch, also: Callable[[str], object]) -> None:
    """Let signing do something more with the address."""
    real = signing_view.sign_cases

    def sign_cases(entry: Any) -> None:
        real(entry)
        also(entry.email)

    monkeypatch.setattr(signing_view, "sign_cases", sign_cases)


def test_the_scan_finds_every_careless_line(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(value: str) -> None:
        db.session.execute(text("UPDATE signers SET leak = :value"), {"value": value})
        db.session.commit()

    careless_lines: dict[str, Callable[[str], object]] = {
        "nothing": str,
        "a column": lambda email: keep(mailbox(email)),
        "a field of JSON, in hex": lambda email: keep(f'{{"seen": "{email.encode().hex()}"}}'),
        "a hash": lambda email: keep(hashlib.sha256(mailbox(email).encode()).hexdigest()),
        "a line in the log": lambda email: logging.getLogger("careless").debug("signed by %s", email),
        "a temporary file": lambda email: (installation.temp / "form").write_text(email, encoding="utf-16-le"),
    }
    with installation.app.app_context():
        db.session.execute(text("ALTER TABLE signers ADD COLUMN leak TEXT"))
        db.session.commit()
    installation.hang_up()
    needles = Needles()
    for name, also in careless_lines.items():
        birds = canaries(3, next(GROUPS))
        with monkeypatch.context() as patch:
            careless(installation, patch, also)
            sign(installation, birds)
        needles.add_birds(birds, f"{name}: ")
    found, _ = scan(needles, installation.files())
    expected = {f"{name}: name or address" for name in careless_lines if name not in ("nothing", "a hash")}
    assert {what for _, what in found} == expected | {"a hash: hash of an address"}


# --- erased, also between the rows ---


def sealed_bytes(installation: Installation) -> Needles:
    """The encrypted data of the first signer, which must be gone after erasure."""
    needles = Needles()
    with installation.app.app_context():
        first = rows(Signer)[0]
        kept = {name: getattr(first, name) for name in ("sealed", "email_key", "name_key", "link_id", "address_key")}
        kept |= {f"mail {row.id}": row.payload for row in rows(Message, Message.signer_id == first.id)}
        assert rows(Signature, Signature.signer_id == first.id)
    for name, value in kept.items():
        needles.add(name, [value[-16:]] if value else [])  # they begin alike, as age files do
    return needles


def erased_and_found(installation: Installation) -> tuple[list[str], list[str]]:
    """What the disk holds of the first of three signers before erasure, and after the worker's maintenance."""
    birds = canaries(3, next(GROUPS))
    sign(installation, birds)
    needles = sealed_bytes(installation)
    before, _ = scan(needles, installation.database_files())
    erase(installation, birds[:1])
    maintain(installation)
    # Postgres' own log of statements is switched on in these tests only
    after, _ = scan(needles, [path for path in installation.database_files() if path.name != "log"])
    return sorted({what for _, what in before}), sorted({what for _, what in after})


def test_what_lay_sealed_of_the_erased_is_gone_from_the_disk_too(installation: Installation) -> None:
    assert worker.TRUNCATE_EVERY + worker.PAUSE < 5 * 60
    before, after = erased_and_found(installation)
    assert {"sealed", "email_key", "name_key", "link_id", "address_key"} <= set(before)
    assert after == []
    note("leaks", installation.database, "the sealed row of an erased signer, after the worker tidied", "0 bytes left")


def test_without_secure_delete_or_scrubbing_they_would_not_be(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrubbing, "scrub_due", lambda: False)
    if installation.database == "SQLite":
        with installation.app.app_context():
            event.listen(db.engine, "connect", lambda connection, _: connection.execute("PRAGMA secure_delete=OFF"))
        installation.hang_up()
    _, after = erased_and_found(installation)
    assert after != []
