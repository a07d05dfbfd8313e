"""What a machine sends of the logs that it has read: rows as Arrow, and the other items."""

import pickle
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa

from data.columnar.batch import CleanBatch
from data.columnar.blocks import Schemas
from data.columnar.clean_record import CleanRecord

# Of a stretch: what is in memory at a time, there and here, is a few of them.
_STRETCH_BYTES = 2**23
_STRETCH_ITEMS = 10_000
# The columns of fewer records take more room than their values.
_FEWEST_ROWS = 64
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


class SentRows(NamedTuple):
    """Arrow streams of `media` and of `responses`, empty where there are none, and the rest.

    `rest` is pickled, as all that a cluster sends is: it waits in a file, and is read once.
    """

    media: bytes
    responses: bytes
    rest: bytes


class Stretch(NamedTuple):
    """Consecutive items of a log: `items` with their places, and `records` others in rows.

    `log` numbers the logs that were asked for together; `size` counts all items.
    """

    log: int
    items: list[tuple[int, Any]]
    records: int
    size: int


def sent_rows(media: pa.Table, responses: pa.Table, rest: object) -> SentRows:
    """Rows and the rest, as they are sent."""
    return SentRows(_stream(media), _stream(responses), pickle.dumps(rest))


def packed(logs: Iterable[tuple[str, Iterable[Any]]], schemas: Schemas) -> Iterator[SentRows]:
    """The items of logs in order, a stretch or several small ones at a time.

    Each `rest` is a list of `Stretch`, of which the last, if it is the only one, may have rows. Of
    each log there is one at least.

    Args:
        logs: the name and the items of each.
        schemas: of rows.
    """
    small: list[Stretch] = []
    for number, (file, items) in enumerate(logs):
        for batch, held in _stretches(items, file, schemas):
            if len(batch) < _FEWEST_ROWS:
                small.append(Stretch(number, list(enumerate(held)), 0, len(held)))
                if sum(stretch.size for stretch in small) >= _STRETCH_ITEMS:
                    yield SentRows(b"", b"", pickle.dumps(small))
                    small = []
                continue
            if small:
                yield SentRows(b"", b"", pickle.dumps(small))
                small = []
            others = [(n, item) for n, item in enumerate(held) if not isinstance(item, CleanRecord)]
            yield sent_rows(*batch.tables(), [Stretch(number, others, len(batch), len(held))])
    if small:
        yield SentRows(b"", b"", pickle.dumps(small))


def _stretches(
    items: Iterable[Any], file: str, schemas: Schemas
) -> Iterator[tuple[CleanBatch, list[Any]]]:
    """Items, each stretch with a batch of the clean records in it; one at least."""
    batch, held = CleanBatch(file, *schemas), list[Any]()
    for item in items:
        if batch.bytes > _STRETCH_BYTES or len(held) >= _STRETCH_ITEMS:
            yield batch, held
            batch, held = CleanBatch(file, *schemas), []
        if isinstance(item, CleanRecord):
            batch.add(item, len(held))
        held.append(item)
    yield batch, held


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream
