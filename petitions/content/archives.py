"""Campaign folders as zip files, for browsers."""

import re
import tempfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import IO

from petitions.content import reading, writing
from petitions.content.fields import CampaignContent
from petitions.errors import ContentFaulty

MOST_FILES = 2_000
LARGEST = 20_000_000  # bytes of all files together, unpacked
# The files of a folder, perhaps below one more folder of any name, as desktops make them
_FILE = re.compile(r"(?:[^/]+/)?(campaign\.toml|texts/[^/]+|(?:cases|stories)/[^/]+/[^/]+)")
_NAME = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


def pack(campaign: CampaignContent) -> BytesIO:
    """The campaign's folder as a zip file."""
    packed = BytesIO()
    with tempfile.TemporaryDirectory() as place, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        writing.write(campaign, Path(place) / campaign.slug)
        for path in sorted(Path(place).rglob("*")):
            archive.write(path, path.relative_to(place))
    packed.seek(0)
    return packed


def unpack(file: IO[bytes]) -> CampaignContent:
    """The campaign in a zip file; raises ContentFaulty for what is no zip file, too large, or faulty.

    Files that do not belong to a campaign are left out, so no name leads out of the folder.
    """
    with tempfile.TemporaryDirectory() as place:
        try:
            with zipfile.ZipFile(file) as archive:
                _extract(archive, Path(place))
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
            OSError,
            ValueError,
        ) as exc:
            raise ContentFaulty(["the file is not a zip file that can be read"]) from exc
        return reading.read(Path(place))


def _extract(archive: zipfile.ZipFile, place: Path) -> None:
    left = LARGEST
    files = [(info, found[1]) for info in archive.infolist() if (found := _FILE.fullmatch(info.filename))]
    for info, name in files[:MOST_FILES]:
        if not _NAME.fullmatch(name) or ".." in name.split("/"):
            continue
        with archive.open(info) as packed:  # what the file says about its size is not trusted
            content = packed.read(min(left, reading.LARGEST_FILE) + 1)
        left -= len(content)
        if left < 0:
            raise ContentFaulty([f"the files are larger than {LARGEST} bytes together"])
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
