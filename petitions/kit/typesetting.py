"""The typesetter's own process: waits for its turn, makes one PDF, and ends. The server never loads its libraries.

    python -m petitions.kit.typesetting FOLDER KEY

reads FOLDER/KEY.json and writes FOLDER/KEY.pdf, whole or not at all.
"""

import fcntl
import io
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import segno
import typst

HERE = Path(__file__).parent
CPU_SECONDS, WALL_SECONDS, MEMORY = 30, 60, 1 << 30  # bytes


def pdf(facts: dict[str, Any]) -> bytes:
    """The document for these facts (see pieces.py)."""
    urls = {piece["url"] for piece in facts["pieces"]}
    facts["codes"] = {url: _code(segno.make(url, error="m", micro=False)) for url in urls}
    compiler = typst.Compiler(root=str(HERE / "typst"), font_paths=[str(HERE / "fonts")], ignore_system_fonts=False)
    made = compiler.compile(
        str(HERE / "typst" / "kit.typ"),
        format="pdf",
        sys_inputs={"data": json.dumps(facts, ensure_ascii=False)},
        pdf_standards=["ua-1"],  # PDF/UA-1, ISO 14289-1: can be read aloud
    )
    assert isinstance(made, bytes)  # noqa: S101 - a list only for formats with a file for each page
    return made


def _code(code: Any) -> str:
    out = io.BytesIO()
    code.save(out, kind="svg", border=2, xmldecl=False, svgns=True)
    return out.getvalue().decode()


def main(folder: Path, key: str) -> None:
    """Make one document, one at a time over all processes. Its job's file is locked meanwhile, to notice a crash."""
    os.nice(10)  # signing comes first
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    job = folder / f"{key}.json"
    with job.open("rb") as held, (folder / "lock").open("w") as turn:
        fcntl.flock(held, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_EX)
        signal.alarm(WALL_SECONDS)
        part = folder / f"{key}.part"
        part.write_bytes(pdf(json.loads(held.read())))
        part.replace(folder / f"{key}.pdf")
        job.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
