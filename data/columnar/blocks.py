"""Read blocks of clean lines in several processes, which put their rows into files."""

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa

from data.columnar.batch import CleanBatch
from data.columnar.line_reader import CleanLineReader
from data.columnar.stored_rows import write_rows
from data.errors import RunError

# A block is a fraction of a second's work; each process has at most two, and one is waited for.
_BLOCK_BYTES = 2**23
_BLOCK_LINES = 10_000
# A block with more unclean lines, or longer ones, is read line by line.
_MOST_UNCLEAN = 100
_MOST_UNCLEAN_BYTES = 2 * _BLOCK_BYTES


class Lines(Protocol):
    """Consecutive lines of a log, which can be sent to another process."""

    bytes_unreported: int
    """Bytes of the file that `lines` does not report, as who reads them has to."""

    def lines(self) -> Iterable[bytes]:
        """The lines.

        Raises:
            OSError: they cannot be read from here.
        """


class SentLines(list[bytes]):
    """Lines that are sent as they are."""

    bytes_unreported = 0

    def lines(self) -> Iterable[bytes]:
        """The lines."""
        return self


class Schemas(NamedTuple):
    """The columns of `media` and of `responses`, each with `seq`."""

    media: pa.Schema
    responses: pa.Schema


class _Files(NamedTuple):
    """Where the rows of a block are put."""

    media: Path
    responses: Path


class BlockTables(NamedTuple):
    """The rows of consecutive lines as tables; the rest as in `Block`."""

    size: int
    media: pa.Table
    responses: pa.Table
    unclean: dict[int, bytes]


class Block(NamedTuple):
    """Files of the rows of consecutive lines, of those that are clean.

    There are `size` lines; `unclean` are those that are not clean, by number. `seq` and `position`
    of rows are numbers of lines.
    """

    size: int
    media: Path
    responses: Path
    unclean: dict[int, bytes]


class BlockReader(CleanLineReader):
    """Reads lines in blocks, which others read; a single line it reads in this process."""

    def read_blocks(
        self, blocks: Iterable[Lines], file: str
    ) -> Iterator[tuple[Lines, Block | None]]:
        """Read blocks of the log `file`, in order; one that others could not read is None.

        Raises:
            OSError: there are no more, as the log cannot be read.
        """
        raise NotImplementedError


class PoolBlockReader(BlockReader):
    """Has blocks read by the processes of a pool, which `start_reading` has begun."""

    def __init__(self, pool: Executor, processes: int, scratch: Path) -> None:
        """Begin to read.

        Args:
            pool: of processes that have started reading.
            processes: how many.
            scratch: an empty folder, where they put the rows.
        """
        super().__init__()
        self._pool, self._processes, self._scratch = pool, processes, scratch
        self._blocks = 0

    def read_blocks(
        self, blocks: Iterable[Lines], file: str
    ) -> Iterator[tuple[Lines, Block | None]]:
        """Read blocks, in order, a few of them ahead.

        A block with many unclean lines, or one that another process could not read, is None.

        Raises:
            WriteError: the disk is full.
            RunError: no process can be started.
        """
        waiting: deque[tuple[Lines, Future[Block | None]]] = deque()
        for lines in blocks:
            self._blocks += 1
            files = _Files(
                self._scratch / f"media-of-block-{self._blocks}.arrow",
                self._scratch / f"responses-of-block-{self._blocks}.arrow",
            )
            waiting.append((lines, self._submit(lines, file, files)))
            if len(waiting) > 2 * self._processes:
                first, read = waiting.popleft()
                yield first, read.result()
        while waiting:
            first, read = waiting.popleft()
            yield first, read.result()

    def _submit(self, lines: Lines, file: str, files: _Files) -> Future[Block | None]:
        try:
            return self._pool.submit(_read_block, lines, file, files)
        except OSError as error:  # the first tasks start the processes
            raise RunError(
                "reading a log in several processes",
                found=f"a process that cannot be started ({error.strerror})",
                remedy="free some memory or end other processes, then try again",
            ) from error


def sent_lines(lines: Iterable[bytes]) -> Iterator[SentLines]:
    """Lines in blocks."""
    block, size = SentLines(), 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= _BLOCK_BYTES or len(block) == _BLOCK_LINES:
            yield block
            block, size = SentLines(), 0
    if block:
        yield block


_reading: list[tuple[CleanLineReader, Schemas]] = []


def start_reading(schemas: Schemas) -> None:
    """Make the process that calls this ready to read blocks; it is for nothing else then."""
    collect_rarely()
    _reading[:] = [(CleanLineReader(), schemas)]


def collect_rarely() -> None:
    """Let a process that only reads look for cycles more rarely: what is read holds none.

    As often as usual that is a sixth of its time.
    """
    gc.set_threshold(20_000, 50, 50)


def _read_block(lines: Lines, file: str, files: _Files) -> Block | None:
    ((reader, schemas),) = _reading
    try:
        read = read_block(reader, schemas, lines.lines(), file)
    except OSError:
        return None
    if read is None:
        return None
    for table, path in zip((read.media, read.responses), files, strict=True):
        write_rows([table], path)
    return Block(read.size, *files, read.unclean)


def read_block(
    reader: CleanLineReader, schemas: Schemas, lines: Iterable[bytes], file: str
) -> BlockTables | None:
    """The rows of consecutive lines; None where many of them are unclean."""
    batch, unclean, size, unclean_bytes = CleanBatch(file, *schemas), {}, 0, 0
    for number, line in enumerate(lines):
        size += 1
        record = reader.read(line, number)
        if record is not None:
            batch.add(record, number)
        else:
            unclean[number] = line
            unclean_bytes += len(line)
            if len(unclean) > _MOST_UNCLEAN or unclean_bytes > _MOST_UNCLEAN_BYTES:
                return None
    media, responses = batch.tables() if len(batch) else map(pa.Schema.empty_table, schemas)
    return BlockTables(size, media, responses, unclean)
