"""flask keys create | add, flask signatures export: how names are encrypted and exported."""

import stat
from pathlib import Path

import pytest
from flask import Flask

from petitions.domain import sealing
from petitions.models import Recipient
from petitions.queries.catalogue import PublicCampaign, catalogue
from tests.cli.conftest import Run
from tests.support.factories import Keys, rows, write

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_create_writes_a_private_key_for_its_owner_only_and_seals_to_its_public_half(
    app: Flask, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "officer.txt"
    result = run("keys", "create", path, "--label", "officer", "--no-passphrase")
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
    result = run("keys", "create", path, "--no-passphrase")
    assert result.exit_code == 1
    assert "a key is never overwritten" in result.stderr
    assert path.read_text() == "precious"
    with app.app_context():
        assert len(rows(Recipient)) == 1


@on_sqlite
def test_a_key_that_cannot_be_written_is_not_sealed_to(app: Flask, run: Run, tmp_path: Path) -> None:
    result = run("keys", "create", tmp_path / "no" / "such" / "folder", "--no-passphrase")
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
    with app.app_context():
        assert len(rows(Recipient)) == 1


@on_sqlite
def test_a_public_key_from_elsewhere_can_be_added(app: Flask, run: Run) -> None:
    _, public = sealing.new_identity()
    for _ in range(2):
        assert run("keys", "add", public, "--label", "deputy").output.startswith("Added.\n")
    with app.app_context():
        assert [row.public_key for row in rows(Recipient)][1:] == [public]


@on_sqlite
def test_what_is_no_public_key_is_refused_and_not_repeated(run: Run, keys: Keys) -> None:
    result = run("keys", "add", keys.section_private)
    assert (result.exit_code, result.stderr) == (1, "Refused: key_faulty\n")


@on_sqlite
def test_a_mistyped_campaign_is_no_empty_list(run: Run, campaign: PublicCampaign) -> None:
    result = run("signatures", "export", "--sealed", "--campaign", "water-2062")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Refused: not_found campaign=water-2062\n"
