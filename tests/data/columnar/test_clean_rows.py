"""Lines that another process cannot read, or finds unclean, are read by this one."""

import errno
import gc
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from data.columnar.blocks import PoolBlockReader, Schemas, start_reading
from data.columnar.clean_record import CleanRecord
from data.columnar.clean_rows import CleanRows, rows_of_lines
from data.errors import RunError, WriteError
from data.progress import no_report

Json = dict[str, Any]
SCHEMAS = Schemas(
    pa.schema([("seq", pa.int64()), ("position", pa.int64()), ("challenge_id", pa.string())]),
    pa.schema([("seq", pa.int64()), ("uid", pa.int16())]),
)
UNCLEAN = "unclean"


@pytest.fixture(autouse=True)
def _as_often_collected() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


class SomeLines:
    """Lines that fail to be read the first time, or never."""

    bytes_unreported = 0

    def __init__(self, lines: list[bytes], *, fail: bool = False) -> None:
        self._lines, self._fail = lines, fail

    def lines(self) -> Iterator[bytes]:
        self._fail, fails = False, self._fail
        if fails:
            raise OSError("not from here")
        yield from self._lines


def read(scratch: Path, blocks: list[SomeLines]) -> list[Any]:
    def unclean(line: bytes, _position: int) -> list[str]:
        return [UNCLEAN] * line.count(b"x")

    scratch.mkdir(exist_ok=True)
    with ThreadPoolExecutor(1, initializer=start_reading, initargs=(SCHEMAS,)) as pool:
        reader = PoolBlockReader(pool, 1, scratch)
        return list(rows_of_lines(reader, blocks, "log", 100, unclean, no_report))


def test_lines_that_cannot_be_read_elsewhere_are_read_here(tmp_path: Path, record: Json) -> None:
    line = json.dumps(record).encode()
    items = read(tmp_path / "a", [SomeLines([line, line]), SomeLines([line] * 3, fail=True)])
    assert [type(item) for item in items] == [CleanRows, CleanRecord, CleanRecord, CleanRecord]
    assert [item.position for item in items[1:]] == [102, 103, 104]


def test_rows_behind_unclean_lines_have_their_places(tmp_path: Path, record: Json) -> None:
    line = json.dumps(record).encode()
    (rows,) = read(tmp_path / "a", [SomeLines([line, b"xx", b"", line])])
    assert (rows.records, rows.size, rows.others) == (2, 4, [(1, UNCLEAN), (2, UNCLEAN)])
    (batch,) = rows.media.batches()
    assert (batch["seq"].to_pylist(), batch["position"].to_pylist()) == ([0, 3], [100, 103])
    answers = len(record["miner_uids"])
    (batch,) = rows.responses.batches()
    assert batch["seq"].to_pylist() == [0] * answers + [3] * answers


def test_a_full_disk_is_told_by_the_process_that_meets_it(tmp_path: Path, record: Json) -> None:
    scratch = tmp_path / "a"
    scratch.mkdir()
    (scratch / "media-of-block-1.arrow").mkdir()  # cannot be written
    with pytest.raises(WriteError, match="media-of-block-1"):
        read(scratch, [SomeLines([json.dumps(record).encode()])])


def test_long_lines_that_are_not_clean_are_sent_to_no_process(
    tmp_path: Path, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.columnar.blocks._MOST_UNCLEAN_BYTES", 1000)
    line = json.dumps(record).encode()
    items = read(tmp_path / "a", [SomeLines([line, b"x" * 501, b"y" * 500]), SomeLines([line])])
    assert [type(item) for item in items[:2]] == [CleanRecord, str]
    assert items[1:502] == [UNCLEAN] * 501
    assert isinstance(items[502], CleanRows)


def test_a_process_that_cannot_be_started_is_no_fault_of_the_log(tmp_path: Path) -> None:
    class NoProcesses(ThreadPoolExecutor):
        def submit(self, *_arguments: Any, **_named: Any) -> Future[Any]:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with NoProcesses(1) as pool, pytest.raises(RunError, match="end other processes"):
        list(PoolBlockReader(pool, 1, tmp_path).read_blocks([SomeLines([b"x"])], "log"))
