"""A W&B transaction log that is cut or damaged anywhere gives every record that is still whole."""

import errno
import struct
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.logs.wandb_run import read_wandb_run
from data.logs.wandb_transactions import Damage, read_transactions
from data.records.types import Logged, Reject, SeriesStep
from tests.conftest import golden_records
from tests.worlds.wandb_runs import write_run

HEADER, PIECE_HEADER, BLOCK = 7, 7, 32 * 1024


@pytest.fixture(scope="module")
def whole(golden: Path) -> bytes:
    (log,) = (golden / "e7" / "wandb").glob("*/*.wandb")
    return log.read_bytes()


def records(content: bytes, folder: Path) -> tuple[list[bytes], list[Damage]]:
    log = folder / "run-x.wandb"
    log.write_bytes(content)
    items = list(read_transactions(log))
    damages = [item for item in items if isinstance(item, Damage)]
    return [item.SerializeToString() for item in items if not isinstance(item, Damage)], damages


def spans(contents: list[bytes]) -> Iterator[tuple[int, int]]:
    """Where a writer of LevelDB's format puts records of these contents: first byte and end."""
    at = HEADER
    for content in contents:
        left, begun = len(content), None
        while left or begun is None:
            if BLOCK - at % BLOCK < PIECE_HEADER:
                at += BLOCK - at % BLOCK
            begun = at if begun is None else begun
            piece = min(left, BLOCK - at % BLOCK - PIECE_HEADER)
            at, left = at + PIECE_HEADER + piece, left - piece
        yield begun, at


def test_a_log_cut_at_any_byte_keeps_what_is_whole(whole: bytes, tmp_path: Path) -> None:
    every, damages = records(whole, tmp_path)
    ends = np.array([end for _, end in spans(every)])
    assert damages == []
    assert ends[-1] == len(whole)
    for cut in np.random.default_rng(5).integers(HEADER, len(whole), 500).tolist():
        kept, damages = records(whole[:cut], tmp_path)
        count = int(np.searchsorted(ends, cut, side="right"))
        assert kept == every[:count]
        assert [damage.torn for damage in damages] == ([] if cut in (HEADER, *ends) else [True])


def test_a_flipped_byte_costs_at_most_the_records_of_its_block(
    whole: bytes, tmp_path: Path
) -> None:
    every, _ = records(whole, tmp_path)
    where = list(spans(every))
    random = np.random.default_rng(6)
    for at in random.integers(HEADER, len(whole), 200).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= int(random.integers(1, 256))
        kept, damages = records(bytes(damaged), tmp_path)
        first, end = at // BLOCK * BLOCK, (at // BLOCK + 1) * BLOCK
        untouched = [
            record
            for record, (start, stop) in zip(every, where, strict=True)
            if stop <= first or start >= end
        ]
        assert damages
        assert set(kept) <= set(every)
        assert set(untouched) <= set(kept)


def test_a_record_without_an_end_is_not_held(
    whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.logs.wandb_transactions.MAX_TRANSACTION_BYTES", 10 * BLOCK)
    every, _ = records(whole, tmp_path)

    def piece(kind: int, room: int) -> bytes:
        data = b"x" * (room - PIECE_HEADER)
        checksum = zlib.crc32(data, zlib.crc32(bytes([kind])))
        return struct.pack("<IHB", checksum, len(data), kind) + data

    first, middle = 2, 3
    filled = whole + piece(first, BLOCK - len(whole) % BLOCK)
    endless = filled + piece(middle, BLOCK) * 30
    # the block behind it, as another log begins after its header
    behind = piece(1, 1000)
    tracemalloc.start()
    kept, damages = records(endless + behind, tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept == every
    assert [damage.reason[:26] for damage in damages] == [
        "a record of over 327680 by",
        "no W&B record (Error parsi",
    ]
    assert peak < len(endless) + 5 * len(whole) + 15 * BLOCK


def test_a_log_that_the_machine_stops_giving_keeps_what_came_before(
    tmp_path: Path, golden: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = golden_records(golden, "e7")[:3]
    started = datetime(2026, 1, 1, tzinfo=UTC)
    log = write_run(tmp_path / "a", "ab12cd34", records, started=started) / "run-ab12cd34.wandb"

    def failing(path: Path) -> Iterator[Any]:
        yield from islice(read_transactions(path), 3)  # the run and two steps
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("data.logs.wandb_run.read_transactions", failing)
    items = list(read_wandb_run(log, "run"))
    assert sum(isinstance(item, SeriesStep) for item in items) == 2
    (reject,) = [
        item for item in items if isinstance(item, Reject) and "Input/output" in item.reason
    ]
    assert reject.is_passing
    assert sum(isinstance(item, Logged) for item in items) == 3
