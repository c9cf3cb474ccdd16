"""The envelope of a backup: compressed, and encrypted to the master key and to each recipient key.

Whoever finds a lost copy reads nothing, not even when people signed. The master key opens it on a new machine; the
holder of a recipient key can open it with standard programs: age -d -i KEY FILE | gunzip > database.db
"""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from petitions import clock
from petitions.domain import sealing
from petitions.errors import BackupFaulty
from petitions.queries.catalogue import catalogue
from petitions.services.keys.keyring import keyring, settings

PREFIX = ".opened-backup-"
ABANDONED = 3600  # seconds
WRONG_KEY = "secret_key or master_key is not the one that this backup was made with, or the file is damaged"
_SQLITE = b"SQLite format 3\0"  # what backups from before version 0.1.0 begin with


def put_in(plain: Path, path: Path) -> None:
    """Compress and encrypt the file `plain` into the existing file `path`."""
    keys = sorted({keyring().master_public, *catalogue().public_keys})
    with tempfile.TemporaryFile(dir=plain.parent) as packed:
        with plain.open("rb") as source, gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6) as target:
            shutil.copyfileobj(source, target)
        packed.seek(0)
        with path.open("wb") as sealed:
            sealing.encrypt_file(packed, sealed, keys)


@contextmanager
def scratch_file() -> Iterator[Path]:
    """An empty file for a copy that is not encrypted, in the instance folder, never beside the backups.

    Removes what processes that were killed left there an hour ago or earlier.
    """
    folder = settings().instance
    for left in folder.glob(f"{PREFIX}*"):
        if left.stat().st_mtime < clock.now().timestamp() - ABANDONED:
            left.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX) as file:
        yield Path(file.name)


@contextmanager
def taken_out(path: Path) -> Iterator[Path]:
    """The database in the backup `path`, as a file that only the block can use; raises BackupFaulty."""
    with scratch_file() as plain:
        try:
            is_packed = _unpack(path, plain)
        except sealing.CannotOpen as exc:
            raise BackupFaulty(reason=WRONG_KEY) from exc
        except (OSError, EOFError, zlib.error) as exc:
            raise BackupFaulty(reason=f"{path} cannot be read, or is damaged: {exc}") from exc
        yield plain if is_packed else path


def _unpack(path: Path, plain: Path) -> bool:
    """Decrypt and expand the backup into `plain`; False, and nothing done, if it is a database as it is."""
    with path.open("rb") as source, plain.open("wb") as target, tempfile.TemporaryFile(dir=plain.parent) as packed:
        if source.read(len(_SQLITE)) == _SQLITE:
            return False
        source.seek(0)
        sealing.decrypt_file(source, packed, keyring().master_keys)
        packed.seek(0)
        with gzip.GzipFile(fileobj=packed) as content:
            shutil.copyfileobj(content, target)
    return True
