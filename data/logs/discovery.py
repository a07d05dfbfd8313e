"""Find the logs under the paths that a person names, and read each by its kind."""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from data.archives.members import MemberPath
from data.archives.unpack import unpack
from data.columnar.clean_record import CleanRecord
from data.columnar.clean_rows import CleanRows
from data.columnar.line_reader import CleanLineReader
from data.errors import LogError
from data.logs.decompression import OnBytes, open_decompressed
from data.logs.downloaded_run import (
    has_media,
    has_settings,
    is_of_run,
    is_settings,
    read_downloaded_run,
    tables_of,
)
from data.logs.file_names import path_text
from data.logs.json_logs import Reached, read_json_log
from data.logs.log_kind import EXPECTED, LogFile, LogKind, log_in_folder, named_log, unread
from data.logs.media_html import media_step, read_media_html
from data.logs.run_folder import has_history
from data.logs.table_logs import is_parquet, is_table_name, read_table
from data.logs.wandb_run import read_wandb_run
from data.progress import no_report
from data.records.types import LogItem, Origin, Reject
from data.terminal import note
from data.text import printable

_RUN_FOLDERS = frozenset({"files", "logs", "tmp"})
# Folders of folders; each level is one of the stack, which Python bounds.
_MOST_DEPTH = 64


def _never(_: Path) -> bool:
    return False


@dataclass(frozen=True)
class _Walk:
    """Where a walk over folders is: so many folders deep, after those that it has `seen`.

    Archives are unpacked under `scratch`, but for those that are known.
    """

    scratch: Path | None
    is_known: Callable[[Path], bool] = _never
    seen: set[Path] = field(default_factory=set)
    depth: int = 0


def find_logs(
    paths: Iterable[Path],
    scratch: Path | None = None,
    is_known: Callable[[Path], bool] = _never,
) -> list[LogFile]:
    """Every log at or under `paths`, each once, folders in order of name.

    A file of a form that is not read, and a folder that may not be read, are listed too, as
    `LogKind.UNREAD`: reading them gives a reject.

    Args:
        paths: files and folders.
        scratch: a folder for what is unpacked of archives, and for nothing else; None: the system's
            temporary folder.
        is_known: tells an archive that need not be unpacked; it is listed itself.

    Raises:
        LogError: a path does not exist, or holds nothing that can be read.
        WriteError: there is no room to unpack an archive.
    """
    logs: dict[Path, LogFile] = {}
    for path in paths:
        at_path = list(_logs_at(path, _Walk(scratch, is_known)))
        if not at_path:
            raise LogError(path_text(path), found="no log in this folder", expected=EXPECTED)
        logs.update((log.path.resolve(), log) for log in at_path)
    if all(log.kind is LogKind.UNREAD for log in logs.values()):
        first = next(iter(logs.values()))
        others = f" (and {len(logs) - 1} more that are not read)" if len(logs) > 1 else ""
        raise LogError(f"{path_text(first.path)}: {first.reason.removeprefix('log: ')}{others}")
    return list(logs.values())


