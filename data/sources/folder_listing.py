"""List a folder of sources: shards, cached images, and unfinished downloads.

Links are followed, as the Hugging Face client's cache consists of them; each folder is entered
once, so that a loop ends. The order is by depth, then by name, whatever the disk's order is.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PARQUET_SUFFIX = ".parquet"
# The validator looks at no other suffixes.
IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png")

# Suffixes of unfinished downloads (Hugging Face's client, wget, browsers).
_UNFINISHED_SUFFIXES = (".incomplete", ".part", ".crdownload", ".download")
# Where the Hugging Face client keeps unfinished downloads of `--local-dir`.
_HF_DOWNLOADS = Path(".cache", "huggingface", "download")


@dataclass(frozen=True)
class SourceFiles:
    """The source files below a folder, those in the fewest folders first, without hidden folders.

    A broken link counts as the file that it names. A file to which several links of one name lead
    is listed once. `unreadable` are folders that may not be listed.
    """

    shards: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    unfinished: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def source_files(folder: Path) -> SourceFiles:
    """List a folder; an empty list where there is none."""
    files = SourceFiles()
    seen: set[tuple[str, int, int]] = set()
    for entry, status in _files(folder, files.unreadable):
        kind = _kind(entry.name, files)
        if kind is None:
            continue
        if status is not None:
            identity = (entry.name, status.st_dev, status.st_ino)
            # opening a pipe would wait for ever
            if identity in seen or not stat.S_ISREG(status.st_mode):
                continue
            seen.add(identity)
        kind.append(Path(entry.path))
    files.unfinished.extend(sorted((folder / _HF_DOWNLOADS).rglob("*.incomplete")))
    return files


def listing_sha256(folder: Path) -> str:
    """A hash of the names, sizes and times of all files below a folder, to notice changes.

    It is the same however the folder's own path is written.
    """
    digest = hashlib.sha256()
    for entry, status in _files(folder, []):
        words = [os.path.relpath(entry.path, folder)]
        if status is not None:
            words += [str(status.st_mtime_ns), str(status.st_size)]
        digest.update("\0".join(words).encode(errors="surrogateescape") + b"\n")
    return digest.hexdigest()


def _kind(name: str, files: SourceFiles) -> list[Path] | None:
    if name.endswith(PARQUET_SUFFIX):
        return files.shards
    if name.endswith(IMAGE_SUFFIXES):
        return files.images
    return files.unfinished if name.endswith(_UNFINISHED_SUFFIXES) else None


def _files(
    folder: Path, unreadable: list[Path]
) -> Iterator[tuple[os.DirEntry[str], os.stat_result | None]]:
    """All files, level by level, each in order of names; status None for a broken link."""
    level, entered = [str(folder)], set[tuple[int, int]]()
    while level:
        below: list[str] = []
        for folder_path in level:
            try:
                reached = os.stat(folder_path)  # noqa: PTH116  (thousands of files: text is faster)
                if (reached.st_dev, reached.st_ino) in entered:
                    continue
                entered.add((reached.st_dev, reached.st_ino))
                entries = sorted(os.scandir(folder_path), key=lambda entry: entry.name)
            except FileNotFoundError:
                continue
            except OSError:
                unreadable.append(Path(folder_path))
                continue
            for entry in entries:
                status = _status(entry)
                if status is None or not stat.S_ISDIR(status.st_mode):
                    yield entry, status
                elif not entry.name.startswith("."):
                    below.append(entry.path)
        level = below


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """The status of an entry's target; None for a broken link or one to itself."""
    try:
        return entry.stat()
    except OSError:
        return None
