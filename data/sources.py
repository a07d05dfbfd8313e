"""Source images: rows of public parquet shards, or the cached images that a validator made of them.

Both are found by file name in a folder that the user names; a path in a log is never opened.
"""

import base64
import binascii
import bisect
import hashlib
import io
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from data.errors import SourceError
from data.image_cache import IMAGE_SUFFIXES, CachedImages
from data.text import utf8_name

# A validator's cache is written with Pillow's defaults: JPEG at quality 75, 4:2:0.
_LOSSLESS = frozenset({"PNG"})
_FORMATS = ("JPEG", "PNG")  # of the data set and of validators' caches
_CHECKED_COLUMNS = ("id", "gps")
_SUFFIXES = (".parquet", *IMAGE_SUFFIXES)
# A parquet file ends in its footer, the footer's length (4 bytes) and the magic (4 bytes).
_TRAILER = 8


@dataclass(frozen=True)
class SourceRow:
    """One row of a shard: an image file's bytes, and columns that tell whether it is the one."""

    image: bytes
    columns: Mapping[str, Any]


class Shard:
    """One parquet file of the public data set, read by row group and only the columns needed."""

    def __init__(self, path: Path) -> None:
        """Open a shard.

        Raises:
            SourceError: it is no parquet file, or has no image column.
        """
        self.path = path
        try:
            self._file = pq.ParquetFile(utf8_name(path), memory_map=True)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(
                f"shard {path.name}",
                found=str(error).splitlines()[0],
                expected="a parquet file",
                remedy="fetch it again",
            ) from None
        metadata = self._file.metadata
        self.rows: int = metadata.num_rows
        self._starts = [0]
        for group in range(metadata.num_row_groups):
            self._starts.append(self._starts[-1] + metadata.row_group(group).num_rows)
        self._image, self._columns = self._choose_columns()

    def _choose_columns(self) -> tuple[str, list[str]]:
        names = self._file.schema_arrow.names
        # The validator takes the first column whose name contains "image".
        image = next((name for name in names if "image" in name.lower()), None)
        if image is None:
            raise SourceError(
                f"shard {self.path.name}",
                found=f"columns {', '.join(names)}",
                expected="one whose name contains 'image'",
            )
        # Of a struct column only the bytes are read, not the path beside them.
        is_struct = pa.types.is_struct(self._file.schema_arrow.field(image).type)
        return image, [
            f"{image}.bytes" if is_struct else image,
            *(name for name in _CHECKED_COLUMNS if name in names and name != image),
        ]

    @property
    def fingerprint(self) -> str:
        """Hash of the file's size and footer (layout and statistics of every column chunk).

        Tells two versions of a shard apart without reading gigabytes of images.
        """
        with self.path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(size - _TRAILER)
            footer = int.from_bytes(stream.read(4), "little")
            stream.seek(size - _TRAILER - footer)
            return hashlib.sha256(f"{size} ".encode() + stream.read(footer)).hexdigest()

    def group_of(self, row: int) -> int:
        """The row group that holds a row.

        Raises:
            SourceError: the shard has no such row.
        """
        if not 0 <= row < self.rows:
            raise SourceError(
                f"row {row} of {self.path.name}", found=f"{self.rows} rows", expected="the row"
            )
        return bisect.bisect_right(self._starts, row) - 1

    def read_group(self, group: int) -> pa.Table:
        """The columns of a row group that a rebuild needs.

        Raises:
            SourceError: it cannot be read.
        """
        try:
            return self._file.read_row_group(group, columns=self._columns)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(
                f"row group {group} of {self.path.name}",
                found=str(error).splitlines()[0],
                expected="readable parquet data",
                remedy="fetch it again",
            ) from None

    def row_in(self, group: int, table: pa.Table, row: int) -> SourceRow:
        """One row of a row group that `read_group` gave.

        Raises:
            SourceError: the row holds no image bytes.
        """
        found = table.slice(row - self._starts[group], 1).to_pylist()[0]
        return SourceRow(self._bytes(found.pop(self._image), row), found)

    def _bytes(self, value: Any, row: int) -> bytes:
        if isinstance(value, Mapping):
            value = value.get("bytes")
        if isinstance(value, str):
            try:
                value = base64.b64decode(value, validate=True)
            except binascii.Error:
                value = None
        if not isinstance(value, bytes):
            raise SourceError(
                f"image of row {row} of {self.path.name}",
                found="no bytes",
                expected="image bytes, or base64 text",
            )
        return value


