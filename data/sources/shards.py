"""Find and read source images: rows of public parquet shards, or a validator's cached images.

Both are found by file name in a folder that the user names; a path in a log is never opened.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from data.errors import SourceError
from data.sources.folder_listing import PARQUET_SUFFIX, source_files
from data.sources.shard import Shard, SourceRow
from data.sources.source_path import SourcePath, source_folder
from data.sources.validator_cache import CachedImages, read_cached


@dataclass(frozen=True)
class SourceLocation:
    """Where a source image is kept: in a cached image, or at a position of a shard."""

    cached: SourcePath | None = None
    shard: Shard | None = None
    position: int = 0


class Shards:
    """The parquet shards in a folder and the folders below it, by file name; and cached images.

    A cached image is what the validator used, so it goes before the shard's row. Several files may
    bear one name: copies, or revisions of the data set. Then each that differs is a location where
    the image may be, and who knows the record chooses. The last row group of each stays in memory
    (100 rows of photographs are about 100 MB), so that reading in order of shard and row reads each
    group once.
    """

    def __init__(self, folder: SourcePath) -> None:
        """List a folder; of this machine it may be missing.

        Raises:
            SourceError: a server holds no file there.
            SourceAccessError: a server does not answer, or refuses.
        """
        self.folder = folder
        files = source_files(folder)
        self.cached = CachedImages(files.images)
        self.unfinished, self.unreadable = files.unfinished, files.unreadable
        self._paths: dict[str, list[SourcePath]] = {}
        for path in files.shards:
            self._paths.setdefault(path.name, []).append(path)
        self._opened: dict[SourcePath, Shard | SourceError] = {}
        self._copies: dict[str, list[Shard]] = {}
        self._last_groups: dict[SourcePath, tuple[int, pa.Table]] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    @property
    def names(self) -> list[str]:
        """The shards' file names, in order."""
        return sorted(self._paths)

    @property
    def paths(self) -> list[SourcePath]:
        """The first file of each name, in order of names."""
        return [self._paths[name][0] for name in self.names]

    @property
    def duplicates(self) -> list[SourcePath]:
        """All further files, cached images too: used where they match a record better."""
        others = [path for name in self.names for path in self._paths[name][1:]]
        return others + self.cached.duplicates

    def files(self, name: str) -> list[SourcePath]:
        """The files of a shard's name, those in the fewest folders first.

        Raises:
            KeyError: the folder holds none.
        """
        return self._paths[name]

    def open(self, path: SourcePath) -> Shard:
        """Open one of the shard files, once.

        Raises:
            SourceError: it cannot be read.
        """
        if path not in self._opened:
            try:
                self._opened[path] = Shard(path)
            except SourceError as error:
                # so that it is not opened again for every challenge that names it
                self._opened[path] = error
        opened = self._opened[path]
        if isinstance(opened, SourceError):
            raise opened
        return opened

    def check(self, path: SourcePath) -> Shard:
        """Open one of the shard files and read a row of it; one that fails is not opened again.

        Raises:
            SourceError: it cannot be read.
        """
        shard = self.open(path)
        try:
            shard.check()
        except SourceError as error:
            self._opened[path] = error
            self._copies.pop(path.name, None)
            raise
        return shard

    def copies(self, name: str) -> list[Shard]:
        """The readable shards of a file name that differ, those in the fewest folders first.

        At equal depth in order of content, so that neither folder names nor the disk matter.

        Raises:
            KeyError: the folder holds none.
            SourceError: none can be read.
        """
        if name not in self._copies:
            self._copies[name] = self._different_copies(self._paths[name])
        return self._copies[name]

    def _different_copies(self, paths: list[SourcePath]) -> list[Shard]:
        readable: list[Shard] = []
        errors: list[SourceError] = []
        for path in paths:
            try:
                readable.append(self.open(path))
            except SourceError as error:
                errors.append(error)
        if not readable:
            raise errors[0]
        if len(readable) == 1:  # its fingerprint, which costs a read, is not needed
            return readable
        readable.sort(key=lambda shard: (len(shard.path.parts), shard.fingerprint))
        by_content: dict[str, Shard] = {}
        for shard in readable:
            by_content.setdefault(shard.fingerprint, shard)
        return list(by_content.values())

    def __getitem__(self, name: str) -> Shard:
        """The first of the shards of that file name.

        Raises:
            KeyError: the folder does not hold it.
            SourceError: it cannot be read.
        """
        return self.copies(name)[0]

    def locations(self, name: str, row: int) -> list[SourceLocation]:
        """The locations of a row's image: cached images, else the rows of that label in each copy.

        Args:
            name: of a shard.
            row: the label by which a log names it.

        Raises:
            KeyError: the folder holds neither a cached image nor the shard.
            SourceError: no shard of that name can be read.
        """
        if cached := self.cached.paths(name, row):
            return [SourceLocation(cached=path) for path in cached]
        return [
            SourceLocation(shard=shard, position=position)
            for shard in self.copies(name)
            for position in shard.positions(row)
        ]

    def read_at(self, location: SourceLocation) -> SourceRow:
        """The row at a location.

        Raises:
            SourceError: it cannot be read, or holds no image.
        """
        if location.cached is not None:
            return SourceRow(*read_cached(location.cached))
        if location.shard is None:
            raise ValueError("a location without a cached image or a shard")
        shard, group = location.shard, location.shard.group_of(location.position)
        last = self._last_groups.get(shard.path)
        if last is None or last[0] != group:
            # row groups of shards of another name are dropped
            name = shard.path.name
            self._last_groups = {
                path: numbered for path, numbered in self._last_groups.items() if path.name == name
            }
            last = self._last_groups[shard.path] = (group, shard.read_group(group))
        return shard.row_in(group, last[1], location.position)

    def read(self, name: str, row: int) -> SourceRow:
        """The row of a label in the first shard of a file name; cached images are not used.

        Raises:
            KeyError: the folder does not hold the shard.
            SourceError: the shard cannot be read, or has no such row or no image in it.
        """
        shard = self[name]
        positions = shard.positions(row)
        if not positions:
            raise SourceError(
                f"row {row} of {name}", found=f"{shard.rows} rows, none of them it", expected="it"
            )
        return self.read_at(SourceLocation(shard=shard, position=positions[0]))

    def fingerprints(self, used: Iterable[tuple[str, int]]) -> dict[str, str]:
        """A hash for each shard of some (shard, row) sources, by which changed sources are noticed.

        Cached images among them have one hash together, under `cached images`.

        Raises:
            KeyError: the folder does not hold one of them.
            SourceError: a shard cannot be read.
        """
        wanted = set(used)
        cached = {source for source in wanted if source in self.cached}
        shards = sorted({name for name, _ in wanted - cached})
        by_shard = {name: self._fingerprint(name) for name in shards}
        return by_shard | ({"cached images": self.cached.fingerprint(cached)} if cached else {})

    def _fingerprint(self, name: str) -> str:
        """A hash of all copies that differ, in their order: any may be the one that matches."""
        hashes = [shard.fingerprint for shard in self.copies(name)]
        return (
            hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()
        )

    def unfinished_download(self, name: str) -> SourcePath | None:
        """The unfinished download of a shard, if there is one."""
        begins = name.removesuffix(PARQUET_SUFFIX) + PARQUET_SUFFIX + "."
        return next((path for path in self.unfinished if path.name.startswith(begins)), None)


def open_shards(sources: SourcePath | str, *, required: bool = True) -> Shards:
    """The shards and cached images in a folder.

    Args:
        sources: the folder; as text a path or a URL, see `source_folder`.
        required: whether a folder of this machine has to be there.

    Raises:
        SourceError: the folder is `required` and does not exist; a server holds no file there; or
            nothing here reads such a URL.
        SourceAccessError: the server does not answer, or refuses.
    """
    folder = source_folder(sources) if isinstance(sources, str) else sources
    if required and isinstance(folder, Path) and not folder.is_dir():
        raise SourceError(
            str(folder),
            found="no such folder",
            expected="a folder of *.parquet shards or of a validator's cached images",
        )
    return Shards(folder)
