"""What is in a backup: the database in its envelope, read with standard programs' formats only."""

import gzip
from pathlib import Path

import pyrage
from pyrage import x25519


def unpacked(backup: Path, master_key: str) -> Path:
    """The database in `backup`, as a file beside it."""
    packed = pyrage.decrypt(backup.read_bytes(), [x25519.Identity.from_str(master_key.strip())])
    plain = backup.with_name(f"{backup.name}.unpacked")
    plain.write_bytes(gzip.decompress(packed))
    return plain
