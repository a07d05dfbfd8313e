"""Read W&B's transaction log, `run-<id>.wandb`: a 7-byte header, then records in 32 KiB blocks.

The framing is LevelDB's log format: crc32, length and type before each piece of a record, and a
record that crosses a block is in pieces. A new block or record type is read here. The contents are
protobuf messages of `wandb.proto`. A run that is still being written, or was cut off by a crash,
ends in a torn record: the records before it are kept.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from data.errors import LogError

MAGIC = b":W&B"
_HEADER = struct.Struct("<4sHB")
_HEADER_MAGIC, _HEADER_VERSION = 0xBEE1, 0
_PIECE = struct.Struct("<IHB")
_BLOCK = 32 * 1024
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
# A step of 256 miners has 250 kB. The bound keeps a record without an end from taking the memory.
MAX_TRANSACTION_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Damage:
    """A stretch of a transaction log that could not be read; `torn` if the log ends in it."""

    byte: int
    reason: str
    torn: bool


def read_transactions(path: Path) -> Iterator[Any | Damage]:
    """The log's records (`wandb_internal_pb2.Record`) in order, and its damaged stretches.

    After damage reading goes on at the next block, as LevelDB does.

    Raises:
        LogError: the file cannot be opened or is no transaction log.
    """
    # wandb takes a second to import: only reading its log should cost that.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from wandb.proto import wandb_internal_pb2  # noqa: PLC0415

    try:
        stream = path.open("rb")
    except OSError as error:
        raise LogError(str(path), found=error.strerror, expected="a readable file") from None
    with stream:
        header = stream.read(_HEADER.size)
        if len(header) < _HEADER.size and MAGIC.startswith(header[: len(MAGIC)]):
            yield Damage(0, "the log ends inside its header", torn=True)
            return
        _check_header(header, path)
        for start, piece in _records(stream):
            if isinstance(piece, Damage):
                yield piece
                continue
            record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
            try:
                record.ParseFromString(piece)
            except DecodeError as error:
                yield Damage(start, f"no W&B record ({error})", torn=False)
                continue
            yield record


def _check_header(header: bytes, path: Path) -> None:
    expected = "a W&B transaction log (':W&B', version 0)"
    if header != _HEADER.pack(MAGIC, _HEADER_MAGIC, _HEADER_VERSION):
        raise LogError(str(path), found=repr(header), expected=expected)


def _records(stream: IO[bytes]) -> Iterator[tuple[int, bytes | Damage]]:
    """The records, put together from their pieces, with the byte that each starts at."""
    pieces: list[bytes] = []
    size = 0
    start = at = stream.tell()
    for at, piece in _pieces(stream):
        if isinstance(piece, Damage):
            pieces = []
            yield at, piece
            continue
        kind, data = piece
        if kind in (_FULL, _FIRST):
            if pieces:
                yield start, Damage(start, "a record without its end", torn=False)
            pieces, start, size = [data], at, len(data)
        elif pieces:
            pieces.append(data)
            size += len(data)
        else:
            # The rest of a record whose beginning was damaged and is reported already.
            continue
        if size > MAX_TRANSACTION_BYTES:
            pieces = []
            yield (
                start,
                Damage(start, f"a record of over {MAX_TRANSACTION_BYTES} bytes", torn=False),
            )
        elif kind in (_FULL, _LAST):
            yield start, b"".join(pieces)
            pieces = []
    if pieces:
        yield start, Damage(start, "the log ends inside a record", torn=True)


def _pieces(stream: IO[bytes]) -> Iterator[tuple[int, tuple[int, bytes] | Damage]]:
    """Pieces of records, (type, bytes), with the byte that each starts at."""
    block_start, offset = 0, _HEADER.size
    stream.seek(0)
    while block := stream.read(_BLOCK):
        while offset + _PIECE.size <= _BLOCK and offset < len(block):
            piece = _piece(block, offset, block_start)
            yield block_start + offset, piece
            if isinstance(piece, Damage):
                break
            offset += _PIECE.size + len(piece[1])
        block_start, offset = block_start + _BLOCK, 0


def _piece(block: bytes, offset: int, block_start: int) -> tuple[int, bytes] | Damage:
    at, body = block_start + offset, offset + _PIECE.size
    if body > len(block):
        return Damage(at, "the log ends inside a record", torn=True)
    checksum, length, kind = _PIECE.unpack_from(block, offset)
    if body + length > len(block):
        if len(block) < _BLOCK and body + length <= _BLOCK:
            return Damage(at, "the log ends inside a record", torn=True)
        return Damage(at, "a record longer than its block", torn=False)
    data = block[body : body + length]
    if not _FULL <= kind <= _LAST:
        return Damage(at, f"a record of unknown type {kind}", torn=False)
    if zlib.crc32(data, zlib.crc32(bytes([kind]))) != checksum:
        return Damage(at, "a record whose checksum is wrong", torn=False)
    return kind, data
