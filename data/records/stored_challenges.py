"""Challenges as columns: a million of them take some 150 MB, as objects more than 1 GB."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.records.stored_challenge import StoredChallenge, stored_challenge, stored_row

_WORD = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        ("challenge_id", pa.string()),
        ("file", _WORD),
        ("position", pa.int64()),
        ("era", _WORD),
        ("label", pa.int8()),
        ("source", _WORD),
        ("parquet", _WORD),
        ("row", pa.int64()),
        ("source_id", pa.int64()),
        ("gps_lat", pa.float64()),
        ("gps_lon", pa.float64()),
        ("image_width", pa.int32()),
        ("image_height", pa.int32()),
        ("geometry", _WORD),
        ("aug_level", pa.int8()),
        ("angle", pa.float64()),
        ("crop_top", pa.int32()),
        ("crop_left", pa.int32()),
        ("crop_height", pa.int32()),
        ("crop_width", pa.int32()),
        ("flip_horizontal", pa.bool_()),
        ("flip_vertical", pa.bool_()),
        ("letterbox_scale", pa.float64()),
        ("letterbox_height", pa.int32()),
        ("letterbox_width", pa.int32()),
        ("letterbox_padding", pa.list_(pa.int32())),
    ]
)
"""The columns of `media` that `stored_challenge` takes; text that repeats is held once."""

OBJECTS_AT_ONCE = 1024
"""Of whatever walks over all: so many are made at a time."""

# It gives freed memory back to the system; Arrow's own pool kept 140 MB of a million challenges.
_POOL = pa.system_memory_pool()


class StoredChallenges(Sequence[StoredChallenge]):
    """Challenges in an order, as columns; an object is made when it is asked for."""

    def __init__(
        self, chunks: Mapping[str, Sequence[pa.Array]], order: npt.NDArray[np.int64]
    ) -> None:
        """Take the columns of `SCHEMA`, each in any number of pieces, and their rows' order."""
        self._chunks, self._order = dict(chunks), order

    @classmethod
    def of(cls, challenges: Iterable[StoredChallenge]) -> "StoredChallenges":
        """The columns of these challenges."""
        rows = [stored_row(challenge) for challenge in challenges]
        return cls._of_table(pa.Table.from_pylist(rows, schema=SCHEMA))

    @classmethod
    def read(cls, batches: Iterable[pa.RecordBatch]) -> "StoredChallenges":
        """Read the columns of `SCHEMA` and `ordinal`, by which challenges are put in order."""
        chunks: dict[str, list[pa.Array]] = {name: [] for name in SCHEMA.names}
        ordinals = [np.empty(0, np.int64)]
        for batch in batches:
            ordinals.append(batch.column("ordinal").to_numpy().copy())
            for name, values in chunks.items():
                values.append(_held(batch.column(name), SCHEMA.field(name).type))
        return cls(chunks, np.argsort(np.concatenate(ordinals)))

    @classmethod
    def _of_table(cls, table: pa.Table) -> "StoredChallenges":
        chunks = {name: table[name].chunks for name in SCHEMA.names}
        return cls(chunks, np.arange(table.num_rows))

    @cached_property
    def columns(self) -> pa.Table:
        """A table of `SCHEMA`, each column in one piece.

        It is put together at the first look, so that a warehouse which the challenges were read
        from can be closed before: both together take twice the memory.
        """
        columns, order = [], pa.array(self._order)
        for field in SCHEMA:
            # a column at a time, so that only one is held twice
            pieces = pa.chunked_array(self._chunks.pop(field.name), field.type)
            empty = pa.array([], field.type)
            pieces = pieces.unify_dictionaries().chunks
            column = pa.concat_arrays([empty, *pieces], memory_pool=_POOL)
            columns.append(pc.take(column, order, memory_pool=_POOL))
        return pa.table(columns, schema=SCHEMA)

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> StoredChallenge: ...
    @overload
    def __getitem__(self, index: slice) -> "StoredChallenges": ...
    def __getitem__(self, index: int | slice) -> "StoredChallenge | StoredChallenges":
        """A challenge, or the columns of some."""
        positions = np.arange(len(self))[index]
        if isinstance(positions, np.ndarray):
            return StoredChallenges._of_table(self.columns.take(pa.array(positions)))
        return self.at(np.array([positions]))[0]

    def __iter__(self) -> Iterator[StoredChallenge]:
        for first in range(0, len(self), OBJECTS_AT_ONCE):
            yield from map(stored_challenge, self.columns.slice(first, OBJECTS_AT_ONCE).to_pylist())

    def at(self, positions: npt.NDArray[np.int64]) -> list[StoredChallenge]:
        """The challenges at these positions, in their order."""
        return list(map(stored_challenge, self.columns.take(pa.array(positions)).to_pylist()))


def _held(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values of a batch in memory of their own: any view of a batch keeps all of it."""
    made = values.dictionary_encode() if pa.types.is_dictionary(kind) else values.cast(kind)
    # a cast that changes nothing does not copy
    return pa.concat_arrays([made], memory_pool=_POOL)
