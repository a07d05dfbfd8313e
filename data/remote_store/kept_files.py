"""Which files of a store are kept on its server, and what they are on this machine.

Not kept are caches, scratch, locks, and starts of processes, which mean something to one machine
alone; logs that were downloaded; and source images, which are read where they lie.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from data.background.process import is_start

WAREHOUSE = "warehouse.duckdb"
FOLDERS = ("audits", "miners", "models", "runs", "settings")
"""Whose files are copied, both ways."""
READ_THERE = ("sources", "training")
"""Whose files are read on the server."""

LAST = ("models/promotions.jsonl", "models/champion.json", WAREHOUSE)
"""Files that name others, which are there before them."""

# locks, files being written, and what DuckDB has beside a warehouse
_PASSING = (".lock", ".aside", ".tmp", ".wal")
# what a run that begins anew had, which is being removed
_EMPTIED = re.compile(r"runs/.*\.\d+\.old/.*")


@dataclass(frozen=True)
class LocalFile:
    """What tells a file of this machine from what replaces it: bytes, time in ns, and inode."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "LocalFile":
        """That of a file's status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


def is_kept(name: str) -> bool:
    """Whether a file of a store is kept on its server, by its path in the store.

    A name that a server gives is no path outside of the store.
    """
    parts = name.split("/")
    if any(not part or part.startswith(".") or is_start(part) for part in parts):
        return False
    if name.endswith(_PASSING) or _EMPTIED.fullmatch(name):
        return False
    inside = "\\" not in name and "\0" not in name
    return name == WAREHOUSE or (inside and len(parts) > 1 and parts[0] in FOLDERS)


def is_guarded(name: str) -> bool:
    """Whether it is never replaced by what was made without knowing it: warehouse and models.

    Of all others the last one counts: parts of a run are equal whoever made them, settings and
    reports are made again.
    """
    return name == WAREHOUSE or name.startswith("models/")


def is_report(name: str) -> bool:
    """Whether it is a setting, or a report that commands make again where it is missing."""
    return name.startswith(("audits/", "miners/", "settings/")) or "/comparisons/" in name


def local_files(root: Path) -> dict[str, LocalFile]:
    """The files of a store on this machine that are kept on its server, by path in the store."""
    files, warehouse = dict(_files(root)), root / WAREHOUSE
    return files | ({WAREHOUSE: LocalFile.of(warehouse.stat())} if warehouse.is_file() else {})


def _files(root: Path) -> Iterator[tuple[str, LocalFile]]:
    waiting = list(FOLDERS)
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(root / folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name)
            elif entry.is_file() and is_kept(name):
                # gone by now: a process of this machine replaced or removed it
                with suppress(FileNotFoundError):
                    yield name, LocalFile.of(entry.stat())
