"""Read blocks of clean lines in several processes, and give them back in order as tables."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from data.columnar.batch import CleanBatch
from data.columnar.line_reader import CleanLineReader

# A block is a fraction of a second's work; each process has one more waiting.
_BLOCK_BYTES = 2**23
_BLOCK_LINES = 10_000


class Schemas(NamedTuple):
    """The columns of `media` and of `responses`, each with `seq`."""

    media: pa.Schema
    responses: pa.Schema


@dataclass(frozen=True)
class Block:
    """Consecutive lines, and the rows of those that are clean, as IPC streams.

    `unclean` are the other lines, by number; `seq` and `position` of rows are numbers of lines.
    """

    lines: list[bytes]
    media: bytes
    responses: bytes
    unclean: list[int]

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """The rows of `media` and of `responses`."""
        return pa.ipc.open_stream(self.media).read_all(), pa.ipc.open_stream(
            self.responses
        ).read_all()


class BlockReader(CleanLineReader):
    """Reads lines in blocks by the processes of a pool, which `start_reading` has begun.

    A single line it reads in this process.
    """

    def __init__(self, pool: Executor, processes: int) -> None:
        super().__init__()
        self._pool, self._processes = pool, processes

    def read_blocks(self, lines: Iterable[bytes], file: str) -> Iterator[Block]:
        """Blocks of all lines, in order; a few are read ahead."""
        waiting: deque[tuple[list[bytes], Future[tuple[bytes, bytes, list[int]]]]] = deque()
        for block in _blocks(lines):
            waiting.append((block, self._pool.submit(_read_block, block, file)))
            if len(waiting) > 2 * self._processes:
                first, read = waiting.popleft()
                yield Block(first, *read.result())
        while waiting:
            first, read = waiting.popleft()
            yield Block(first, *read.result())


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= _BLOCK_BYTES or len(block) == _BLOCK_LINES:
            yield block
            block, size = [], 0
    if block:
        yield block


_reading: list[tuple[CleanLineReader, Schemas]] = []


def start_reading(schemas: Schemas) -> None:
    """Make the process that calls this ready to read blocks."""
    _reading[:] = [(CleanLineReader(), schemas)]


def _read_block(lines: list[bytes], file: str) -> tuple[bytes, bytes, list[int]]:
    ((reader, schemas),) = _reading
    batch, unclean = CleanBatch(file, *schemas), []
    for number, line in enumerate(lines):
        record = reader.read(line, number)
        if record is None:
            unclean.append(number)
        else:
            batch.add(record, number)
    media, responses = batch.tables() if len(batch) else map(pa.Schema.empty_table, schemas)
    return _as_stream(media), _as_stream(responses), unclean


def _as_stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream
