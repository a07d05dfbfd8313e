"""Names of log files in a store: as short as they can be and still differ."""

import os
from pathlib import Path

from data.logs.file_names import file_names, path_text


def test_names_are_as_many_folders_as_tell_files_apart() -> None:
    paths = [Path("/a/b/x"), Path("/c/b/x"), Path("/y"), Path("/d/b/x")]
    assert file_names(paths) == ["a/b/x", "c/b/x", "y", "d/b/x"]
    assert file_names([Path("/x"), Path("/a/x")]) == ["x", "a/x"]
    assert file_names([Path("/a/x"), Path("/b/x")]) == ["a/x", "b/x"]
    assert file_names([Path("/x/x"), Path("/x/x/x")]) == ["x/x", "x/x/x"]


class _CountedPath(type(Path())):  # type: ignore[misc]
    """A path that counts how often its parts are asked for."""

    asked = 0

    @property
    def parts(self) -> tuple[str, ...]:
        _CountedPath.asked += 1
        return tuple(super().parts)

    def __eq__(self, other: object) -> bool:
        _CountedPath.asked += 1
        return bool(super().__eq__(other))

    __hash__ = Path.__hash__


def test_many_files_of_one_name_are_named_in_proportion() -> None:
    paths = [_CountedPath(f"/logs/{k}/a/b/x.jsonl") for k in range(2000)]
    _CountedPath.asked = 0
    assert len(set(file_names(paths))) == 2000
    assert _CountedPath.asked <= 10 * len(paths)


def test_a_name_that_is_no_utf_8_is_text_and_different_from_others() -> None:
    names = [Path(os.fsdecode(b"/a/run-%c.wandb" % byte)) for byte in (0xFE, 0xFF)]
    assert file_names(names) == ["run-\\xfe.wandb", "run-\\xff.wandb"]
    assert path_text(Path("/é/x")) == "/é/x"
