"""Archives of every form of a log give what the unpacked folder gives, under names of members."""

import gc
import gzip
import json
import os
import shutil
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.archives.unpack import unpack
from data.store import Store
from tests.conftest import golden_records
from tests.data.logs.compression import zstd_compress
from tests.data.tables.history_tables import history_frame
from tests.worlds.audit_logs import write_lines
from tests.worlds.wandb_runs import write_media_files, write_run

Json = dict[str, Any]


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")


@pytest.fixture
def logs(tmp_path: Path, e7: list[Json]) -> Path:
    """A folder of every form of a log."""
    folder = tmp_path / "logs"
    started = datetime(2026, 1, 1, tzinfo=UTC)
    write_run(folder / "run-20260101_120000-ab12cd34", "ab12cd34", e7[:20], started=started)
    write_lines(folder / "lines" / "x.jsonl", e7[20:30])
    lines = "".join(json.dumps(record) + "\n" for record in e7[30:40])
    (folder / "lines" / "x.jsonl.1.gz").write_bytes(gzip.compress(lines.encode()))
    write_media_files(folder / "downloads" / "ef56gh78" / "media" / "html", e7[40:60])
    history_frame(e7[40:60]).to_parquet(folder / "downloads" / "ef56gh78" / "0000.parquet")
    history_frame(e7[60:70]).to_csv(folder / "downloads" / "ij90kl12.csv", index=False)
    return folder


def packed(logs: Path, form: str) -> Path:
    path = logs.parent / f"all{form}"
    if form == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(logs.rglob("*")):
                archive.write(file, file.relative_to(logs))
        return path
    with tarfile.open(logs.parent / "all.tar", "w") as archive:
        archive.add(logs, ".")
    raw = (logs.parent / "all.tar").read_bytes()
    if form in (".tar.gz", ".tgz"):
        raw = gzip.compress(raw)
    path.write_bytes(zstd_compress(raw) if form == ".tar.zst" else raw)
    return path


def contents(store: Store) -> list[list[tuple[Any, ...]]]:
    relations = (
        "SELECT * EXCLUDE (file, position) FROM media ORDER BY ALL",
        "SELECT * FROM responses ORDER BY ALL",
        "SELECT * FROM miner_series ORDER BY ALL",
        "SELECT * EXCLUDE (file) FROM runs ORDER BY ALL",
    )
    return [query(store, sql).rows for sql in relations]


