"""flask keys create | add, flask signatures export: how names get sealed, and how they come out again."""

import csv
import io
import stat
from pathlib import Path

import pytest
from flask import Flask

from petitions import sealing
from petitions.models import Recipient
from petitions.queries.catalogue import PublicCampaign, catalogue
from tests.cli.conftest import Run
from tests.support.factories import ANN, EVE, Keys, confirm, rows, sign, write

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def key_file(tmp_path: Path, keys: Keys) -> Path:
    """The section's key as a file, as its keeper has it."""
    return write(tmp_path / "key.txt", f"# Keep this safe\n\n{keys.section_private}\n")


def opened(text: str) -> list[dict[str, str]]:
    """An exported list."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_create_writes_a_private_key_for_its_owner_only_and_seals_to_its_public_half(
    app: Flask, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "officer.txt"
    result = run("keys", "create", path, "--label", "officer")
    assert result.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private = path.read_text().splitlines()[-1]
    public = sealing.public_of(private)
    assert f"Public key:  {public}" in result.output
    assert private not in result.output
    with app.app_context():
        assert public in catalogue().public_keys
        assert [row.label for row in rows(Recipient)] == ["section", "officer"]


@on_sqlite
def test_a_key_is_never_overwritten(app: Flask, run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "officer.txt", "precious")
    result = run("keys", "create", path)
    assert result.exit_code == 1
    assert "a key is never overwritten" in result.stderr
    assert path.read_text() == "precious"
    with app.app_context():
        assert len(rows(Recipient)) == 1


@on_sqlite
def test_a_key_that_cannot_be_written_is_not_sealed_to(app: Flask, run: Run, tmp_path: Path) -> None:
    result = run("keys", "create", tmp_path / "no" / "such" / "folder")
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
    with app.app_context():
        assert len(rows(Recipient)) == 1


@on_sqlite
def test_a_public_key_from_elsewhere_can_be_added(app: Flask, run: Run) -> None:
    _, public = sealing.new_identity()
    for _ in range(2):
        assert run("keys", "add", public, "--label", "deputy").output == "Added.\n"
    with app.app_context():
        assert [row.public_key for row in rows(Recipient)][1:] == [public]


@on_sqlite
def test_what_is_no_public_key_is_refused_and_not_repeated(run: Run, keys: Keys) -> None:
    result = run("keys", "add", keys.section_private)
    assert (result.exit_code, result.stderr) == (1, "Refused: key_faulty\n")


def test_the_list_comes_out_with_the_key_and_with_its_names(
    app: Flask, run: Run, campaign: PublicCampaign, key_file: Path, tmp_path: Path
) -> None:
    with app.app_context():
        confirm(campaign, ANN, "river")
        sign(campaign, EVE)
    result = run("signatures", "export", "--identity", key_file)
    assert result.exit_code == 0
    assert [(row["case"], row["last_name"], row["email"]) for row in opened(result.stdout)] == [
        ("river", ANN.last_name, ANN.email)
    ]

    written = tmp_path / "list.csv"
    result = run("signatures", "export", "--identity", key_file, "--campaign", "water-2026", "-o", written)
    assert (result.exit_code, result.output) == (0, "")
    assert len(opened(written.read_bytes().decode())) == 1


@on_sqlite
def test_another_key_opens_nothing_and_says_so(app: Flask, run: Run, campaign: PublicCampaign, tmp_path: Path) -> None:
    with app.app_context():
        confirm(campaign, ANN)
    stranger, _ = sealing.new_identity()
    for text in (stranger, "no key at all"):
        result = run("signatures", "export", "--identity", write(tmp_path / "stranger.txt", text))
        assert result.exit_code == 1
        assert "This key does not open these signatures." in result.stderr
        assert opened(result.stdout) == []


@on_sqlite
def test_a_file_without_a_key_and_a_file_that_is_not_there_are_told_apart(
    run: Run, campaign: PublicCampaign, tmp_path: Path
) -> None:
    empty = write(tmp_path / "empty.txt", "# only a comment\n")
    result = run("signatures", "export", "--identity", empty)
    assert (result.exit_code, result.stderr) == (1, f"Error: {empty} holds no key\n")
    assert run("signatures", "export", "--identity", tmp_path / "nowhere").exit_code == 2
    assert run("signatures", "export").exit_code == 2


@on_sqlite
def test_a_mistyped_campaign_is_no_empty_list(run: Run, campaign: PublicCampaign, key_file: Path) -> None:
    result = run("signatures", "export", "--identity", key_file, "--campaign", "water-2062")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Refused: not_found campaign=water-2062\n"
