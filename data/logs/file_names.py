"""The names by which a store refers to log files: base names, with folders where they clash.

A member of an archive, `/logs/old.zip!/run-1/x.jsonl`, has all its name from the archive's on:
`old.zip/run-1/x.jsonl`.
"""

import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path

from data.archives.members import MARK


def path_text(path: Path) -> str:
    """A path as UTF-8 text, different for different paths.

    A byte that is no UTF-8, legal in a file's name, becomes an escape (`run-\\xff.wandb`).
    """
    try:
        return os.fsencode(str(path)).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return str(path)  # a name in a store that this process's locale cannot encode


def file_names(paths: Sequence[Path]) -> list[str]:
    """The name of each file in the store: its base name, or enough of its folders to be unique.

    Files of equal base name all get the same number of folders: the fewest that differ for all.
    """
    parts = [path.parts for path in paths]
    own = [_own_parts(of_path) for of_path in parts]
    names = [_tail(of_path, count) for of_path, count in zip(parts, own, strict=True)]
    for indices in _clashing(names):
        clashing = [parts[index] for index in indices]
        folders = _distinguishing_folders(clashing, [own[index] for index in indices])
        for index in indices:
            names[index] = _tail(parts[index], own[index] + folders)
    return names


def _own_parts(parts: tuple[str, ...]) -> int:
    """How many last parts are a file's own name: one, or all from an archive's name on."""
    of_archive = (place for place, part in enumerate(parts) if part.endswith(MARK))
    return len(parts) - next(of_archive, len(parts) - 1)


def _clashing(names: Iterable[str]) -> list[list[int]]:
    indices: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        indices.setdefault(name, []).append(index)
    return [group for group in indices.values() if len(group) > 1]


def _distinguishing_folders(parts: Sequence[tuple[str, ...]], own: Sequence[int]) -> int:
    """The least number of folders by which all paths differ, or that of the longest path."""

    def differ(folders: int) -> bool:
        tails = {of_path[-count - folders :] for of_path, count in zip(parts, own, strict=True)}
        return len(tails) == len(parts)

    numbers = range(1, max(1, *map(len, parts)))
    return 1 + bisect_left(numbers, True, key=differ)


def _tail(parts: tuple[str, ...], count: int) -> str:
    last = (part.removesuffix(MARK) for part in parts[-count:])
    return path_text(Path(*last)).removeprefix("/")
