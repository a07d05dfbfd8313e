"""Read one shard of the public data set, a parquet file, as the validator does (DOMAIN.md §1).

The validator iterates over `pyarrow.parquet.read_table(file).to_pandas()`. Here only the needed row
groups and columns are read, without pandas; rows and labels are the same.
"""

import base64
import bisect
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from data.errors import FieldError, SourceError, StreetReplayError
from data.records import values
from data.sources.not_parquet import shard_error
from data.sources.parquet_file import parquet_file
from data.sources.remote_file import RemoteFile
from data.sources.source_path import SourcePath

_CHECKED_COLUMNS = ("id", "gps")
# A parquet file ends in its footer, the footer's length (4 bytes) and the magic (4 bytes).
_TRAILER = 8
_IMAGE_STARTS = (b"\xff\xd8", b"\x89PNG")


@dataclass(frozen=True)
class SourceRow:
    """One row of a shard: the image file's bytes, and the columns by which a record is matched."""

    image: bytes
    columns: Mapping[str, Any]


class Shard:
    """One parquet file of the public data set, read by row group and only the columns needed.

    Each row has a 0-based position, and a label by which logs name it: that of the pandas index if
    the file stores one, else the position.
    """

    def __init__(self, path: SourcePath) -> None:
        """Open a shard.

        Raises:
            SourceError: it is no parquet file, or has no column of images.
            SourceAccessError: a server does not answer, or refuses; also of all that reads later.
        """
        self.path = path
        self.source = path if isinstance(path, Path) else RemoteFile(path)
        try:
            self._file = parquet_file(self.source)
        except StreetReplayError:
            raise
        except Exception as error:  # noqa: BLE001  (readers raise almost anything on damaged files)
            raise shard_error(path, error) from None
        metadata = self._file.metadata
        self.rows: int = metadata.num_rows
        self._starts = [0]
        for group in range(metadata.num_row_groups):
            self._starts.append(self._starts[-1] + metadata.row_group(group).num_rows)
        with self._reading("columns"):
            self._index = _index_levels(self._file.schema_arrow, self.rows)
            self._image, self._key, self._columns = self._choose_columns()

    def _choose_columns(self) -> tuple[str, str | None, list[str]]:
        """The column of images, the key of its struct if it is one, and the columns to read."""
        schema = self._file.schema_arrow
        names = [name for name in schema.names if name not in self._index]
        # The validator takes the first column whose name contains "image".
        image = next((name for name in names if "image" in name.lower()), None)
        if image is None or names.count(image) > 1:
            raise SourceError(
                f"shard {self.path.name}",
                found=f"columns {', '.join(names)}",
                expected="one whose name contains 'image'",
            )
        checked = [name for name in _CHECKED_COLUMNS if name in names and name != image]
        kind = schema.field(schema.get_field_index(image)).type
        fields = _struct_fields(kind)
        if fields is None:
            return image, None, [image, *checked]
        # ... and of a struct the first key whose name contains "bytes" or "image".
        key = next((f for f in fields if "bytes" in f.lower() or "image" in f.lower()), None)
        if key is None:
            raise SourceError(
                f"shard {self.path.name}",
                found=f"an image column of {kind}",
                expected="a field whose name contains 'bytes' or 'image'",
            )
        # The path beside the bytes is not read; but an extension type is read whole or not at all.
        read = f"{image}.{key}" if pa.types.is_struct(kind) else image
        return image, key, [read, *checked]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the file's size and footer (layout and statistics of every column chunk).

        It differs between versions of a shard, without reading gigabytes of images.
        """
        with self._reading("footer"), self._stream() as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(size - _TRAILER)
            footer = int.from_bytes(stream.read(4), "little")
            stream.seek(size - _TRAILER - footer)
            return hashlib.sha256(f"{size} ".encode() + stream.read(footer)).hexdigest()

    @cached_property
    def labels(self) -> Sequence[int | None]:
        """The label of each row; None for one that is no integer, which no log can name.

        Raises:
            SourceError: the stored index cannot be read.
        """
        if not self._index:
            return range(self.rows)
        if len(self._index) > 1:  # then labels are tuples
            return [None] * self.rows
        level: Sequence[object] | str = self._index[0]
        if isinstance(level, str):
            with self._reading("index"):
                level = self._file.read(columns=[level]).column(level).to_pylist()
        return [_label(value) for value in level]

    @cached_property
    def _positions(self) -> dict[int, list[int]]:
        by_label: dict[int, list[int]] = {}
        for position, label in enumerate(self.labels):
            if label is not None:
                by_label.setdefault(label, []).append(position)
        return by_label

    def positions(self, label: int) -> list[int]:
        """The positions of the rows with a label: one, none, or several where an index repeats.

        Raises:
            SourceError: the stored index cannot be read.
        """
        if not self._index:
            return [label] if 0 <= label < self.rows else []
        return self._positions.get(label, [])

    def group_of(self, position: int) -> int:
        """The row group that holds the row at a position.

        Raises:
            SourceError: the shard has no such row.
        """
        if not 0 <= position < self.rows:
            raise SourceError(
                f"row {position} of {self.path.name}", found=f"{self.rows} rows", expected="the row"
            )
        return bisect.bisect_right(self._starts, position) - 1

    def read_group(self, group: int) -> pa.Table:
        """The columns of a row group that a rebuild needs.

        Raises:
            SourceError: it cannot be read.
        """
        with self._reading(f"row group {group}"):
            return self._file.read_row_group(group, columns=self._columns)

    def row_in(self, group: int, table: pa.Table, position: int) -> SourceRow:
        """The row at a position, of the row group that `read_group` gave.

        Raises:
            SourceError: the row holds no image bytes.
        """
        with self._reading(f"row {position}"):
            columns = table.slice(position - self._starts[group], 1).to_pylist()[0]
            value = columns.pop(self._image)
        if isinstance(value, Mapping):
            value = value.get(self._key)
        image = _image_bytes(value)
        if image is None:
            raise SourceError(
                f"image of row {position} of {self.path.name}",
                found="no bytes",
                expected="image bytes, or base64 text",
            )
        return SourceRow(image, columns)

    def check(self) -> None:
        """Read the first row, as damaged compression or encoding shows only then.

        Of a server's file without its image, with which the whole row group would be fetched.

        Raises:
            SourceError: it cannot be read.
        """
        with self._reading("first row"):
            if isinstance(self.source, RemoteFile):
                if self._file.num_row_groups:
                    self._file.read_row_group(0, columns=self._columns[1:])
                return
            for batch in self._file.iter_batches(1, columns=self._columns):
                batch.to_pylist()
                return

    def _stream(self) -> AbstractContextManager[BinaryIO | RemoteFile]:
        """The file's bytes; a server's file stays open."""
        if isinstance(self.source, RemoteFile):
            return nullcontext(self.source)
        return self.source.open("rb")

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except (StreetReplayError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  (as on opening)
            words = " ".join(str(error).split()) or type(error).__name__
            raise SourceError(
                f"{what} of {self.path.name}",
                found=words,
                expected="readable parquet data",
                remedy="fetch it again",
            ) from None


def _struct_fields(kind: pa.DataType) -> list[str] | None:
    """The names of a struct's fields; None of another type."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    return [field.name for field in kind] if pa.types.is_struct(kind) else None


def _index_levels(schema: pa.Schema, rows: int) -> list[str | range]:
    """The levels of the index that pandas would restore: a column's name, or a range of labels.

    Empty where labels are positions. As in pyarrow, a missing column and a range of another length
    are ignored.
    """
    levels: list[str | range] = []
    for described in (schema.pandas_metadata or {}).get("index_columns", []):
        if isinstance(described, str):
            levels += [described] if described in schema.names else []
        elif described["kind"] == "range":
            labels = range(described["start"], described["stop"], described["step"])
            levels += [labels] if len(labels) == rows else []
        else:
            raise ValueError(f"an index of kind {described['kind']!r}")
    return [] if levels == [range(rows)] else levels


def _label(value: object) -> int | None:
    """A label as a log's `original_index` names it; None where its text is no row number."""
    try:
        return values.natural(value if isinstance(value, int | float) else str(value))
    except FieldError:
        return None


def _image_bytes(value: object) -> bytes | None:
    """An image file's bytes; text, and bytes that do not begin like an image, are base64."""
    if isinstance(value, bytes) and value.startswith(_IMAGE_STARTS):
        return value
    plain = value if isinstance(value, bytes) else None
    if not isinstance(value, bytes | str):
        return None
    try:
        # as the validator decodes: characters outside the alphabet are ignored
        decoded = base64.b64decode(value)
    except ValueError:
        return plain
    return decoded if plain is None or decoded.startswith(_IMAGE_STARTS) else plain
