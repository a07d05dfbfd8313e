"""Members of an archive as paths that never exist: their names are names, never places.

What a member holds lies in a scratch file with a number for a name. Its path has the member's name,
and opens that file; so a name such as `../../etc/passwd` has nowhere to lead.
"""

import errno
import filecmp
import os
import re
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PosixPath
from typing import Any, ClassVar, NoReturn

from data.archives.scratch import scratch_folder
from data.atomic_files import write_error
from data.settings import setting

# stands behind the archive's name in a path: `/logs/old.zip!/run-1/x.jsonl`
MARK = "!"
_MOST_NAME = 1024
_MOST_PARTS = 32  # of a name: each folder of it is kept
_MOST_NAME_SHOWN = 100
_MOST_KINDS_SHOWN = 10
_SEPARATORS = re.compile(r"[/\\]")
_SUFFIXES = re.compile(r"\.(?:zip|tgz|tar(?:\.(?:gz|zst|bz2))?)$", re.IGNORECASE)
_Key = tuple[str, ...]


@dataclass(frozen=True)
class ArchiveSettings:
    """Bounds on what is unpacked of one archive; what came before a bound is kept."""

    members: int = setting(500_000, "The most members.", least=1)
    expansion: int = setting(200, "The most times its own size.", least=1)
    free_bytes: int = setting(64 * 2**20, "So many bytes of any archive are unpacked.", least=0)
    bytes_left: int = setting(2**30, "Bytes of the disk that stay free.", least=0)


class BoundError(OSError):
    """An archive holds more than the bounds allow."""


class MemberPath(PosixPath):
    """The path of a member or folder of an archive; each archive has a class of its own.

    It can be opened, listed and asked for what it is, as a path of files is; `os.fspath` is the
    scratch file that holds a member's content.
    """

    unpacked: ClassVar["Unpacked"]

    def __fspath__(self) -> str:
        """The file that holds the content; for a folder an empty one."""
        return self.unpacked.place(self)

    def iterdir(self) -> Generator["MemberPath", None, None]:
        """The members directly in a folder, in no order."""
        yield from (self / name for name in self.unpacked.names_in(self))

    def resolve(self, strict: bool = False) -> Any:
        """Itself: there are no links to follow."""
        return self


