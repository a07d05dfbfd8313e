"""The names by which a store refers to log files: base names, with folders where they clash."""

import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path


def path_text(path: Path) -> str:
    """A path as UTF-8 text, different for different paths.

    A byte that is no UTF-8, legal in a file's name, becomes an escape (`run-\\xff.wandb`).
    """
    try:
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return str(path)  # a name in a store that this process's locale cannot encode


def file_names(paths: Sequence[Path]) -> list[str]:
    """The name of each file in the store: its base name, or enough of its folders to be unique.

    Files of equal base name all get the same number of folders: the fewest that differ for all.
    """
    names = [path_text(Path(path.name)) for path in paths]
    for indices in _clashing(names):
        parts = [path.parts for path in map(paths.__getitem__, indices)]
        depth = _distinguishing_depth(parts)
        for index, of_path in zip(indices, parts, strict=True):
            names[index] = _tail(of_path, depth)
    return names


def _clashing(names: Iterable[str]) -> list[list[int]]:
    indices: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        indices.setdefault(name, []).append(index)
    return [group for group in indices.values() if len(group) > 1]


def _distinguishing_depth(parts: Sequence[tuple[str, ...]]) -> int:
    """The least number of last parts by which all paths differ, or that of the longest path."""

    def differ(depth: int) -> bool:
        return len({of_path[-depth:] for of_path in parts}) == len(parts)

    depths = range(2, max(2, *map(len, parts)))
    return 2 + bisect_left(depths, True, key=differ)


def _tail(parts: tuple[str, ...], depth: int) -> str:
    return path_text(Path(*parts[-depth:])).removeprefix("/")
