"""Which logs there are under the paths that a person names, and how each is read."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from data.errors import LogError
from data.json_logs import read_json_log
from data.media_html import media_step, read_media_html
from data.records import LogItem
from data.text import storable
from data.wandb_log import is_transaction_log
from data.wandb_run import read_wandb_run

# What a folder is searched for; a file that is named itself may have any name.
_JSON_NAMES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_HTML_NAMES = (".html", ".htm")
_RUN_FOLDERS = frozenset({"files", "logs", "tmp"})
_UNREAD = {
    b"\x28\xb5\x2f\xfd": "zstd data",
    b"PAR1": "a Parquet table",
    b"PK\x03\x04": "a zip archive",
}


class LogKind(StrEnum):
    """The forms of a log that can be read."""

    JSON = "json"
    HTML = "html"
    WANDB = "wandb"


@dataclass(frozen=True)
class LogFile:
    """One log to read. A W&B run is named by its transaction log, `run-<id>.wandb`."""

    path: Path
    kind: LogKind


def find_logs(paths: Iterable[Path]) -> list[LogFile]:
    """Every log at or under `paths`, each once, folders in order of name.

    Raises:
        LogError: a path does not exist, or holds nothing that could be a log.
    """
    found: dict[Path, LogFile] = {}
    seen: set[Path] = set()
    for path in paths:
        logs = list(_logs_under(path, seen)) if path.is_dir() else [_log(path)]
        if not logs:
            expected = "a W&B run folder, *.json, *.jsonl (.gz) or *.html"
            raise LogError(str(path), found="no log in this folder", expected=expected)
        found.update((log.path.resolve(), log) for log in logs)
    return list(found.values())


def _logs_under(folder: Path, seen: set[Path]) -> Iterator[LogFile]:
    """The logs in a folder and below it; `seen` folders are passed over, so links cannot loop."""
    resolved = folder.resolve()
    if resolved in seen:
        return
    seen.add(resolved)
    entries = sorted(folder.iterdir())
    is_run = any(entry.suffix == ".wandb" for entry in entries)
    for entry in entries:
        name = entry.name.lower()
        if entry.is_dir():
            # What lies in these folders of a run (media, summaries) belongs to the run.
            if not (is_run and name in _RUN_FOLDERS):
                yield from _logs_under(entry, seen)
        elif not entry.is_file():
            continue  # a pipe, a device, a link to nowhere
        elif entry.suffix == ".wandb":
            yield LogFile(entry, LogKind.WANDB)
        elif name.endswith(_JSON_NAMES):
            yield LogFile(entry, LogKind.JSON)
        elif name.endswith(_HTML_NAMES):
            yield LogFile(entry, LogKind.HTML)


def _log(path: Path) -> LogFile:
    if path.exists() and not path.is_file():
        raise LogError(str(path), found="a pipe or device", expected="a log file or folder")
    try:
        if is_transaction_log(path) or path.suffix == ".wandb":
            return LogFile(path, LogKind.WANDB)
        with path.open("rb") as stream:
            start = stream.read(64).lstrip()
    except OSError as error:
        raise LogError(str(path), found=error.strerror, expected="a log file or folder") from None
    for magic, found in _UNREAD.items():
        if start.startswith(magic):
            expected = "JSON, JSON lines (also .gz), W&B media HTML or a W&B run folder"
            raise LogError(str(path), found=found, expected=expected)
    return LogFile(path, LogKind.HTML if start.startswith(b"<") else LogKind.JSON)


def read_log(log: LogFile, file: str) -> Iterator[LogItem]:
    """Read a log whole; `file` is its name in the store.

    Raises:
        LogError: the file cannot be opened at all.
    """
    if log.kind is LogKind.WANDB:
        yield from read_wandb_run(log.path, file)
    elif log.kind is LogKind.HTML:
        yield read_media_html(log.path, file, step=media_step(log.path.name))
    else:
        yield from read_json_log(log.path, file)


def file_digest(log: Path) -> str:
    """SHA-256 of a log file's bytes: tells equal files under two paths from different ones.

    Empty for a file that cannot be read; reading it will say why.
    """
    try:
        with log.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def file_names(paths: Sequence[Path]) -> list[str]:
    """The name of each file in the store: its base name, or enough of its folders to be unique.

    Files of equal base name all get the same number of folders: the least that tells them apart.
    """
    names = [storable(path.name) for path in paths]
    for path_group in _clashing(paths, names):
        depth = 1
        while depth < max(len(path.parts) for path in path_group):
            depth += 1
            if len({_tail(path, depth) for path in path_group}) == len(path_group):
                break
        for index, path in enumerate(paths):
            if path in path_group:
                names[index] = _tail(path, depth)
    return names


def _clashing(paths: Sequence[Path], names: Sequence[str]) -> list[list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path, name in zip(paths, names, strict=True):
        groups.setdefault(name, []).append(path)
    return [group for group in groups.values() if len(group) > 1]


def _tail(path: Path, parts: int) -> str:
    return storable("/".join(path.parts[-parts:]).removeprefix("//"))