class Shards:
    """The parquet shards in a folder and the folders below it, by file name; and cached images.

    A cached image is what the validator used, so it is taken before the shard's row. Of equal names
    the one nearest to the top counts. The last row group stays in memory (100 rows of photographs
    are about 100 MB), so that reading in order of shard and row reads each group once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = _files(folder)
        self.cached = CachedImages(files)
        self._paths: dict[str, Path] = {}
        self.duplicates: list[Path] = []
        for path in files:
            if path.suffix != ".parquet":
                continue
            if self._paths.setdefault(path.name, path) is not path:
                self.duplicates.append(path)
        self._open: dict[str, Shard | SourceError] = {}
        self._held: tuple[str, int, pa.Table] | None = None

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    @property
    def paths(self) -> list[Path]:
        """The files of the shards, in order of their names."""
        return [self._paths[name] for name in sorted(self._paths)]

    def __getitem__(self, name: str) -> Shard:
        """The shard of that file name.

        Raises:
            KeyError: the folder does not hold it.
            SourceError: it cannot be read.
        """
        if name not in self._open:
            try:
                self._open[name] = Shard(self._paths[name])
            except SourceError as error:
                # not opened again for every challenge that names it
                self._open[name] = error
        found = self._open[name]
        if isinstance(found, SourceError):
            raise found
        return found

    def read(self, name: str, row: int) -> SourceRow:
        """One row of the shard of that file name.

        Raises:
            KeyError: the folder does not hold the shard.
            SourceError: the shard cannot be read, or has no such row or no image in it.
        """
        shard = self[name]
        group = shard.group_of(row)
        if self._held is None or self._held[:2] != (name, group):
            self._held = (name, group, shard.read_group(group))
        return shard.row_in(group, self._held[2], row)

    def read_image(self, name: str, row: int) -> tuple[SourceRow, Image.Image]:
        """The image that the validator opened for a row: from its cache, else made of the shard.

        Raises:
            KeyError: the folder holds neither.
            SourceError: it cannot be read, or is no whole image.
        """
        if (name, row) in self.cached:
            source = SourceRow(*self.cached.read(name, row))
            return source, _decode(source.image)
        source = self.read(name, row)
        return source, cached_image(source.image)

    def fingerprints(self, used: Iterable[tuple[str, int]]) -> dict[str, str]:
        """What tells whether (shard, row) sources are the same again: a hash for each shard.

        The cached images among them have one hash together, under `cached images`.

        Raises:
            KeyError: the folder does not hold one of them.
            SourceError: a shard cannot be read.
        """
        wanted = set(used)
        cached = {source for source in wanted if source in self.cached}
        shards = sorted({name for name, _ in wanted - cached})
        found = {name: self[name].fingerprint for name in shards}
        return found | ({"cached images": self.cached.fingerprint(cached)} if cached else {})


def _files(folder: Path) -> list[Path]:
    """The shards and images below a folder, hidden folders left out; nearest to the top first."""
    found: list[tuple[int, str]] = []
    for place, folders, names in os.walk(folder):
        # the Hugging Face client keeps unfinished downloads in one
        folders[:] = [name for name in folders if not name.startswith(".")]
        depth = place.count(os.sep)
        # thousands of images: text is joined and sorted several times faster than paths
        found += [(depth, f"{place}{os.sep}{name}") for name in names if name.endswith(_SUFFIXES)]
    return [Path(path) for _, path in sorted(found)]


def open_shards(folder: Path, *, required: bool = True) -> Shards:
    """The shards and cached images in a folder.

    Raises:
        SourceError: the folder is `required` and does not exist.
    """
    if required and not folder.is_dir():
        raise SourceError(
            str(folder),
            found="no such folder",
            expected="a folder of *.parquet shards or of a validator's cached images",
        )
    return Shards(folder)


def cached_image(source: bytes) -> Image.Image:
    """The image as a validator's cache holds it: decoded, saved with Pillow's defaults, decoded.

    A JPEG is thereby encoded a second time, at quality 75; a PNG stays as it is. EXIF orientation
    is not applied. The mode is kept (grey stays grey).

    Raises:
        SourceError: the bytes are no whole image, or one of more pixels than Pillow deems safe.
    """
    image = _decode(source)
    if image.format in _LOSSLESS:
        return image
    saved = io.BytesIO()
    try:
        image.save(saved, format=image.format)
    except Exception as error:  # noqa: BLE001  (as in _decode)
        found = _words(error)
        raise SourceError("source image", found=found, expected="one to save") from None
    # the first frame may be 36 MB, and is not needed beside the second
    image.close()
    del image
    return _decode(saved.getvalue())


def _words(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"neither {' nor '.join(_FORMATS)}"  # its own words are an address in memory
    return " ".join(str(error).split()) or type(error).__name__


def _decode(raw: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Named formats only: others have decoders that start programs or are little tested.
            image = Image.open(io.BytesIO(raw), formats=_FORMATS)
            image.load()
    # Pillow's decoders raise almost anything on damaged files; bombs are warnings made errors.
    except Exception as error:  # noqa: BLE001
        raise SourceError("source image", found=_words(error), expected="a whole image") from None
    return image
