"""Recipient keys on the command line: protected by a passphrase, proven before a campaign opens."""

import ast
import importlib.util
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from petitions.db.transactions import transaction
from petitions.domain import sealing
from petitions.models import Campaign, Recipient, Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.queries.recipient_keys import check_of
from petitions.settings import ROOT, SETTINGS
from tests.cli.conftest import Run
from tests.support.factories import (
    ANN,
    BOB,
    Keys,
    close_app,
    confirm,
    copy_instance,
    make_app,
    newest,
    rows,
    write_campaign,
)

WORDS = "correct horse battery"


@pytest.fixture
def database_url(request: pytest.FixtureRequest, sqlite_templates: Path, tmp_path: Path) -> str:
    """An SQLite file: what the database does is tested on both below tests/services."""
    template = "campaign" if "campaign" in request.fixturenames else "bare"
    shutil.copy(sqlite_templates / f"{template}.db", tmp_path / "petitions.db")
    copy_instance(sqlite_templates / template, tmp_path)
    return f"sqlite:///{tmp_path / 'petitions.db'}"


def create(run: Run, path: Path, label: str = "officer") -> str:
    """A key without a passphrase, which is quick; gives the public key."""
    result = run("keys", "create", path, "--label", label, "--no-passphrase")
    assert result.exit_code == 0, result.output
    return str(re.search(r"age1\w+", result.output)[0])  # type: ignore[index]


def key_file(folder: Path, *private: str) -> Path:
    """A file with these private keys."""
    path = folder / "private.txt"
    path.write_text("\n".join(private) + "\n")
    return path


# --- key files ---


