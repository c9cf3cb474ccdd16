"""File modes: only the server's account may read what it writes."""

import os
from pathlib import Path

from petitions.settings import Settings

UMASK = 0o077


def open_to_others(settings: Settings) -> list[Path]:
    """The instance folder, its content and SQLite files elsewhere that other accounts may read or change."""
    kept = [settings.instance, *sorted(settings.instance.glob("*"))]
    if settings.is_sqlite and settings.sqlite_path.parent != settings.instance.resolve():
        kept += sorted(settings.sqlite_path.parent.glob(f"{settings.sqlite_path.name}*"))
    return [path for path in kept if path.exists() and path.stat().st_mode & UMASK]


def close_to_others(settings: Settings) -> None:
    """Remove other accounts' rights, where this account owns the files; `open_to_others` finds the rest."""
    for path in open_to_others(settings):
        if path.stat().st_uid == os.geteuid() or os.geteuid() == 0:
            path.chmod(path.stat().st_mode & 0o777 & ~UMASK)
