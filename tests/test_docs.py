"""The documents agree with the program: files, commands, the table of packages; the README fits on one screen."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask
from sqlalchemy import Column, Integer, Table

from petitions.db.base import Base
from petitions.migrations.upgrade import differences
from petitions.settings import ROOT
from scripts import rooms
from scripts.migration import migrated_database

LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"`(?:\.venv/bin/)?flask ((?:[a-z][a-z-]* ?)+)")
SOURCE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|html|js|css|toml|sh|conf|service))`")
SOURCES = ("", "petitions", "tests")  # where the paths in documents begin
LARGEST_PICTURE = 200_000  # bytes
ONE_SCREEN = 50  # lines


def documents() -> list[Path]:
    """Everything written for people, but for third-party code and the demo campaign."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").glob("*.md")]
    assert len(found) > 8
    return found


def anchors(text: str) -> set[str]:
    """What a link may name in a document: its headings, as forges write them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def dead_links(document: Path, text: str) -> list[str]:
    """Links to files or headings that are not there."""
    found = []
    for link in LINK.findall(text):
        name, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            found.append(f"{document.relative_to(ROOT)}: {link}")
    return found


def commands(group: click.Group, *path: str) -> Iterator[str]:
    """Every command as an operator types it after `flask`."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            context = click.Context(command)
            yield from (" ".join([*path, name, below]) for below in command.list_commands(context))
        else:
            yield " ".join([*path, name])


def test_every_link_leads_somewhere() -> None:
    assert [fault for document in documents() for fault in dead_links(document, document.read_text("utf-8"))] == []
    wrong = "[a](docs/nowhere.md) [b](docs/security.md#nothing) [c](docs/security.md#keys)"
    assert len(dead_links(ROOT / "README.md", wrong)) == 2


def test_every_source_file_that_a_document_names_is_there() -> None:
    named = {(path.name, name) for path in documents() for name in SOURCE.findall(path.read_text("utf-8"))}
    assert len(named) > 50
    assert [each for each in sorted(named) if not any((ROOT / base / each[1]).exists() for base in SOURCES)] == []


def test_the_table_of_rooms_is_generated_from_the_code() -> None:
    text = rooms.DOCUMENT.read_text("utf-8")
    assert text == rooms.updated(text), "make rooms"
    for name in ("db", "services/signing", "web/admin", "factory.py"):
        assert f"| `{name}" in text
    with pytest.raises(ValueError, match="must have the lines"):
        rooms.updated("no markers")


def test_every_module_says_what_it_is_responsible_for(tmp_path: Path) -> None:
    versions = rooms.PACKAGE / "migrations" / "versions"
    modules = [path for path in rooms.PACKAGE.rglob("*.py") if versions not in path.parents]
    assert [path for path in modules if not rooms.first_line(path)] == []
    silent = tmp_path / "silent.py"
    for text in ("", "x = 1\n", '"""No sentence"""\n'):
        silent.write_text(text)
        assert rooms.first_line(silent) == ""


def test_the_table_of_commands_has_each_command_once(app: Flask) -> None:
    rows = re.findall(r"^\| `flask ([a-z -]+)", (ROOT / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE)
    shown = [row.split(" --")[0].strip() for row in rows]
    real = set(commands(app.cli))
    assert real
    shown = [next((name for name in real if f"{row} ".startswith(f"{name} ")), row) for row in shown]
    assert set(shown) == real
    assert {name for name in shown if shown.count(name) > 1} == {"signatures export"}, "with and without the key"


def test_no_document_names_a_command_that_is_not_there(app: Flask) -> None:
    real = set(commands(app.cli))
    groups = {name.split(" ")[0] for name in real}
    for document in documents():
        for words in COMMAND.findall(document.read_text("utf-8")):
            known = any(f"{words.strip()} ".startswith(f"{name} ") for name in real)
            assert known or words.strip() in groups, f"{document.name}: flask {words}"


def test_a_commit_is_checked_by_the_linters_that_make_lint_runs() -> None:
    hooks = re.findall(r"entry: (.+)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    lint = (ROOT / "Makefile").read_text("utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    run = [line.strip().replace("$(V)", ".venv").removesuffix(" .") for line in lint.splitlines()[1:]]
    assert hooks == run
    assert len(run) == 3


def test_the_forge_runs_what_the_readme_says() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    [packages] = re.findall(r"sudo apt-get install (.+)", readme)
    [installed] = re.findall(r"apt-get install -y --no-install-recommends (.+)", workflow)
    assert set(packages.split()) == set(installed.split()) - {"ca-certificates"}
    assert "- run: .ci/run\n" in workflow
    assert "exec make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_readme_is_one_screen_with_a_small_picture() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) <= ONE_SCREEN
    assert not any(line.startswith("|") for line in lines), "tables are in docs/"
    [picture] = re.findall(r"!\[[^\]]{20,}\]\(([^)]+)\)", "\n".join(lines))
    data = (ROOT / picture).read_bytes()
    assert data.startswith(b"\xff\xd8\xff"), "a JPEG, made by scripts/picture.py"
    assert len(data) < LARGEST_PICTURE


def test_the_version_is_in_one_place_and_the_newest_that_the_changes_tell() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", changes, re.MULTILINE)
    assert headings[0] == "Unreleased"
    released = [re.fullmatch(r"(\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d", heading) for heading in headings[1:]]
    assert all(released), headings
    assert released[0] is not None
    assert released[0][1] == version
    copies = re.compile(rf"""["']{re.escape(version)}["']|__version__""")
    sources = [*(ROOT / "petitions").rglob("*.py"), *(ROOT / "scripts").glob("*.py"), *ROOT.glob("*.py")]
    assert [path.name for path in sources if copies.search(path.read_text("utf-8"))] == []


def test_make_migration_compares_the_models_with_what_the_migrations_leave(tmp_path: Path) -> None:
    added = Table("added", Base.metadata, Column("id", Integer, primary_key=True))
    try:
        with migrated_database(tmp_path):
            assert [kind for kind, *_ in differences()] == ["add_table"]
    finally:
        Base.metadata.remove(added)
