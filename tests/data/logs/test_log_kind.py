"""What kind of log a file is, by content and name, and what a reject says of other files."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import LogError
from data.logs.discovery import find_logs, read_log
from data.logs.log_kind import LogKind
from data.records.types import Logged, Reject
from tests.conftest import CASES
from tests.data.logs.compression import zstd_compress

Json = dict[str, Any]


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


def pq_bytes(**columns: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def parquet() -> bytes:
    return pq_bytes(**{"_step": [0], "miner_mcc/uid_4": [0.5]})


def test_rotated_logs_are_read_or_named() -> None:
    items = [i for log in find_logs([CASES / "rotated-logs"]) for i in read_log(log, log.path.name)]
    named = {item.origin.file: item.reason for item in items if isinstance(item, Reject)}
    assert sum(isinstance(item, Logged) for item in items) == 14
    assert named == {}


@pytest.mark.parametrize(
    "name",
    [
        "x.jsonl",
        "x.jsonl.1",
        "x.jsonl.10",
        "x.1.jsonl",
        "x.jsonl-20260101",
        "x.jsonl~",
        "x.log",
        "x.JSONL",
        "x.jsonl.old",
        "x.bak",
        "x",
        "x.txt",
        ".x.jsonl",
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
        ("x.zip.gz", gzip.compress(zipped(b"{}")), "packed data in gzip data"),
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
        ("0000.parquet.gz", gzip.compress(parquet()), "a Parquet table in gzip data"),
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


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tgz", "x"])
@pytest.mark.parametrize(
    "pack",
    [
        zipped,
        tarred,
        lambda content: gzip.compress(tarred(content)),
        lambda content: bz2.compress(tarred(content)),
        lambda content: zstd_compress(tarred(content)),
    ],
)
def test_an_archive_is_told_by_its_content_and_gives_its_members(
    tmp_path: Path, record: Json, name: str, pack: Any
) -> None:
    (tmp_path / name).write_bytes(pack(json.dumps(record).encode()))
    for path in (tmp_path, tmp_path / name):
        logs = find_logs([path])
        assert {log.kind for log in logs} == {LogKind.JSON}
        for log in logs:
            assert isinstance(next(read_log(log, "x")), Logged)


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ({"notes.txt": b"x"}, "no log in this archive"),
        ({"inner.zip": zipped(b"{}")}, "an archive inside an archive"),
        ({"inner.tar.gz": gzip.compress(tarred(b"{}"))}, "an archive inside an archive"),
        ({}, "no log in this archive"),
    ],
)
def test_an_archive_that_holds_no_log_is_named_in_one_line(
    tmp_path: Path, inside: dict[str, bytes], found: str
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    with pytest.raises(LogError, match=found):
        find_logs([tmp_path / "x.zip"])


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


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("history.csv", b"_step,label\n0,1\n"),
        ("people.csv", b"name,born\nA,1\n"),
        ("history.csv.gz", gzip.compress(b"_step,label\n0,1\n")),
        ("history.csv.zst", zstd_compress(b"_step,label\n0,1\n")),
        ("history.txt", b"_step,label\n0,1\n"),
        ("sheet.csv", "_step,label\r\n0,1\r\n".encode("utf-16")),
        ("0000.parquet", pq_bytes(label=[1])),
        ("x.tsv", b""),
        ("cut.parquet", parquet()[:-30]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_table_that_holds_no_log_is_named_in_one_line(
    tmp_path: Path, record: Json, name: str, content: bytes
) -> None:
    (tmp_path / "good.jsonl").write_text(json.dumps(record), encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    assert kinds(tmp_path) == {"good.jsonl": LogKind.JSON, name: LogKind.TABLE}
    for log in find_logs([tmp_path]):
        if log.kind is LogKind.TABLE:
            (reject,) = read_log(log, name)
            assert isinstance(reject, Reject)
            assert "expected a run's history" in reject.reason
            assert "\n" not in reject.reason


def test_source_images_in_a_folder_are_no_log(
    tmp_path: Path, record: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.jsonl").write_text(json.dumps(record), encoding="utf-8")
    shard = tmp_path / "train-00000-of-00001.parquet"
    shard.write_bytes(pq_bytes(Image=[b"x"], id=[1], label=[1]))
    assert kinds(tmp_path) == {"good.jsonl": LogKind.JSON}
    assert "1 Parquet files of images passed over" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(LogError, match="source images go where --sources says"):
        find_logs([shard])