def _logs_at(path: Path, walk: _Walk) -> Iterator[LogFile]:
    """The logs at or under one path that a person names."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise LogError(
            path_text(path), found=error.strerror, expected="a log file or folder"
        ) from None
    if stat.S_ISDIR(mode):
        yield from _logs_under(path, walk)
    elif stat.S_ISREG(mode):
        yield from _logs_in(named_log(path), walk)
    else:
        raise LogError(path_text(path), found="a pipe or device", expected="a log file or folder")


def _logs_under(folder: Path, walk: _Walk) -> Iterator[LogFile]:
    """The logs in a folder and below it; one that was seen is skipped, so links cannot loop."""
    resolved = folder.resolve()
    if resolved in walk.seen:
        return
    walk.seen.add(resolved)
    if walk.depth > _MOST_DEPTH:
        yield unread(folder, f"a folder {walk.depth} folders deep", f"at most {_MOST_DEPTH}")
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield unread(folder, error.strerror, "a folder that may be read")
        return
    logs = _logs_among(folder, entries, walk)
    first = next(logs, None)
    if first is not None:
        yield first
        yield from logs
    elif has_settings(folder):
        # a run that lost its media: reading it reports what is missing
        yield LogFile(folder, LogKind.RUN_FOLDER)


def _logs_among(folder: Path, entries: list[Path], walk: _Walk) -> Iterator[LogFile]:
    is_run = any(entry.suffix == ".wandb" for entry in entries)
    is_downloaded = not is_run and (has_media(folder) or has_history(folder))
    has_tables = not is_run and (is_downloaded or has_settings(folder)) and bool(tables_of(folder))
    if is_downloaded or has_tables:
        yield LogFile(folder, LogKind.RUN_FOLDER)
    images = 0
    for entry in entries:
        if is_settings(entry.name) or (is_downloaded and is_of_run(entry.name)):
            continue
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):  # a broken link is no log
                yield unread(entry, error.strerror, "a file or folder that may be read")
            continue
        if stat.S_ISDIR(mode):
            # What lies in these folders of a run (media, summaries) belongs to the run.
            if not (is_run and entry.name.lower() in _RUN_FOLDERS):
                yield from _logs_under(entry, replace(walk, depth=walk.depth + 1))
        elif stat.S_ISREG(mode):
            log = log_in_folder(entry)
            # a table beside a run's media or settings is its history, which it reads itself
            if log and not (has_tables and is_table_name(entry.name)):
                yield from _logs_in(log, walk)
            images += not log and is_parquet(entry)
    if images:
        note(f"{path_text(folder)}: {images} Parquet files of images passed over: no logs")


def _logs_in(log: LogFile, walk: _Walk) -> Iterator[LogFile]:
    """A log itself; of an archive its logs, and the archive where some of it cannot be read."""
    if log.kind is not LogKind.ARCHIVE:
        yield log
        return
    if isinstance(log.path, MemberPath):
        yield unread(log.path, "an archive inside an archive", remedy="unpack the outer one first")
        return
    if walk.is_known(log.path):
        yield log
    else:
        yield from logs_in_archive(log.path, walk.scratch)


def logs_in_archive(path: Path, scratch: Path | None) -> list[LogFile]:
    """The logs in an archive, and itself where some of it cannot be read; `scratch` as above."""
    try:
        unpacked = unpack(path, open_decompressed, scratch=scratch)
    except OSError as error:
        return [unread(path, error.strerror or error, "an archive that may be unpacked")]
    logs = list(_logs_under(unpacked.root, _Walk(scratch)))
    if unpacked.problems:
        logs.append(unread(path, unpacked.described(), "a whole archive; the rest of it is read"))
    unpacked.logs_found = len(logs)
    return logs or [unread(path, "no log in this archive")]


def read_log(
    log: LogFile,
    file: str,
    clean: CleanLineReader | None = None,
    reached: Reached | None = None,
    on_bytes: OnBytes = no_report,
) -> Iterator[LogItem | CleanRecord | CleanRows]:
    """Read every item of a log.

    Args:
        log: the log.
        file: its name in the store.
        clean: takes the records that it can, of lines and media files; they are `CleanRecord`,
            or `CleanRows` of many.
        reached: where to go on in a log of JSON lines that grew.
        on_bytes: called with the bytes of a JSON log as they are read.

    Raises:
        LogError: the file cannot be opened at all.
    """
    if log.kind is LogKind.UNREAD:
        yield Reject(Origin(file, None), printable(log.reason), "")
    elif log.kind is LogKind.RUN_FOLDER:
        yield from read_downloaded_run(log.path, file, clean)
    elif log.kind is LogKind.WANDB:
        yield from read_wandb_run(log.path, file, clean)
    elif log.kind is LogKind.TABLE:
        yield from read_table(log.path, file)
    elif log.kind is LogKind.HTML:
        yield read_media_html(log.path, file, step=media_step(log.path.name), clean=clean)
    else:
        yield from read_json_log(Path(os.fspath(log.path)), file, clean, reached, on_bytes)
