"""Documents are made once, one at a time, in a process of its own, and never half."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from petitions.kit import builder
from petitions.kit.builder import Builder, Building
from petitions.settings import ROOT

FACTS: dict[str, Any] = {
    "meta": {"title": "T", "organisation": "O", "lang": "en", "dir": "ltr"},
    "paper": "a4",
    "window": "left",
    "collector": "",
    "slip_url": "",
    "labels": {"code": "leads to", "sign-here": "Sign"},
    "pieces": [
        {
            "kind": "tent",
            "lang": "en",
            "dir": "ltr",
            "tagline": "Nine cases",
            "url": "https://x.example/",
            "short": "x.example/",
        }
    ],
}


def other(number: int) -> dict[str, Any]:
    """Facts of another document."""
    return json.loads(json.dumps(FACTS).replace("Nine cases", f"{number} cases"))  # type: ignore[no-any-return]


def test_what_idle_priority_does_not_finish_begins_again_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 30)
    monkeypatch.setattr(builder, "IDLE_SECONDS", 0.01)
    path = Builder(tmp_path).document(FACTS)
    assert isinstance(path, Path)
    assert path.read_bytes().startswith(b"%PDF-")
    assert list(tmp_path.glob("*.json")) == [], "the job is done"


def test_what_is_asked_for_by_many_at_once_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 30)
    started: list[Any] = []
    real = subprocess.run

    def counted(*args: Any, **kw: Any) -> Any:
        started.append(args)
        return real(*args, **kw)

    monkeypatch.setattr(subprocess, "run", counted)
    monkeypatch.setattr(builder, "IDLE_SECONDS", 30)
    made: list[Path | Building] = []
    threads = [threading.Thread(target=lambda: made.append(Builder(tmp_path).document(FACTS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({str(path) for path in made}) == 1
    assert len(started) == 1
    [path] = {path for path in made if isinstance(path, Path)}
    assert path.read_bytes().startswith(b"%PDF-")
    assert [each.suffix for each in tmp_path.iterdir() if each.name != "lock"] == [".pdf"]
    assert Builder(tmp_path).document(FACTS) == path
    assert len(started) == 1


def test_a_full_queue_refuses_and_says_who_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 0.0)
    monkeypatch.setattr(builder, "TYPESETTER", "this")  # starts nothing that makes a document
    monkeypatch.setattr(builder, "_is_abandoned", lambda _: False)
    answers = [Builder(tmp_path).document(other(number)) for number in range(builder.MOST_WAITING + 1)]
    assert answers[0] == Building(0)
    assert answers[-2] == Building(builder.MOST_WAITING - 1)
    assert answers[-1] == Building(builder.MOST_WAITING, is_refused=True)


def test_a_process_that_died_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 0.0)
    monkeypatch.setattr(builder, "TYPESETTER", "json.tool")  # ends at once without a document
    assert Builder(tmp_path).document(FACTS) == Building(0)
    [job] = tmp_path.glob("*.json")
    os.utime(job, (time.time() - 60,) * 2)
    monkeypatch.setattr(builder, "PATIENCE", 30)
    monkeypatch.setattr(builder, "TYPESETTER", "petitions.kit.typesetting")
    assert isinstance(Builder(tmp_path).document(FACTS), Path)


def test_old_documents_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "PATIENCE", 0.0)
    for name, age in (("old.pdf", builder.KEPT_SECONDS + 1), ("new.pdf", 60)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    monkeypatch.setattr(builder, "TYPESETTER", "json.tool")
    Builder(tmp_path).document(FACTS)
    assert {path.name for path in tmp_path.glob("*.pdf")} == {"new.pdf"}


def test_the_server_does_not_load_the_typesetter() -> None:
    code = "import sys, app; print(sorted({'typst', 'segno', 'PIL'} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    env = {"PATH": os.environ["PATH"], "PETITIONS_DEMO": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