@pytest.mark.parametrize("form", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst"])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, logs: Path, form: str) -> None:
    folder, archive = Store(tmp_path / "folder"), Store(tmp_path / "archive")
    assert not ingest(folder, [logs]).rejects
    path = packed(logs, form)
    report = ingest(archive, [path])
    assert not report.rejects
    assert report.challenges_new == 60
    assert sorted(report.logs) == [
        f"{path.name}/downloads/ef56gh78",
        f"{path.name}/downloads/ij90kl12.csv",
        f"{path.name}/lines/x.jsonl",
        f"{path.name}/lines/x.jsonl.1.gz",
        f"{path.name}/run-20260101_120000-ab12cd34/run-ab12cd34.wandb",
    ]
    assert contents(archive) == contents(folder)
    assert not ingest(archive, [path]).changed
    both = ingest(folder, [path])
    assert (both.challenges_new, both.rejects) == (0, [])


def test_two_archives_of_one_name_are_told_apart(tmp_path: Path, store: Store, logs: Path) -> None:
    for place in "ab":
        (tmp_path / place).mkdir()
    shutil.move(packed(logs, ".zip"), tmp_path / "a" / "all.zip")
    (logs / "lines" / "x.jsonl").unlink()
    shutil.move(packed(logs, ".zip"), tmp_path / "b" / "all.zip")
    write_lines(logs / "lines" / "x.jsonl", [])
    report = ingest(store, [tmp_path / "a", tmp_path / "b"])
    assert report.challenges_new == 60
    assert "all.zip/lines/x.jsonl" in report.logs


def test_a_downloaded_run_zipped_by_its_id_is_that_run(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    write_media_files(tmp_path / "media" / "html", e7[:5])
    with zipfile.ZipFile(tmp_path / "ab12cd34.zip", "w") as archive:
        for file in (tmp_path / "media").rglob("*.html"):
            archive.write(file, file.relative_to(tmp_path))
    report = ingest(store, [tmp_path / "ab12cd34.zip"])
    assert (report.logs, report.rejects) == (["ab12cd34.zip"], [])
    assert query(store, "SELECT DISTINCT run_id, file FROM media").rows == [
        ("ab12cd34", "ab12cd34.zip")
    ]


def test_a_cut_archive_keeps_its_whole_members_and_says_so(
    store: Store, tmp_path: Path, logs: Path
) -> None:
    path = packed(logs, ".tar.gz")
    path.write_bytes(path.read_bytes()[:-20_000])
    report = ingest(store, [path])
    assert 0 < report.challenges_new < 60
    reasons = {row["file"]: row["reason"] for row in report.rejects}
    assert "what follows is lost" in reasons["all.tar.gz"]
    again = ingest(store, [path])
    assert (again.changed, again.rejects) == (False, report.rejects)


def test_a_rejected_record_names_the_member(store: Store, tmp_path: Path, e7: list[Json]) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        lines = json.dumps(e7[0]) + '\n{"label": 1, "pre\n'
        archive.writestr("../'; drop table media; --.jsonl", lines)
    report = ingest(store, [tmp_path / "x.zip"])
    assert report.challenges_new == 1
    assert [(row["file"], row["position"]) for row in report.rejects] == [
        ("x.zip/'; drop table media; --.jsonl", 1)
    ]


def test_an_archive_that_was_packed_again_gives_what_is_new(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    path = tmp_path / "x.zip"
    started = datetime(2026, 1, 1, tzinfo=UTC)
    for count in (5, 8):
        folder = tmp_path / str(count)
        write_lines(folder / "x.jsonl", e7[:count])
        write_run(folder / "run", "ab12cd34", e7[20 : 20 + count], started=started)
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))
        report = ingest(store, [path])
        assert (report.challenges_new, report.rejects) == (10 if count == 5 else 6, [])
    names = "SELECT DISTINCT file FROM media ORDER BY 1"
    assert query(store, names).rows == [("x.zip/run/run-ab12cd34.wandb",), ("x.zip/x.jsonl",)]
    assert query(
        store, "SELECT max(segment), count(*) FROM media WHERE run_id IS NOT NULL"
    ).rows == [(0, 8)]
    assert not ingest(store, [path]).changed


def test_nothing_of_an_archive_stays_in_the_scratch_folder(
    tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    ingest(Store(tmp_path / "store"), [packed(logs, ".zip")])
    gc.collect()
    assert list(scratch.glob("streetreplay-*")) == []


def test_a_member_in_countless_folders_costs_itself(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a/" * 500 + "x.jsonl", json.dumps(e7[0]))
        archive.writestr("y.jsonl", json.dumps(e7[1]))
    report = ingest(store, [tmp_path / "x.zip"])
    assert (report.challenges_new, report.logs) == (1, ["x.zip", "x.zip/y.jsonl"])
    (reject,) = report.rejects
    assert "members more than 31 folders deep (a/a/a/" in reject["reason"]


def test_a_known_archive_is_not_unpacked_again(
    store: Store, tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(logs, ".tar.gz")
    path.write_bytes(path.read_bytes()[:-20_000])
    (tmp_path / "lines").mkdir()
    loose = write_lines(tmp_path / "lines" / "y.jsonl", [])
    loose.write_text((logs / "lines" / "x.jsonl").read_text().replace("0.25", "0.5"))
    for file in (path, loose):
        os.utime(file, (1e9, 1e9))
    first = ingest(store, [path, loose])
    with monkeypatch.context() as patched:
        patched.setattr("data.logs.discovery.unpack", None)
        again = ingest(store, [path, loose])
        assert (again.changed, again.logs, again.rejects) == (False, first.logs, first.rejects)
        assert again.logs_unchanged == len(first.logs)
    # where a log was rewritten, every log is read
    loose.write_text((logs / "lines" / "x.jsonl").read_text().replace("0.25", "0.75"))
    rewritten = ingest(store, [path, loose])
    assert rewritten.logs == first.logs
    assert rewritten.logs_unchanged == 0
    # another archive in its place is unpacked
    os.utime(path, (2e9, 2e9))
    path.write_bytes(packed(logs, ".zip").read_bytes())
    os.utime(path, (1e9, 1e9))
    assert "all.tar.gz/downloads/ij90kl12.csv" in ingest(store, [path]).logs


def test_an_archive_of_which_the_store_lacks_a_log_is_unpacked(
    store: Store, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member that is a copy of a log elsewhere is known by that one alone."""
    loose = write_lines(tmp_path / "x.jsonl", e7[:5])
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(loose, "copy.jsonl")
        archive.writestr("y.jsonl", json.dumps(e7[7]))
    os.utime(loose, (1e9, 1e9))
    os.utime(tmp_path / "x.zip", (1e9, 1e9))
    ingest(store, [loose])
    ingest(store, [tmp_path / "x.zip"])
    unpacked: list[Path] = []

    def noted(path: Path, *rest: Any, **named: Any) -> Any:
        unpacked.append(path)
        return unpack(path, *rest, **named)

    monkeypatch.setattr("data.logs.discovery.unpack", noted)
    assert not ingest(store, [tmp_path / "x.zip"]).changed
    assert unpacked == [tmp_path / "x.zip"]
