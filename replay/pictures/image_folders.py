"""Where rendered images lie in their folder: at most a thousand files in each.

Up to a thousand images lie in the folder itself. Of more, each lies in a subfolder named after the
first two digits of its challenge's id (`3f/3fa2....jpg`), or, where those would hold too many, in
one of the next two digits inside of that (`3f/a2/3fa2....jpg`), and so on.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 1000

_DIGITS = 2  # of an id, a hash in hexadecimal, that name a subfolder: at most 256 of them
_SUBFOLDER = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")
# As `ImageFolders.paths` names them.
_NAME = re.compile(r"(?P<stem>[0-9a-f]+(-unseen-[0-9]+)?)(-[0-9]{3,})?\.jpg")


@dataclass(frozen=True)
class ImageFolders:
    """A folder of images, and how many levels of subfolders are between it and them.

    `before` are the images that it holds already, by stem: the name without the number of one of
    several possible images, such as `<challenge_id>`.
    """

    out: Path
    levels: int
    before: Mapping[str, Sequence[Path]]

    def paths(self, stem: str, count: int) -> list[Path]:
        """Where the `count` possible images of a challenge belong.

        Args:
            stem: of their names, beginning with the challenge's id.
            count: 1 gives `<stem>.jpg`, more `<stem>-<k>.jpg`.
        """
        folder = self.out.joinpath(*_subfolders(stem, self.levels))
        numbers = [""] if count == 1 else [f"-{k:03d}" for k in range(count)]
        return [folder / f"{stem}{number}.jpg" for number in numbers]

    def delete_others(self, stem: str, kept: Sequence[Path]) -> None:
        """Delete what the folder held of a stem besides what is `kept`."""
        for path in self.before.get(stem, ()):
            if path not in kept:
                path.unlink(missing_ok=True)


def image_folders(out: Path, wanted: Mapping[str, int]) -> ImageFolders:
    """Where images go that are to be written beside those that a folder holds.

    Args:
        out: the folder.
        wanted: the most images that each stem may have; equal ones are written once.
    """
    before = _images_of(out)
    counts = {stem: len(paths) for stem, paths in before.items()} | dict(wanted)
    levels = 0
    deepest = min((_digits(stem) for stem in wanted), default=0) // _DIGITS
    while levels < deepest and _most_in_one(counts, levels) > MOST_FILES:
        levels += 1
    return ImageFolders(out, levels, before)


def _most_in_one(counts: Mapping[str, int], levels: int) -> int:
    """The most images in one folder, so many levels down."""
    in_folder: Counter[tuple[str, ...]] = Counter()
    for stem, count in counts.items():
        in_folder[_subfolders(stem, levels)] += count
    return max(in_folder.values(), default=0)


def _digits(stem: str) -> int:
    """Digits of the id that a stem begins with: no folder is named after more."""
    return len(stem.partition("-")[0])


def _subfolders(stem: str, levels: int) -> tuple[str, ...]:
    return tuple(stem[level * _DIGITS :][:_DIGITS] for level in range(levels))


def _images_of(folder: Path, digits: str = "") -> dict[str, list[Path]]:
    """The images in a folder, and in those below it that are named after their ids' digits."""
    images: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if (name := _NAME.fullmatch(path.name)) is not None:
            if name["stem"].startswith(digits):
                images.setdefault(name["stem"], []).append(path)
        elif _SUBFOLDER.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            for stem, paths in _images_of(path, digits + path.name).items():
                images.setdefault(stem, []).extend(paths)
    return images
