"""A log of JSON lines that grew is read from where it ended, and the store is as if read whole."""

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.ingest import known_logs
from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.progress import Report
from data.store import Store

Json = dict[str, Any]

HELD = (
    "SELECT * FROM media ORDER BY ALL",
    "SELECT * FROM responses ORDER BY ALL",
    "SELECT * FROM rejects ORDER BY ALL",
    "SELECT file, sha256, bytes, records, kind, replaced FROM logs",
)


def held(store: Store) -> list[list[Any]]:
    return [query(store, sql).rows for sql in HELD]


def lines(records: Sequence[Json]) -> bytes:
    return "".join(json.dumps(one) + "\n" for one in records).encode()


def broken_value(record: Json) -> Json:
    """A record that is read, but for one value."""
    return record | {"metadata": record["metadata"] | {"gps": "[95.0, 0.0]"}}


def read_whole(folder: Path, content: bytes) -> list[list[Any]]:
    log, store = folder / "whole" / "log.jsonl", Store(folder / "whole-store")
    log.parent.mkdir()
    log.write_bytes(content)
    ingest(store, [log])
    return held(store)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def test_only_what_is_new_is_read(store: Store, log: Path, tmp_path: Path, e7: list[Json]) -> None:
    records = [*e7[:3], broken_value(e7[3]), e7[4], e7[1], *e7[5:9], broken_value(e7[9])]
    log.write_bytes(lines(records[:6]))
    first = ingest(store, [log])
    with log.open("ab") as file:
        file.write(lines(records[6:]))
    grown = ingest(store, [log])

    assert (first.challenges_read, grown.challenges_read, grown.challenges_new) == (6, 5, 5)
    assert grown.values_rejected == 2
    assert held(store) == read_whole(tmp_path, lines(records))
    assert ingest(store, [log]).logs_unchanged == 1


def test_any_number_of_steps_gives_the_same_store(
    store: Store, log: Path, tmp_path: Path, e7: list[Json]
) -> None:
    random = np.random.default_rng(8)
    records = [broken_value(one) if random.random() < 0.2 else one for one in e7[:60]]
    content, read = b"", 0
    for part in np.split(np.arange(60), np.sort(random.integers(0, 61, 7))):
        content += lines([records[number] for number in part.tolist()])
        if content:
            log.write_bytes(content)
            read += ingest(store, [log]).challenges_read

    assert read == 60
    assert held(store) == read_whole(tmp_path, content)


@pytest.mark.parametrize("kept", [1, 500])
def test_a_record_that_was_still_being_written_is_read_when_it_is_whole(
    store: Store, log: Path, tmp_path: Path, e7: list[Json], kept: int
) -> None:
    whole = lines(e7[:8])
    torn = len(lines(e7[:5])) + kept
    log.write_bytes(whole[:torn])
    assert ingest(store, [log]).records_rejected == 1
    log.write_bytes(whole)
    again = ingest(store, [log])

    assert (again.records_rejected, again.challenges_new) == (0, 3)
    assert held(store) == read_whole(tmp_path, whole)


def test_a_last_line_without_its_end_may_go_on(
    store: Store, log: Path, tmp_path: Path, e7: list[Json]
) -> None:
    log.write_bytes(lines(e7[:5]).rstrip(b"\n"))
    ingest(store, [log])
    # what follows on the same line is no record
    content = lines(e7[:5]).rstrip(b"\n") + b"x\n" + lines(e7[5:6])
    log.write_bytes(content)
    report = ingest(store, [log])

    assert report.challenges_read == 6
    assert held(store) == read_whole(tmp_path, content)


def test_a_log_that_changed_where_it_was_read_is_read_whole(
    store: Store, log: Path, e7: list[Json]
) -> None:
    log.write_bytes(lines(e7[:5]))
    ingest(store, [log])
    log.write_bytes(lines([e7[7], *e7[1:6]]))

    assert ingest(store, [log]).challenges_read == 6


def test_an_empty_line_more_is_nothing_new(store: Store, log: Path, e7: list[Json]) -> None:
    log.write_bytes(lines(e7[:3]))
    ingest(store, [log])
    log.write_bytes(lines(e7[:3]) + b"\n")
    report = ingest(store, [log])

    assert (report.rejects, report.challenges_read) == ([], 0)


def test_a_log_with_a_broken_line_that_grows_costs_no_other_log_a_reading(
    store: Store, log: Path, tmp_path: Path, e7: list[Json]
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(lines(e7[20:24]))
    begun = lines(e7[:2]) + b'{"label": 1, "\n'
    for rest in (b"", lines(e7[2:4]), lines(e7[2:5])):
        log.write_bytes(begun + rest)
        report = ingest(store, [log, other])

    assert (report.logs_unchanged, report.challenges_read, report.records_rejected) == (1, 5, 1)


def test_what_is_decided_is_decided_again_where_another_ingest_came_first(
    store: Store, log: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_bytes(lines([*e7[:2], broken_value(e7[2])]))
    ingest(store, [log])
    log.write_bytes(log.read_bytes() + lines(e7[3:5]))
    decide = known_logs.logs_to_read
    decided: list[Any] = []

    def after_another(*words: Any) -> Any:
        logs = decide(*words)
        if not decided:
            decided.append(logs)
            ingest(store, [log])
        return logs

    monkeypatch.setattr("analytics.ingest.ingest.logs_to_read", after_another)
    report = ingest(store, [log])

    assert (report.logs_unchanged, report.challenges_read) == (1, 0)
    assert query(store, "SELECT count(*) FROM rejects").rows == [(1,)]


def test_what_is_packed_or_no_lines_is_read_whole(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    packed, array = tmp_path / "log.jsonl.gz", tmp_path / "array.json"
    for count in (3, 5):
        packed.write_bytes(gzip.compress(lines(e7[:count]), mtime=0))
        array.write_text(json.dumps(e7[10 : 10 + count], indent=1), encoding="utf-8")
        report = ingest(store, [packed, array])
        assert report.challenges_read == 2 * count


def test_another_log_that_is_unchanged_stays_unread(
    store: Store, log: Path, tmp_path: Path, e7: list[Json]
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(lines(e7[20:24]))
    log.write_bytes(lines(e7[:3]))
    ingest(store, [log, other])
    log.write_bytes(lines(e7[:5]))
    report = ingest(store, [log, other])

    assert (report.logs_unchanged, report.challenges_read) == (1, 2)


def test_progress_counts_the_bytes_that_are_read(
    store: Store, log: Path, tmp_path: Path, e7: list[Json], golden: Path
) -> None:
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(lines(e7[10:20]), mtime=0))
    log.write_bytes(lines(e7[:5]))
    run = golden / "e7" / "wandb"
    size = sum(path.stat().st_size for path in (log, packed, *run.rglob("*")) if path.is_file())
    totals: list[int] = []
    done: list[int] = []

    @contextmanager
    def progress(_label: str, total: int) -> Iterator[Report]:
        totals.append(total)
        yield lambda count=1, status="": done.append(count)

    ingest(store, [log, packed, run], progress)
    assert totals == [sum(done)] == [size]
    with log.open("ab") as file:
        file.write(lines(e7[5:7]))
    ingest(store, [log, packed, run], progress)
    assert totals[1] == sum(done) - size == len(lines(e7[5:7]))
