"""flask campaign check | import | export."""

from pathlib import Path

import pytest
from flask import Flask

from petitions.cli import importing
from petitions.cli.setup import DEMO_CAMPAIGN
from petitions.content.reading import read
from petitions.queries.catalogue import PublicCampaign, catalogue
from tests.cli.conftest import Run
from tests.support.factories import ANN, dump, sign, write, write_campaign

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def spoil(folder: Path) -> Path:
    """A campaign with two faults."""
    write_campaign(folder)
    (folder / "texts/fr.md").unlink()
    write(folder / "campaign.toml", (folder / "campaign.toml").read_text().replace("goal = 1000", "goal = -1"))
    return folder


@on_sqlite
def test_check_says_that_all_is_well_and_what_is_not_translated(run: Run, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new")
    (folder / "cases/lake/en.md").unlink()
    result = run("campaign", "check", folder)
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "cases/lake/en.md: not translated yet; visitors will read fr there",
        "water-2026: 3 cases, fr, en: no faults.",
    ]


@on_sqlite
def test_check_finds_nothing_to_say_about_the_demo_campaign(run: Run) -> None:
    result = run("campaign", "check", DEMO_CAMPAIGN)
    assert result.output == "write-for-rights-2024: 9 cases, fr, en, lb, de: no faults.\n"


@pytest.mark.parametrize("command", ["check", "import"])
def test_faults_are_reported_one_a_line_and_nothing_is_changed(
    app: Flask, run: Run, tmp_path: Path, command: str
) -> None:
    folder = spoil(tmp_path / "bad")
    with app.app_context():
        before = dump()
    result = run("campaign", command, folder)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "campaign.toml, key goal: must be between 0 and 100000000, not -1",
        "texts/fr.md, fr: is missing",
        "Faults: 2. Nothing was changed.",
    ]
    with app.app_context():
        assert dump() == before


@on_sqlite
@pytest.mark.parametrize("command", ["check", "import"])
def test_a_folder_that_does_not_exist_is_a_fault(run: Run, tmp_path: Path, command: str) -> None:
    result = run("campaign", command, tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "campaign.toml: is missing" in result.stderr


@on_sqlite
def test_a_file_is_no_campaign_folder(run: Run, tmp_path: Path) -> None:
    result = run("campaign", "import", write(tmp_path / "file", "x"))
    assert result.exit_code == 2
    assert "is a file" in result.stderr


def test_import_makes_the_campaign_public_and_may_be_repeated(app: Flask, run: Run, tmp_path: Path) -> None:
    folder = write_campaign(tmp_path / "new", slug="new")
    for _ in range(2):
        result = run("campaign", "import", folder)
        assert (result.exit_code, result.output) == (0, "new: imported, 3 cases.\n")
    with app.app_context():
        assert [campaign.slug for campaign in catalogue().campaigns] == ["new"]


def test_import_refuses_to_drop_what_people_signed(
    app: Flask, run: Run, campaign: PublicCampaign, tmp_path: Path
) -> None:
    with app.app_context():
        sign(campaign, ANN)
        before = dump()
    result = run("campaign", "import", write_campaign(tmp_path / "less", cases=("river",)))
    assert result.exit_code == 1
    assert "has signatures; keep it" in result.stderr
    with app.app_context():
        assert dump() == before


def test_export_writes_what_import_read(run: Run, tmp_path: Path) -> None:
    run("campaign", "import", DEMO_CAMPAIGN)
    result = run("campaign", "export", "write-for-rights-2024", tmp_path / "out")
    assert (result.exit_code, result.output) == (0, f"write-for-rights-2024: exported to {tmp_path / 'out'}.\n")
    assert read(tmp_path / "out") == read(DEMO_CAMPAIGN)
    (tmp_path / "empty").mkdir()
    assert run("campaign", "export", "write-for-rights-2024", tmp_path / "empty").exit_code == 0


@on_sqlite
def test_export_overwrites_nothing(run: Run, campaign: PublicCampaign, tmp_path: Path) -> None:
    write(tmp_path / "out" / "mine.txt", "mine")
    result = run("campaign", "export", "water-2026", tmp_path / "out")
    assert result.exit_code == 1
    assert "is not empty" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@on_sqlite
def test_export_of_an_unknown_campaign_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("campaign", "export", "nothing", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (1, "Refused: not_found campaign=nothing\n")
    assert not (tmp_path / "out").exists()


def test_import_names_the_texts_that_are_too_long_for_print(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_campaign(tmp_path / "campaign")
    assert run("campaign", "import", folder).stderr == ""
    monkeypatch.setattr(importing, "too_long", lambda _: [("fr", "The river", "Poster")])
    said = run("campaign", "import", folder)
    assert said.exit_code == 0
    assert said.stderr == "fr: too long to be printed well: The river (Poster). Shorten its texts.\n"