def test_a_new_key_lies_behind_its_passphrase(run: Run, app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "key.age"
    result = run("keys", "create", path, "--label", "officer", input=f"{WORDS}\n{WORDS}\n")
    assert result.exit_code == 0, result.output
    public = re.search(r"age1\w+", result.output)[0]  # type: ignore[index]
    raw = path.read_bytes()
    assert raw.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert b"AGE-SECRET" not in raw
    assert path.stat().st_mode & 0o777 == 0o600
    [private] = sealing.identities_in(raw, lambda: WORDS)
    assert sealing.public_of(private) == public
    with app.app_context():
        assert newest(Recipient).public_key == public
    with pytest.raises(sealing.CannotOpen):
        sealing.identities_in(raw, lambda: WORDS + " ")


@pytest.mark.parametrize("typed", ["short\nshort\n", f"{WORDS}\nsomething else\n", ""])
def test_without_a_good_passphrase_there_is_no_key(run: Run, app: Flask, tmp_path: Path, typed: str) -> None:
    assert run("keys", "create", tmp_path / "key", input=typed).exit_code != 0
    assert not (tmp_path / "key").exists()
    with app.app_context():
        assert len(rows(Recipient)) == 1


def test_a_key_file_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("precious")
    result = run("keys", "create", path, "--no-passphrase")
    assert result.exit_code == 1
    assert "exists already" in result.output
    assert path.read_text() == "precious"


def test_a_key_inside_the_instance_folder_is_warned_of(run: Run, app: Flask, tmp_path: Path) -> None:
    instance: Path = SETTINGS.of(app).instance
    (instance / "deep").mkdir(parents=True)
    for path in (instance / "key", instance / "deep" / ".." / "other"):
        assert "WARNING" in run("keys", "create", path, "--no-passphrase").output
    assert "WARNING" not in run("keys", "create", tmp_path / "key", "--no-passphrase").output


@pytest.mark.parametrize("faulty", [b"", b"AGE-SECRET-KEY-1XX", b"\xff\xfe", b"-----BEGIN AGE ENCRYPTED FILE-----\nA"])
def test_what_is_no_key_file_opens_nothing(faulty: bytes) -> None:
    with pytest.raises(sealing.CannotOpen):
        sealing.identities_in(faulty, lambda: WORDS)


def test_debians_age_opens_a_row_with_our_protected_key(tmp_path: Path) -> None:
    public, text = sealing.new_key_file("officer", WORDS)
    (tmp_path / "key.age").write_text(text)
    row = sealing.seal({"first_name": "Şebnem", "last_name": "O’Connor"}, [sealing.new_identity()[1], public])
    (tmp_path / "row.age").write_bytes(row)
    assert shutil.which("age"), "There is no age: install the Debian package age (or run make test)"
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execlp("age", "age", "-d", "-o", "row.json", "-i", "key.age", "row.age")  # noqa: S606
    said = os.read(terminal, 200)  # it asks
    assert b"passphrase" in said
    os.write(terminal, f"{WORDS}\n".encode())
    assert os.waitpid(child, 0)[1] == 0
    opened = (tmp_path / "row.json").read_text().rstrip()
    assert opened == '{"first_name":"Şebnem","last_name":"O’Connor"}'


def test_debians_age_opens_a_test_message_as_it_is_printed(
    run: Run, app: Flask, unproven: None, tmp_path: Path
) -> None:
    create(run, tmp_path / "key")
    assert run("campaign", "import", write_campaign(tmp_path / "new", slug="new", state='"draft"')).exit_code == 0
    printed = run("keys", "check").output
    [_, key_test] = re.findall(r"-----BEGIN.*?END AGE ENCRYPTED FILE-----\n", printed, re.DOTALL)
    command = ["age", "-d", "-i", tmp_path / "key"]
    words = subprocess.run(command, input=key_test, capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r'\{"words":"[0-9a-f-]{24}"\} +', words)


# --- several recipients ---


def test_officer_and_deputy_each_open_every_row(run: Run, app: Flask, campaign: PublicCampaign, tmp_path: Path) -> None:
    create(run, tmp_path / "officer")
    create(run, tmp_path / "deputy", "deputy")
    with app.app_context():
        confirm(campaign, ANN)
        sealed = newest(Signer).sealed
    for name in ("officer", "deputy"):
        assert sealing.unseal(sealed, sealing.identities_in((tmp_path / name).read_bytes(), str))["email"] == ANN.email
    assert "officer" in run("keys", "list").output


def test_a_retired_key_is_no_longer_sealed_to_and_the_last_one_stays(
    run: Run, app: Flask, keys: Keys, campaign: PublicCampaign, tmp_path: Path
) -> None:
    assert "last_key" in run("keys", "retire", keys.section_public).output
    deputy = create(run, tmp_path / "deputy", "deputy")
    assert run("keys", "retire", keys.section_public).exit_code == 0
    assert ", retired 2" in run("keys", "list").output
    with app.app_context():
        confirm(campaign, ANN)
        with pytest.raises(sealing.CannotOpen):
            sealing.unseal(newest(Signer).sealed, [keys.section_private])
    assert "last_key" in run("keys", "retire", deputy).output
    assert run("keys", "add", keys.section_public).exit_code == 0, "it comes back"
    assert run("keys", "retire", deputy).exit_code == 0


# --- the proof ---


@pytest.mark.usefixtures("unproven")
def test_a_campaign_opens_only_once_every_key_is_proven(run: Run, app: Flask, keys: Keys, tmp_path: Path) -> None:
    create(run, tmp_path / "deputy", "deputy")
    folder = write_campaign(tmp_path / "new", slug="new")
    refused = run("campaign", "import", folder)
    assert refused.exit_code == 1
    assert "flask keys check" in refused.output
    with app.app_context():
        assert rows(Campaign) == []
    write_campaign(folder, slug="new", state='"draft"')
    assert run("campaign", "import", folder).exit_code == 0
    write_campaign(folder, slug="new")
    assert run("campaign", "import", folder).exit_code == 1

    first = run("keys", "check", "--identity", key_file(tmp_path, keys.section_private))
    assert first.exit_code == 1
    assert "Proven: section" in first.output
    assert "Not proven yet: deputy" in first.output
    assert run("campaign", "import", folder).exit_code == 1, "half a proof is none"
    second = run("keys", "check", "--identity", tmp_path / "deputy")
    assert second.exit_code == 0, second.output
    assert run("campaign", "import", folder).exit_code == 0


@pytest.mark.usefixtures("unproven")
def test_the_words_of_a_test_message_are_proof_and_nothing_else_is(
    run: Run, app: Flask, keys: Keys, tmp_path: Path
) -> None:
    assert run("keys", "add", sealing.new_identity()[1], "--label", "deputy").exit_code == 0
    run("campaign", "import", write_campaign(tmp_path / "new", slug="new", state='"draft"'))
    with app.app_context():
        check = check_of()
        mine = next(key for key in check.open_key_tests if key.public_key == keys.section_public)
    assert len(check.open_key_tests) == 1 + 1
    for wrong in ("abcd-abcd", mine.public_key):
        assert "words_wrong" in run("keys", "check", "--words", wrong).output
    stranger, _ = sealing.new_identity()
    assert "Proven" not in run("keys", "check", "--identity", key_file(tmp_path, stranger)).output
    words = sealing.unseal(mine.key_test.encode(), [keys.section_private])["words"]
    assert "Proven: section" in run("keys", "check", "--words", f" {words.upper().replace('-', ' ')} ").output


@pytest.mark.usefixtures("unproven")
def test_a_new_key_has_to_prove_itself_too_but_stops_no_campaign(
    run: Run, app: Flask, keys: Keys, tmp_path: Path
) -> None:
    folder = write_campaign(tmp_path / "new", slug="new", state='"draft"')
    run("campaign", "import", folder)
    assert run("keys", "check", "--identity", key_file(tmp_path, keys.section_private)).exit_code == 0
    write_campaign(folder, slug="new")
    assert run("campaign", "import", folder).exit_code == 0
    deputy = create(run, tmp_path / "deputy", "deputy")
    assert "not all keys are proven" in run("doctor").output
    assert run("campaign", "import", folder).exit_code == 0, "it is open already, and a fault must be mendable"
    write_campaign(folder, slug="new", state='"closed"')
    run("campaign", "import", folder)
    write_campaign(folder, slug="new")
    assert run("campaign", "import", folder).exit_code == 1
    assert run("keys", "retire", deputy).exit_code == 0
    assert run("campaign", "import", folder).exit_code == 0, "the keys that are left were proven"


def test_a_drill_says_how_many_open_and_names_nobody(
    run: Run, app: Flask, keys: Keys, campaign: PublicCampaign, tmp_path: Path
) -> None:
    with app.app_context():
        confirm(campaign, ANN)
        confirm(campaign, BOB)
        sealed = sealing.seal({"first_name": "Eve"}, [sealing.new_identity()[1]])
        result = run("keys", "drill", "--identity", key_file(tmp_path, keys.section_private))
        assert (result.exit_code, result.output) == (0, "2 of 2 signers decrypted.\n")
        with transaction() as store:
            store.execute(update(Signer).where(Signer.id == newest(Signer).id).values(sealed=sealed))
    result = run("keys", "drill", "--identity", key_file(tmp_path, keys.section_private))
    assert result.exit_code == 1
    assert "1 of 2 signers decrypted." in result.output


# --- the server never holds a usable private key ---


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Makes an installation from nothing."""
    made: list[Flask] = []

    def make(name: str, **settings: object) -> Flask:
        blank = Keys("", "", "", "")
        made.append(make_app(f"sqlite:///{tmp_path / name}.db", tmp_path / name, blank, **settings))
        return made[-1]

    yield make
    for app in made:
        close_app(app)


@pytest.mark.usefixtures("unproven")
def test_the_demo_key_is_made_in_demo_mode_only_and_proven_there(bare: Callable[..., Flask], tmp_path: Path) -> None:
    assert bare("real").test_cli_runner().invoke(args=["setup"]).exit_code == 0
    assert not list(tmp_path.glob("real/**/demo*"))
    demo = bare("demo", demo=True)
    assert demo.test_cli_runner().invoke(args=["setup"]).exit_code == 0
    assert (tmp_path / "demo" / "instance" / "demo-key.txt").is_file()
    with demo.app_context():
        assert check_of().checked_at is not None
    assert demo.test_cli_runner().invoke(args=["keys", "check"]).exit_code == 0


OPENERS = {"unseal", "identities_in", "decrypt", "fields_of", "opened"}


def reached(*names: str) -> set[str]:
    """Our modules that these import, and what those import."""
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in seen or not name.startswith("petitions"):
            continue
        seen.add(name)
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Import):
                todo += [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
                todo += [each for each in whole if is_module(each)]
    return seen


def is_module(name: str) -> bool:
    """Whether there is such a module of ours."""
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def tree(name: str) -> ast.Module:
    """The module's syntax tree."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text())


def openers_in(module: ast.Module) -> set[str]:
    """The names in it that could open something sealed."""
    named = {node.attr for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    named |= {each.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom) for each in node.names}
    return named & OPENERS


def test_no_page_and_no_worker_can_open_a_signer() -> None:
    web = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "petitions/web").rglob("*.py")]
    served = reached("petitions.worker", "petitions.web", *web)
    assert {
        "petitions.services.privacy.exports",
        "petitions.web.admin.decrypt_export",
        "petitions.services.mailing.outbox",
    } <= served
    assert "petitions.domain.decrypt_export" not in served
    opening = {name: openers_in(tree(name)) for name in served - {"petitions.domain.sealing"} if openers_in(tree(name))}
    # the outbox opens queued mails, which are sealed to the server's own key
    assert opening == {  # with the server's own key: addresses of queued e-mails, second factors of staff, kit orders
        "petitions.services.paper.kit_orders": {"unseal"},
        "petitions.services.mailing.outbox": {"unseal"},
        "petitions.services.staff.factors": {"unseal"},
    }
    assert "Signer" not in ast.dump(tree("petitions.services.mailing.outbox"))
    seeded = ast.parse("from petitions import sealing\nsealing.unseal(row.sealed, keys)")
    assert openers_in(seeded) == {"unseal"}


def test_the_server_loads_no_spreadsheets(tmp_path: Path) -> None:
    script = "import sys, petitions.factory as f; f.create_app(); print('xlsxwriter' in sys.modules)"
    environ = {"PETITIONS_INSTANCE": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
