"""Lines and fields of any size: their neighbours are read, in bounded memory and time."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analytics.ingest.ingest import IngestReport, ingest
from analytics.queries.user_sql import query
from data.store import Store
from tests.bench.ingest.measured import ingested

PIECE = 2**20
"""Bytes that are written at a time, of which zstd keeps 1 in 128: less would be a bomb."""
MOST_MEBIBYTES = 400
"""An ingest of the bundled sample alone takes 190; the longest line that is looked at has 16."""


def write_line(path: Path, around: list[dict[str, Any]], megabytes: int) -> None:
    """Write two records as zstd, and between them one line of so many megabytes."""
    codec = pa.Codec("zstd")
    first, last = (json.dumps(record).encode() for record in around)
    noise = random.Random(15).randbytes(PIECE // 128).hex().encode()  # noqa: S311
    piece = codec.compress(noise + b"x" * (PIECE - len(noise)), asbytes=True)
    with path.open("wb") as file:
        file.write(codec.compress(first + b"\n", asbytes=True))
        for _ in range(megabytes * 10**6 // PIECE):
            file.write(piece)
        file.write(codec.compress(b"\n" + last, asbytes=True))


@pytest.mark.parametrize(
    "megabytes", [300, pytest.param(10_000, marks=pytest.mark.slow)], ids=["300 MB", "10 GB"]
)
def test_a_huge_line_is_one_reject(
    tmp_path: Path, store: Store, e7: list[dict[str, Any]], megabytes: int
) -> None:
    log = tmp_path / "log.jsonl.zst"
    write_line(log, e7[:2], megabytes)

    measured = ingested(log, store.root)

    assert measured.records == 2
    assert measured.mebibytes < MOST_MEBIBYTES
    assert measured.cpu_seconds < 5 + megabytes / 200
    rejects = query(store, "SELECT position, reason, length(excerpt) FROM rejects").rows
    assert [(position, "broken text" in reason) for position, reason, _ in rejects] == [(1, True)]
    assert all(excerpt <= 300 for _, _, excerpt in rejects)


@pytest.mark.slow
def test_a_hole_of_ten_gigabytes_is_one_reject(
    tmp_path: Path, store: Store, e7: list[dict[str, Any]]
) -> None:
    log = tmp_path / "log.jsonl"
    with log.open("wb") as file:
        file.write(json.dumps(e7[0]).encode() + b"\n")
        file.seek(10**10, 1)
        file.write(json.dumps(e7[1]).encode())

    measured = ingested(log, store.root)

    assert measured.records == 2
    assert measured.mebibytes < MOST_MEBIBYTES
    ((position, reason),) = query(store, "SELECT position, reason FROM rejects").rows
    assert (position, "10000000000 NUL bytes in a row" in reason) == (1, True)


HUGE = 10**7
TEXT = "x" * HUGE
HUGE_FIELDS: dict[str, tuple[dict[str, Any], str | None]] = {
    "unknown": ({"unknown": TEXT}, None),
    "key": ({TEXT: 1}, None),
    "quotes": ({"unknown": '"' * (HUGE // 2)}, None),
    "brackets": ({"unknown": "[" * HUGE}, None),
    "path": ({"path": "/" * HUGE}, None),
    "description": ({"metadata": {"scene_description": TEXT}}, None),
    "hotkeys": ({"miner_hotkeys": [TEXT] * 10}, "text cut off"),
    "escapes": ({"unknown": "\\" * HUGE}, "text cut off"),
    "answers": ({"predictions": [0.5] * (HUGE // 5)}, "expected at most 10000"),
    "label": ({"label": TEXT}, "expected 0 or 1"),
}
# 50 ms and 20 ms a MB, of a machine that is at other work too: what backtracks takes minutes
SLACK = 4


def seconds_for(store: Store, log: Path) -> tuple[IngestReport, float]:
    before = time.process_time()
    return ingest(store, [log]), time.process_time() - before


@pytest.mark.parametrize("name", HUGE_FIELDS)
def test_ten_megabytes_of_one_field_cost_their_record_at_most(
    tmp_path: Path, e7: list[dict[str, Any]], name: str
) -> None:
    change, reason = HUGE_FIELDS[name]
    huge = {**e7[1], **change, "metadata": e7[1]["metadata"] | change.get("metadata", {})}
    around = [json.dumps(record) for record in (e7[0], e7[2])]
    plain, log = tmp_path / "plain.jsonl", tmp_path / "huge.jsonl"
    plain.write_text("\n".join(around))
    log.write_text("\n".join([around[0], json.dumps(huge), around[1]]))

    _, usual = seconds_for(Store(tmp_path / "plain"), plain)
    report, seconds = seconds_for(Store(tmp_path / "huge"), log)

    assert report.challenges_new == 2 + (reason is None)
    assert [str(reason) in reject["reason"] for reject in report.rejects] == [True] * bool(reason)
    assert all(len(reject["reason"] + reject["excerpt"]) < 1000 for reject in report.rejects)
    megabytes = log.stat().st_size / 10**6
    assert seconds - usual < SLACK * (0.05 + 0.02 * megabytes)