class Unpacked:
    """What was unpacked of an archive, in a scratch folder that goes with this or with `close`.

    `logs_found` is for who looks for logs in it: how many there are.
    """

    def __init__(
        self,
        archive: Path,
        settings: ArchiveSettings = ArchiveSettings(),
        scratch: Path | None = None,
    ) -> None:
        """Begin without members.

        Args:
            archive: its path.
            settings: bounds.
            scratch: a folder for scratch folders alone; None: the system's temporary folder.

        Raises:
            OSError: the archive cannot be looked at.
            WriteError: there is no room for scratch files.
        """
        self.archive = archive.resolve()
        self.problems: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self.settings = settings
        self._left = max(settings.free_bytes, settings.expansion * archive.stat().st_size)
        self._root = scratch or Path(tempfile.gettempdir())
        with self._as_write_error():
            self._home = scratch_folder(scratch) if scratch else None
            home = self._home.path if self._home else None
            self._scratch = Path(tempfile.mkdtemp(prefix="streetreplay-", dir=home))
            self.close = weakref.finalize(self, _remove, self._scratch, os.getpid())
            self._folder = self._scratch / "folder"
            self._folder.mkdir()
        self._files: dict[_Key, Path] = {}
        self._folders: dict[_Key, set[str]] = {(): set()}
        self._count = 0
        self.logs_found = 0
        of_archive = type("MemberPath", (MemberPath,), {"unpacked": self})
        self.root: MemberPath = of_archive(f"{self.archive}{MARK}")

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Keep a member's content; the part before an error too, which is raised again.

        Raises:
            BoundError: the archive holds too much.
            OSError: what `chunks` raises.
            WriteError: the disk is full.
        """
        self._count += 1
        if self._count > self.settings.members:
            raise BoundError(f"more than {self.settings.members} members")
        self._check_room()
        place = self._scratch / str(self._count)
        try:
            self._write(place, chunks)
        finally:
            self._name(name, place)

    def link(self, name: str, target: str) -> None:
        """Give a member a second name, as a hard link does."""
        if (place := self._files.get(_key(target))) is not None:
            self._name(name, place)

    def report(self, problem: str, name: str = "") -> None:
        """Count something that is not read, and remember the first member that it befell.

        Args:
            problem: its kind, one of a few: no words of the archive.
            name: of the member.
        """
        self.problems[problem] += 1
        self._first.setdefault(problem, name[:_MOST_NAME_SHOWN])

    def described(self) -> str:
        """The kinds of problems in one line: the first ones and the last, which may end it all."""
        kinds = list(self.problems)
        if (more := len(kinds) - _MOST_KINDS_SHOWN) > 0:
            kinds[_MOST_KINDS_SHOWN - 1 : -1] = []
        shown = ", ".join(map(self._described, kinds))
        return f"{shown}, and {more} more kinds of problems" if more > 0 else shown

    def _described(self, problem: str) -> str:
        count, first = self.problems[problem], self._first[problem]
        times = f"{count} x " if count > 1 else ""
        return f"{times}{problem} ({first})" if first else problem

    def place(self, path: MemberPath) -> str:
        """Where the content of a path lies; a place where nothing is for one that is none."""
        if (key := self._inside(path)) is None:
            return str(path)
        if key in self._folders:
            return str(self._folder)
        return str(self._files.get(key, self._scratch / "nothing"))

    def names_in(self, path: MemberPath) -> list[str]:
        """The names in a folder.

        Raises:
            OSError: it is no folder.
        """
        key = self._inside(path)
        if key is None or key not in self._folders:
            _raise(errno.ENOENT if key not in self._files else errno.ENOTDIR, path)
        return sorted(self._folders[key])

    def _inside(self, path: MemberPath) -> _Key | None:
        depth = len(self.root.parts)
        return path.parts[depth:] if path.parts[:depth] == self.root.parts else None

    def _write(self, place: Path, chunks: Iterable[bytes]) -> None:
        with self._as_write_error():
            # a buffer would be written when the file is closed, as if reading had failed
            file = place.open("xb", buffering=0)
        with file:
            for chunk in chunks:
                self._check_room()
                self._left -= len(chunk)
                if self._left < 0:
                    raise BoundError(f"more than {self.settings.expansion} times its size")
                left = memoryview(chunk)
                with self._as_write_error():
                    while left:
                        left = left[file.write(left) :]

    def _check_room(self) -> None:
        with self._as_write_error():
            if shutil.disk_usage(self._scratch).free < (least := self.settings.bytes_left):
                raise OSError(f"less than {least / 1e9:.2g} GB left on the disk to unpack archives")

    @contextmanager
    def _as_write_error(self) -> Iterator[None]:
        """Tell a full disk from a damaged archive: with more room the archive can be read."""
        try:
            yield
        except OSError as error:
            raise write_error(self._root, error) from error

    def _name(self, name: str, place: Path) -> None:
        key = _key(name)
        if not key or len(name) > _MOST_NAME:
            self.report("members without a name that can be kept", name)
            return
        if len(key) > _MOST_PARTS:
            self.report(f"members more than {_MOST_PARTS - 1} folders deep", name)
            return
        if key in self._folders or any(key[:depth] in self._files for depth in range(1, len(key))):
            self.report("members with the name of a folder", name)
            return
        before = self._files.get(key)
        if before is not None and not filecmp.cmp(before, place, shallow=False):
            self.report("members whose name stands again behind them; the last is read", name)
        self._files[key] = place
        for depth, part in enumerate(key):
            self._folders.setdefault(key[:depth], set()).add(part)


def folder_name(folder: Path) -> str:
    """The name of a folder; of an archive's own folder that of the archive, without its suffix."""
    name = folder.name
    return _SUFFIXES.sub("", name.removesuffix(MARK)) if name.endswith(MARK) else name


def _key(name: str) -> _Key:
    """The parts of a member's name, without those that lead elsewhere."""
    parts = _SEPARATORS.split(name.replace("\0", "\ufffd"))
    return tuple(part for part in parts if part not in ("", ".", ".."))


def _raise(number: int, path: Path) -> NoReturn:
    raise OSError(number, os.strerror(number), str(path))


def _remove(scratch: Path, process: int) -> None:
    if os.getpid() == process:  # not in a process that was forked off
        shutil.rmtree(scratch, ignore_errors=True)
