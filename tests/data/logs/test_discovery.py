"""Finding logs below folders: unreadable files and folders, histories, paths named twice."""

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data.errors import LogError
from data.logs.discovery import find_logs, read_log
from data.logs.log_kind import LogFile, LogKind
from data.records.types import Logged, Reject, SeriesStep
from tests.conftest import CASES

Json = dict[str, Any]
NOBODY = 65534


def test_a_rotated_log_that_begins_inside_a_record_keeps_the_whole_ones(
    tmp_path: Path, record: Json
) -> None:
    line = json.dumps(record).encode()
    (tmp_path / "x.jsonl.2.gz").write_bytes(gzip.compress(line[5000:] + b"\n" + line))
    (log,) = find_logs([tmp_path])
    items = list(read_log(log, "x"))
    assert isinstance(items[-1], Logged)
    assert all(isinstance(item, Reject) for item in items[:-1])
    assert len(items) == 2


def test_a_history_export_that_cannot_be_placed_is_one_line_in_every_form() -> None:
    remedies = ("give the run's folder", "name the table after its run", "export whole rows")
    for path in sorted((CASES / "history-exports").iterdir()):
        for log in find_logs([CASES / "history-exports"]):
            if log.path.name == path.name:
                (reject,) = read_log(log, path.name)
                assert isinstance(reject, Reject)
                assert any(remedy in reject.reason for remedy in remedies), path.name


def test_history_rows_beside_challenges_are_counted_in_one_line(
    tmp_path: Path, record: Json
) -> None:
    row = {"_step": 3, "_timestamp": 1.0, "miner_mcc/uid_4": 0.5}
    lines = [json.dumps(value) for value in (row, record, row, row)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (log,) = find_logs([tmp_path])
    challenge, reject = read_log(log, "x")
    assert isinstance(challenge, Logged)
    assert challenge.origin.position == 1
    assert isinstance(reject, Reject)
    assert "found 3 rows of a W&B history" in reject.reason


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may read everything: becomes nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anyone may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for path in folder.rglob("*"):
            path.chmod(0o755)


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_a_folder_that_may_not_be_read_costs_itself_not_its_neighbours(
    open_folder: Path, record: Json, mode: int
) -> None:
    for name in ("a", "b", "c"):
        (open_folder / name).mkdir()
        (open_folder / name / "x.jsonl").write_text(json.dumps(record), encoding="utf-8")
    (open_folder / "b").chmod(mode)
    with without_rights():
        by_folder = find_logs([open_folder])
        one_by_one = find_logs([open_folder / name for name in ("a", "b", "c")])
    for logs in (by_folder, one_by_one):
        assert [log.kind for log in logs] == [LogKind.JSON, LogKind.UNREAD, LogKind.JSON]
        assert "Permission denied" in logs[1].reason


def test_a_file_that_may_not_be_read_costs_itself(open_folder: Path, record: Json) -> None:
    for name in ("a.jsonl", "b.jsonl", "c"):
        (open_folder / name).write_text(json.dumps(record), encoding="utf-8")
    for name in ("b.jsonl", "c"):
        (open_folder / name).chmod(0)
    with without_rights():
        logs = find_logs([open_folder])
    assert [log.kind for log in logs] == [LogKind.JSON, LogKind.UNREAD, LogKind.UNREAD]
    assert all("Permission denied" in log.reason for log in logs[1:])


@pytest.fixture
def run_folder(open_folder: Path, golden: Path) -> Path:
    """A copy of the golden run, in a folder that anyone may enter."""
    (folder,) = (golden / "e7" / "wandb").iterdir()
    copy = open_folder / folder.name
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    list(read_log(LogFile(next(copy.glob("*.wandb")), LogKind.WANDB), "run"))  # imports wandb
    return copy


@pytest.mark.parametrize("mode", [0o000, 0o111])
def test_media_that_may_not_be_listed_are_one_reject_and_the_series_are_kept(
    run_folder: Path, mode: int
) -> None:
    (run_folder / "files" / "media" / "html").chmod(mode)
    (log,) = find_logs([run_folder])
    with without_rights():
        items = list(read_log(log, "run"))
    rejects = [item for item in items if isinstance(item, Reject)]
    assert ["Permission denied" in reject.reason for reject in rejects] == [True]
    assert sum(isinstance(item, SeriesStep) for item in items) == 40


def test_media_of_a_downloaded_run_that_may_not_be_listed_are_one_reject(
    run_folder: Path,
) -> None:
    (run_folder / "files" / "media" / "html").chmod(0)
    (log,) = find_logs([run_folder / "files"])
    with without_rights():
        items = list(read_log(log, "run"))
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert "media: found Permission denied" in reject.reason


def test_a_media_file_that_may_not_be_read_costs_itself(run_folder: Path) -> None:
    (media,) = run_folder.rglob("metadata_7_*.html")
    media.chmod(0)
    (log,) = find_logs([run_folder])
    with without_rights():
        items = list(read_log(log, "run"))
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert reject.origin.step == 7
    assert "Permission denied" in reject.reason
    assert sum(isinstance(item, Logged) for item in items) == 39


def test_a_folder_that_fails_for_another_reason_costs_itself(
    tmp_path: Path, record: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jsonl").write_text(json.dumps(record), encoding="utf-8")
    listed = Path.iterdir

    def failing(folder: Path) -> Iterator[Path]:
        if folder.name == "a":
            raise OSError(5, "Input/output error")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", failing)
    unread, read = find_logs([tmp_path])
    assert (unread.kind, read.kind) == (LogKind.UNREAD, LogKind.JSON)
    assert "Input/output error" in unread.reason


def test_what_holds_nothing_that_is_read_is_an_error(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(b"PK\x03\x04rest")
    with pytest.raises(LogError, match=r"a\.zip: found no list of its members.*and 1 more"):
        find_logs([tmp_path])


def test_a_path_inside_another_or_named_twice_costs_nothing(tmp_path: Path, record: Json) -> None:
    inner = tmp_path / "logs" / "inner"
    inner.mkdir(parents=True)
    for path in (inner.parent / "a.jsonl", inner / "b.jsonl"):
        path.write_text(json.dumps(record) + "\n")
    for paths in ([inner.parent, inner], [inner, inner.parent], [inner.parent, inner.parent]):
        assert {log.path.name for log in find_logs(paths)} == {"a.jsonl", "b.jsonl"}
        assert len(find_logs(paths)) == 2


def test_folders_in_countless_folders_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    for depth, name in ((60, "x.jsonl"), (400, "y.jsonl")):
        folder = tmp_path.joinpath(*["a"] * depth)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    (tmp_path / "z.jsonl").write_text("{}")
    logs = find_logs([tmp_path])
    assert [log.path.name for log in logs] == ["a", "x.jsonl", "z.jsonl"]
    assert "a folder 65 folders deep; expected at most 64" in logs[0].reason
