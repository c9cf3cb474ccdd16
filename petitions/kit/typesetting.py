"""The typesetter's own process: waits for its turn, makes one document, and ends. The server never loads its libraries.

    python -m petitions.kit.typesetting FOLDER KEY [idle]

reads FOLDER/KEY.json and writes FOLDER/KEY.pdf (or .jpg), whole or not at all.
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
from PIL import Image

HERE = Path(__file__).parent
CPU_SECONDS, WALL_SECONDS, MEMORY = 30, 60, 1 << 30  # bytes


def made(facts: dict[str, Any]) -> bytes:
    """The document or the picture for these facts."""
    if facts.get("format") == "svg":
        return _code(segno.make(facts["code"], error=facts["level"], micro=False)).encode()
    return picture(facts) if facts.get("format") == "jpg" else pdf(facts)


def pdf(facts: dict[str, Any]) -> bytes:
    """The document of these facts (see pieces.py), as PDF/UA-1 (ISO 14289-1), which can be read aloud."""
    return _compiled("kit.typ", _with_codes(facts), format="pdf", pdf_standards=["ua-1"])


def picture(facts: dict[str, Any]) -> bytes:
    """The card of these facts (see cards.py), as JPEG."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(_compiled("card.typ", facts, format="png", ppi=72))) as png:
        png.convert("RGB").save(out, "JPEG", quality=82, optimize=True, progressive=True)
    return out.getvalue()


def misfits(facts: dict[str, Any]) -> list[dict[str, str]]:
    """The parts that are too long for their place, also at the smallest size: `kind` of the piece and `title`."""
    template, facts = ("card.typ", facts) if facts.get("format") == "jpg" else ("kit.typ", _with_codes(facts))
    said = json.loads(_compiler(facts, template).query("<misfit>", field="value"))
    return [dict(each) for each in said]


def _with_codes(facts: dict[str, Any]) -> dict[str, Any]:
    urls = {piece["url"] for piece in facts["pieces"]} | ({facts["slip_url"]} - {""})
    return {**facts, "codes": {url: _code(segno.make(url, error="m", micro=False)) for url in urls}}


def _compiled(template: str, facts: dict[str, Any], **how: Any) -> bytes:
    result = _compiler(facts, template).compile(**how)
    assert isinstance(result, bytes)  # noqa: S101 - a list only if there are several pictures
    return result


def _compiler(facts: dict[str, Any], template: str) -> typst.Compiler:
    return typst.Compiler(
        str(HERE / "typst" / template),
        root=str(HERE / "typst"),
        font_paths=[str(HERE / "fonts")],
        ignore_system_fonts=False,
        sys_inputs={"data": json.dumps(facts, ensure_ascii=False)},
    )


def _code(code: Any) -> str:
    out = io.BytesIO()
    code.save(out, kind="svg", border=2, xmldecl=False, svgns=True, omitsize=True)
    return out.getvalue().decode()


def main(folder: Path, key: str, *, is_idle: bool = False) -> None:
    """Make one document, one at a time over all processes. Its job's file is locked meanwhile, to notice a crash."""
    if is_idle:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.nice(10)  # signing comes first
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    job = folder / f"{key}.json"
    with job.open("rb") as held, (folder / "lock").open("w") as turn:
        fcntl.flock(held, fcntl.LOCK_EX)
        fcntl.flock(turn, fcntl.LOCK_EX)
        signal.alarm(WALL_SECONDS)
        part = folder / f"{key}.part"
        facts = json.loads(held.read())
        part.write_bytes(made(facts))
        part.replace(folder / f"{key}.{facts.get('format', 'pdf')}")
        job.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], is_idle=sys.argv[3:] == ["idle"])
