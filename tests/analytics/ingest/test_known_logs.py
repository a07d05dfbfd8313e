"""A log that did not change since it was read is not read again; one that did always is."""

import errno
import gzip
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.store import Store
from tests.worlds.wandb_runs import write_run

Json = dict[str, Any]


def write(path: Path, records: list[Json], rest: str = "") -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records) + rest, encoding="utf-8")
    return path


def settle(path: Path, seconds: float = 60) -> None:
    """Set back the times of a file, or of all files of a folder."""
    now = time.time() - seconds
    for file in (path, *path.rglob("*")):
        os.utime(file, (now, now))


@pytest.fixture
def nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after which reading or publishing anything fails."""

    def forbid() -> None:
        def fail(*_: object, **__: object) -> None:
            raise AssertionError("something was read")

        for place in ("reading.read_log", "ingest.writing"):
            monkeypatch.setattr(f"analytics.ingest.{place}", fail)

    return forbid


@pytest.fixture
def run(tmp_path: Path, golden: Path) -> Path:
    folder = tmp_path / "wandb"
    shutil.copytree(golden / "e7" / "wandb", folder)
    settle(folder)
    return folder


def test_a_settled_log_is_known_by_its_files_alone(
    store: Store,
    tmp_path: Path,
    e7: list[Json],
    nothing_is_read: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = write(tmp_path / "log.jsonl", e7[:5], '{"label": 1}\n')
    settle(log)
    first = ingest(store, [log])
    nothing_is_read()
    monkeypatch.setattr("analytics.ingest.known_logs.file_digest", nothing_is_read)
    second = ingest(store, [log])

    assert (first.logs_unchanged, first.challenges_read) == (0, 5)
    assert (second.logs, second.logs_unchanged) == (["log.jsonl"], 1)
    assert (second.challenges_read, second.changed) == (0, False)
    # what is wrong with it is told again
    assert second.rejects == first.rejects
    assert second.records_rejected == 1


def test_a_log_written_just_now_is_known_by_its_content(
    store: Store, tmp_path: Path, e7: list[Json], nothing_is_read: Callable[[], None]
) -> None:
    log = write(tmp_path / "log.jsonl", e7[:5])
    ingest(store, [log])
    log.touch()
    copy = write(tmp_path / "copy.jsonl", e7[:5])
    nothing_is_read()

    assert ingest(store, [log]).logs_unchanged == 1
    assert ingest(store, [copy]).logs == ["log.jsonl"]


def test_a_change_within_the_resolution_of_times_is_noticed(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    log = write(tmp_path / "log.jsonl", [*e7[:5], {"label": 1}])
    before = log.stat()
    ingest(store, [log])
    changed = log.read_text("utf-8").replace(e7[2]["miner_hotkeys"][0], "another".ljust(48, "x"))
    log.write_text(changed, encoding="utf-8")
    os.utime(log, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = log.stat()

    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert ingest(store, [log]).challenges_new == 1


def test_a_settled_run_is_known_until_one_of_its_files_changes(
    store: Store, run: Path, nothing_is_read: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ingest(store, [run])
    with monkeypatch.context() as context:
        context.setattr("analytics.ingest.reading.read_log", nothing_is_read)
        assert ingest(store, [run]).logs_unchanged == 1
    media = next(run.rglob("metadata_*.html"))
    media.unlink()
    again = ingest(store, [run])

    assert (again.logs_unchanged, again.challenges_read) == (0, first.challenges_read - 1)
    # what was read before stays
    assert query(store, "SELECT count(*) FROM media").rows == [(first.challenges_new,)]


def test_another_version_of_the_reader_reads_again(
    store: Store, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write(tmp_path / "log.jsonl", e7[:5])
    settle(log)
    ingest(store, [log])
    monkeypatch.setattr("analytics.ingest.known_logs.reader_digest", lambda: "another version")

    assert ingest(store, [log]).challenges_read == 5


def test_only_new_logs_are_read_beside_known_ones(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    known = write(tmp_path / "known.jsonl", e7[:5])
    ingest(store, [known])
    new = write(tmp_path / "new.jsonl", e7[5:8])
    report = ingest(store, [known, new])

    assert report.logs == ["known.jsonl", "new.jsonl"]
    assert (report.logs_unchanged, report.challenges_read, report.challenges_new) == (1, 3, 3)


def test_media_on_another_disk_and_a_change_of_rights_are_noticed(
    store: Store, run: Path, tmp_path: Path
) -> None:
    [media] = run.glob("*/files/media")
    elsewhere = tmp_path / "disk"
    media.rename(elsewhere)
    media.symlink_to(elsewhere)
    last = max(elsewhere.rglob("*.html"))
    content = last.read_bytes()
    last.unlink()
    settle(elsewhere)
    first = ingest(store, [run])
    assert ingest(store, [run]).logs_unchanged == 1
    last.write_bytes(content)
    settle(elsewhere)
    again = ingest(store, [run])
    assert (again.logs_unchanged, again.challenges_new) == (0, 1)
    assert first.challenges_new > 1
    last.chmod(0o600)
    assert ingest(store, [run]).logs_unchanged == 0


def test_a_table_that_is_named_after_its_run_later_is_read(store: Store, tmp_path: Path) -> None:
    table = tmp_path / "export.csv"
    table.write_text("_step,miner_mcc/uid_4\n0,0.5\n1,0.25\n", encoding="utf-8")
    assert ingest(store, [table]).records_rejected == 1
    named = table.rename(tmp_path / "ab12cd34.csv")
    report = ingest(store, [named])
    assert (report.logs_unchanged, report.series_steps_new, report.rejects) == (0, 2, [])


def test_a_log_that_the_machine_kept_from_being_read_is_read_again(
    store: Store, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the log, and its content is as it was."""
    log = write(tmp_path / "log.jsonl", e7[:6])
    settle(log)

    def failing(stream: io.BufferedReader) -> Iterator[bytes]:
        yield from [stream.readline() for _ in range(4)]
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("data.logs.json_logs.lines_of", failing)
        first = ingest(store, [log])
    (reject,) = first.rejects
    assert (first.challenges_new, reject["position"]) == (4, 4)
    assert "Too many open files" in reject["reason"]
    second = ingest(store, [log])
    assert (second.challenges_new, second.rejects, second.logs_unchanged) == (2, [], 0)
    assert ingest(store, [log]).logs_unchanged == 1


def test_a_media_file_that_could_not_be_opened_is_read_at_the_next_try(
    store: Store, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run-20260101_120000-ab12cd34"
    write_run(run, "ab12cd34", e7[:3], started=datetime(2026, 1, 1, tzinfo=UTC))
    settle(run)

    def full(*_: object) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("data.logs.media_html.log_text", full)
        first = ingest(store, [run])
    assert (first.challenges_new, len(first.rejects)) == (0, 3)
    second = ingest(store, [run])
    assert (second.challenges_new, second.rejects, second.logs_unchanged) == (3, [], 0)
    assert ingest(store, [run]).logs_unchanged == 1


def test_a_log_that_is_damaged_is_not_read_again(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    whole = gzip.compress(write(tmp_path / "log.jsonl", e7[:6]).read_bytes())
    log = tmp_path / "cut.jsonl.gz"
    log.write_bytes(whole[: len(whole) // 2])
    settle(log)
    assert ingest(store, [log]).rejects
    assert ingest(store, [log]).logs_unchanged == 1
