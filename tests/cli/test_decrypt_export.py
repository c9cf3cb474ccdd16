"""Decrypting an export: a list for delivery or for the newsletter, as CSV or XLSX."""

import csv
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from petitions.domain import sealing
from petitions.models import Signer
from petitions.queries.catalogue import PublicCampaign
from petitions.services.signing import confirming
from petitions.services.signing.signing import sign_cases
from tests.support.factories import (
    ANN,
    Keys,
    Person,
    close_app,
    confirm,
    copy_instance,
    make_app,
    make_entry,
    newest,
    token_of,
)

TRICKY = Person("-Ann", "=1+1", "+ann@example.org")
WANTS_NEWS = Person("李", "http//x.example", "li@example.org")
Open = Callable[..., str]


@pytest.fixture
def database_url(request: pytest.FixtureRequest, sqlite_templates: Path, tmp_path: Path) -> str:
    """An SQLite file: what the database does is tested on both below tests/services."""
    template = "campaign" if "campaign" in request.fixturenames else "bare"
    shutil.copy(sqlite_templates / f"{template}.db", tmp_path / "petitions.db")
    copy_instance(sqlite_templates / template, tmp_path)
    return f"sqlite:///{tmp_path / 'petitions.db'}"


@pytest.fixture
def handed_over(app: Flask, campaign: PublicCampaign, tmp_path: Path) -> Path:
    """An export with Ann, a name like a formula, and a newsletter subscriber."""
    with app.app_context():
        confirm(campaign, ANN)
        confirm(campaign, TRICKY, "river")
        sign_cases(make_entry(campaign, WANTS_NEWS, "lake", newsletter=True))
        confirming.confirm_signer(token_of(newest(Signer).id))
    path = tmp_path / "water.jsonl"
    result = app.test_cli_runner().invoke(args=["signatures", "export", "--sealed", "-o", str(path)])
    assert result.exit_code == 0, result.output
    assert len(path.read_text().splitlines()) == 3 + 1, "and the totals"
    return path


@pytest.fixture
def laptop(tmp_path: Path, keys: Keys) -> Open:
    """Opens the file on a machine that has the key, and no database at all."""
    app = make_app(f"sqlite:///{tmp_path / 'nowhere.db'}", tmp_path / "laptop", keys)
    (tmp_path / "key.txt").write_text(keys.section_private)

    def run(path: Path, *words: str, key: str = "key.txt", status: int = 0) -> str:
        command = ["signatures", "open", str(path), "--identity", str(tmp_path / key), *words]
        result = app.test_cli_runner().invoke(args=command)
        assert result.exit_code == status, result.output
        return str(result.output)

    close_app(app)
    return run


def read(path: Path) -> list[dict[str, str]]:
    """The CSV as a spreadsheet reads it."""
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "without it, Excel takes it for Latin-1"
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_the_lists_for_delivery_hold_names_and_no_address(laptop: Open, handed_over: Path) -> None:
    assert "5 rows" in laptop(handed_over)
    found = read(handed_over.with_suffix(".delivery.csv"))
    assert sorted((row["first_name"], row["last_name"], row["case"]) for row in found) == [
        ("'-Ann", "'=1+1", "river"),
        *(("Ann", "O’Connor", case) for case in ("forest", "lake", "river")),
        ("李", "http//x.example", "lake"),
    ]
    assert "@" not in handed_over.with_suffix(".delivery.csv").read_text()
    for path in (handed_over, handed_over.with_suffix(".delivery.csv")):
        assert path.stat().st_mode & 0o777 == 0o600, "it names people"
    said = laptop(handed_over, "--rows", "signer")
    assert "3 rows" in said
    assert "river: 2 signatures, 2 of them named in the list" in said
    assert not list(handed_over.parent.glob("nowhere.db*")), "it needs no database"


def test_the_newsletter_list_holds_only_who_agreed(laptop: Open, handed_over: Path, tmp_path: Path) -> None:
    laptop(handed_over, "--for", "newsletter", "-o", str(tmp_path / "news.csv"))
    assert [(row["email"], row["first_name"]) for row in read(tmp_path / "news.csv")] == [("li@example.org", "李")]


def test_a_spreadsheet_takes_no_name_for_a_formula_or_a_link(laptop: Open, handed_over: Path, tmp_path: Path) -> None:
    laptop(handed_over, "--format", "xlsx", "-o", str(tmp_path / "list.xlsx"))
    with zipfile.ZipFile(tmp_path / "list.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "=1+1" in sheet
    assert "李" in sheet
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert sheet.count("<row ") == 6


def test_a_wrong_key_leaves_no_half_list(laptop: Open, handed_over: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text(sealing.new_identity()[0])
    assert "Line 1 cannot be decrypted" in laptop(handed_over, key="other.txt", status=1)
    (tmp_path / "empty.txt").write_text("nothing")
    assert "holds no private key" in laptop(handed_over, key="empty.txt", status=1)
    assert not list(tmp_path.glob("*.csv"))


def test_names_leave_the_server_sealed_only(app: Flask, campaign: PublicCampaign) -> None:
    result = app.test_cli_runner().invoke(args=["signatures", "export"])
    assert result.exit_code == 2
    assert "--sealed" in result.output
