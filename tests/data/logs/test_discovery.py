"""Which files of a folder are logs, whatever they are called, and what is said of the others."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import LogError
from data.logs.discovery import find_logs, read_log
from data.logs.file_names import file_names, path_text
from data.logs.log_kind import LogFile, LogKind
from data.records.types import Logged, Reject, SeriesStep
from tests.conftest import CASES
from tests.worlds.compression import zstd_compress

Json = dict[str, Any]
NOBODY = 65534


def kinds(folder: Path) -> dict[str, LogKind]:
    return {log.path.name: log.kind for log in find_logs([folder])}


def tarred(content: bytes, name: str = "challenges.jsonl") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("a.jsonl", "b.jsonl"):
            archive.writestr(name, content)
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"_step": [0], "miner_mcc/uid_4": [0.5]}), stream)
    return stream.getvalue()


def test_rotated_logs_are_read_or_named() -> None:
    items = [i for log in find_logs([CASES / "rotated-logs"]) for i in read_log(log, log.path.name)]
    named = {item.origin.file: item.reason for item in items if isinstance(item, Reject)}
    assert sum(isinstance(item, Logged) for item in items) == 10
    assert named.keys() == {"challenges-3.zip", "old.tar.gz"}
    assert "a zip archive" in named["challenges-3.zip"]
    assert "a tar archive in gzip data" in named["old.tar.gz"]
    assert all("unpack it first" in reason for reason in named.values())


@pytest.mark.parametrize(
    "name",
    [
        *(
            "x.jsonl",
            "x.jsonl.1",
            "x.jsonl.10",
            "x.1.jsonl",
            "x.jsonl-20260101",
            "x.jsonl~",
            "x.log",
        ),
        *("x.JSONL", "x.jsonl.old", "x.bak", "x", "x.txt", ".x.jsonl"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstd_compress])
def test_a_log_is_told_by_its_content_whatever_it_is_called(
    tmp_path: Path, record: Json, name: str, pack: Any
) -> None:
    line = json.dumps(record).encode() + b"\n"
    (tmp_path / name).write_bytes(pack(line))
    (tmp_path / f"{name}.2.gz").write_bytes(pack(b"\0" * 9000 + b"\n[" + line + b"]"))
    logs = find_logs([tmp_path])
    assert [log.kind for log in logs] == [LogKind.JSON] * 2
    for log in logs:
        assert sum(isinstance(item, Logged) for item in read_log(log, "x")) == 1


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("x.zip", zipped(b"{}"), "a zip archive"),
        ("x", zipped(b"{}"), "a zip archive"),
        ("x.tar", tarred(b"{}"), "a tar archive"),
        ("x.tgz", gzip.compress(tarred(b"{}")), "a tar archive in gzip data"),
        ("x.tar.zst", zstd_compress(tarred(b"{}")), "a tar archive in zstd data"),
        ("x.tar.bz2", bz2.compress(tarred(b"{}")), "a tar archive in bzip2 data"),
        ("x.jsonl.gz.gz", gzip.compress(gzip.compress(b"{}")), "packed data in gzip data"),
        ("x.jsonl.xz", lzma.compress(b"{}"), "xz data"),
        ("x.jsonl.lz4", b"\x04\x22\x4d\x18rest", "lz4 data"),
        ("x.jsonl.Z", b"\x1f\x9drest", "compress (.Z) data"),
        ("x.7z", b"7z\xbc\xaf\x27\x1crest", "a 7z archive"),
        ("x.rar", b"Rar!\x1a\x07rest", "a rar archive"),
        ("x.jsonl.br", b"\x8b\x01\n\x80\n{}\x03", "packed data of an unknown form"),
        (
            "x.jsonl.lzma",
            lzma.compress(b"{}", format=lzma.FORMAT_ALONE),
            "packed data of an unknown",
        ),
        ("history.pkl", pickle.dumps([{"_step": 0}]), "a pickle, which could run code"),
        ("history.db", b"SQLite format 3\0rest", "a SQLite database"),
        ("run-a.wandb.gz", gzip.compress(b":W&B\xe1\xbe\x00"), "a W&B transaction log in gzip"),
        ("0000.parquet", parquet(), "a Parquet table"),
        ("0000.parquet.gz", gzip.compress(parquet()), "a Parquet table in gzip data"),
        ("history.csv", b"_step,label\n0,1\n", "a CSV table"),
        ("history.csv.gz", gzip.compress(b"_step,label\n0,1\n"), "a CSV table"),
        ("history.txt", b"_step,label\n0,1\n", "a CSV table"),
        ("panel.txt", b'"Step","orange-9 - miner_mcc/uid_4"\n0,1\n', "a CSV table"),
        ("sheet.csv", "_step,label\r\n0,1\r\n".encode("utf-16"), "a CSV table"),
    ],
    # by name: packed bytes hold the time at which they were packed
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_form_that_is_not_read_is_named_in_one_line(
    tmp_path: Path, record: Json, name: str, content: bytes, found: str
) -> None:
    (tmp_path / "good.jsonl").write_text(json.dumps(record), encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    logs = {log.path.name: log for log in find_logs([tmp_path])}
    assert logs["good.jsonl"].kind is LogKind.JSON
    (reject,) = read_log(logs[name], name)
    assert isinstance(reject, Reject)
    assert "expected" in reject.reason
    assert "\n" not in reject.reason
    assert found in reject.reason
    with pytest.raises(LogError, match="expected"):
        find_logs([tmp_path / name])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", b"# Logs\n\nof _step and more\n"),
        ("config.yaml", b"wandb_version: 1\n"),
        ("settings.toml", b"[tool]\nname = 1\n"),
        ("debug.log", b"[2026-01-01 10:00:00] started\n"),
        ("image.jpeg", b"\xff\xd8\xff\xe0"),
        ("drawing.svg", b"<svg/>"),
        ("empty", b""),
        ("holes", b"\0" * 100),
    ],
)
def test_what_is_no_log_is_passed_over(
    tmp_path: Path, record: Json, name: str, content: bytes
) -> None:
    (tmp_path / "good.jsonl").write_text(json.dumps(record), encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    assert kinds(tmp_path) == {"good.jsonl": LogKind.JSON}


def test_packed_data_without_json_is_named_unless_a_person_names_it(tmp_path: Path) -> None:
    (tmp_path / "syslog.2.gz").write_bytes(gzip.compress(b"started\n"))
    with pytest.raises(LogError, match="gzip data without JSON"):
        find_logs([tmp_path])
    (log,) = find_logs([tmp_path / "syslog.2.gz"])
    assert log.kind is LogKind.JSON


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


def test_media_files_and_runs_are_told_by_content_too(tmp_path: Path, record: Json) -> None:
    page = f"<pre>{json.dumps(record)}</pre>".encode()
    for name, content in (
        ("metadata_1_ab.html.gz", gzip.compress(page)),
        ("page", page),
        ("page.HTM", page),
        ("run.1", b":W&B\xe1\xbe\x00"),
    ):
        (tmp_path / name).write_bytes(content)
    assert kinds(tmp_path) == {
        "metadata_1_ab.html.gz": LogKind.HTML,
        "page": LogKind.HTML,
        "page.HTM": LogKind.HTML,
        "run.1": LogKind.WANDB,
    }
    for log in find_logs([tmp_path]):
        if log.kind is LogKind.HTML:
            assert isinstance(next(read_log(log, "x")), Logged)


def test_a_history_export_is_one_line_in_every_form() -> None:
    for path in sorted((CASES / "history-exports").iterdir()):
        for log in find_logs([CASES / "history-exports"]):
            if log.path.name == path.name:
                (reject,) = read_log(log, path.name)
                assert isinstance(reject, Reject)
                assert "a history holds no Media records: give the run's folder" in reject.reason


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
        (tmp_path / name).write_bytes(zipped(b"{}"))
    with pytest.raises(LogError, match=r"a\.zip: found a zip archive.*and 1 more"):
        find_logs([tmp_path])


def test_a_path_inside_another_or_named_twice_costs_nothing(tmp_path: Path, record: Json) -> None:
    inner = tmp_path / "logs" / "inner"
    inner.mkdir(parents=True)
    for path in (inner.parent / "a.jsonl", inner / "b.jsonl"):
        path.write_text(json.dumps(record) + "\n")
    for paths in ([inner.parent, inner], [inner, inner.parent], [inner.parent, inner.parent]):
        assert {log.path.name for log in find_logs(paths)} == {"a.jsonl", "b.jsonl"}
        assert len(find_logs(paths)) == 2


def test_names_are_as_many_folders_as_tell_files_apart() -> None:
    paths = [Path("/a/b/x"), Path("/c/b/x"), Path("/y"), Path("/d/b/x")]
    assert file_names(paths) == ["a/b/x", "c/b/x", "y", "d/b/x"]
    assert file_names([Path("/x"), Path("/a/x")]) == ["x", "a/x"]
    assert file_names([Path("/a/x"), Path("/b/x")]) == ["a/x", "b/x"]
    assert file_names([Path("/x/x"), Path("/x/x/x")]) == ["x/x", "x/x/x"]


class _CountedPath(type(Path())):  # type: ignore[misc]
    """A path that counts how often its parts are asked for."""

    asked = 0

    @property
    def parts(self) -> tuple[str, ...]:
        _CountedPath.asked += 1
        return tuple(super().parts)

    def __eq__(self, other: object) -> bool:
        _CountedPath.asked += 1
        return bool(super().__eq__(other))

    __hash__ = Path.__hash__


def test_many_files_of_one_name_are_named_in_proportion() -> None:
    paths = [_CountedPath(f"/logs/{k}/a/b/x.jsonl") for k in range(2000)]
    _CountedPath.asked = 0
    assert len(set(file_names(paths))) == 2000
    assert _CountedPath.asked <= 10 * len(paths)


def test_a_name_that_is_no_utf_8_is_text_and_different_from_others() -> None:
    names = [Path(os.fsdecode(b"/a/run-%c.wandb" % byte)) for byte in (0xFE, 0xFF)]
    assert file_names(names) == ["run-\\xfe.wandb", "run-\\xff.wandb"]
    assert path_text(Path("/é/x")) == "/é/x"
