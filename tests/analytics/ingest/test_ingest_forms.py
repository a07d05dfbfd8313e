"""What an ingest does with logs of every form, name and folder, as a person gives them."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from data.store import Store
from tests.conftest import CASES, golden_records
from tests.worlds.commands_in_forks import completed

Json = dict[str, Any]


def lines(path: Path, records: list[Json]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("case", "challenges", "rejected"),
    [
        ("rotated-logs", 14, 0),
        ("history-exports", 0, 4),
        ("holes", 3, 1),
        ("utf16", 3, 0),
        ("odd-json", 2, 16),
    ],
)
def test_every_file_of_a_case_is_read_or_named(
    store: Store, case: str, challenges: int, rejected: int
) -> None:
    report = ingest(store, [CASES / case])
    assert report.challenges_new == challenges
    assert report.records_rejected == rejected
    named = {row["file"] for row in report.rejects}
    files = query(store, "SELECT DISTINCT file FROM media").rows
    read = {file.split("/")[0] for (file,) in files}  # of a member of an archive the archive
    same = {"pretty.json"} if case == "utf16" else set()  # its record is one of the other file's
    assert named | read | same == {path.name for path in (CASES / case).iterdir()}
    again = ingest(store, [CASES / case])
    assert (again.changed, again.records_rejected) == (False, rejected)


def test_a_form_that_is_not_read_ends_with_status_1_in_one_line(tmp_path: Path) -> None:
    ended = completed(["ingest", CASES / "history-exports", "--store", tmp_path])
    assert ended.returncode == 1
    assert "0 challenges read from 4 logs" in ended.stdout
    assert "4 rejects" in ended.stdout


def test_a_name_that_is_no_utf_8_is_a_name(store: Store, tmp_path: Path, golden: Path) -> None:
    (folder,) = (golden / "e7" / "wandb").iterdir()
    for byte in (b"\xff", b"\xfe"):
        copy = Path(os.fsdecode(os.fsencode(tmp_path) + b"/logs/" + byte))
        copy.mkdir(parents=True)
        shutil.copyfile(
            next(folder.glob("*.wandb")), copy / os.fsdecode(b"run-" + byte + b".wandb")
        )
        # cut off before the run says who it is
        log = next(copy.iterdir())
        log.write_bytes(log.read_bytes()[:9] + byte)
    lines(tmp_path / "logs" / "x.jsonl", golden_records(golden, "e7")[:1])
    report = ingest(store, [tmp_path / "logs"])
    assert report.challenges_new == 1
    assert sorted(report.logs) == ["run-\\xfe.wandb", "run-\\xff.wandb", "x.jsonl"]
    assert not ingest(store, [tmp_path / "logs"]).changed


def test_an_odd_name_ends_no_command(tmp_path: Path, record: Json) -> None:
    name = os.fsdecode(b"\xff\x1b[31m.jsonl")
    lines(tmp_path / name, [record, {}])
    ended = completed(["ingest", tmp_path / name, "--store", tmp_path / "store"])
    assert ended.returncode == 1
    assert "1 new" in ended.stdout
    assert "bug" not in ended.stderr
    assert "\x1b[31m" not in ended.stdout + ended.stderr


def test_copies_read_twice_tell_their_rejects_once(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    records = [*golden_records(golden, "e7")[:2], {}, {"label": 7}]
    for copy in ("a", "b", "c"):
        lines(tmp_path / copy / "x.jsonl", records)
    report = ingest(store, [tmp_path])
    assert (report.challenges_new, report.records_rejected) == (2, 2)
    assert not ingest(store, [tmp_path]).changed
    # one of the copies alone, then all of them again
    for paths in ([tmp_path / "b"], [tmp_path], [tmp_path / "c", tmp_path / "a"]):
        report = ingest(store, paths)
        assert (report.changed, report.records_rejected) == (False, 2)
    assert query(store, "SELECT count(*) FROM rejects").rows == [(2,)]


def test_copies_of_a_broken_run_tell_its_rejects_once(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    (folder,) = (golden / "e7" / "wandb").iterdir()
    for copy in ("a", "b"):
        (tmp_path / copy).mkdir()
        shutil.copy(next(folder.glob("*.wandb")), tmp_path / copy)
    assert ingest(store, [tmp_path]).records_rejected == 40
    assert not ingest(store, [tmp_path / "a"]).changed
    assert not ingest(store, [tmp_path]).changed


def test_new_names_reach_every_relation_at_once(store: Store, tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e7")
    ingest(store, [lines(tmp_path / f"{k}.jsonl", [records[k], {}]) for k in range(3)])
    for k in range(3):
        lines(tmp_path / "more" / f"{k}.jsonl", [records[10 + k], {}])
    ingest(store, [tmp_path / "more"])
    parent = tmp_path.name
    names = [(f"{folder}/{k}.jsonl",) for folder in (parent, "more") for k in range(3)]
    for relation in ("media", "rejects", "logs"):
        sql = f"SELECT DISTINCT file FROM {relation}"  # noqa: S608
        assert sorted(query(store, sql).rows) == sorted(names), relation


def test_a_log_of_half_a_megabyte_of_anything_in_each_text_is_stored(
    store: Store, tmp_path: Path, record: Json
) -> None:
    def filled(text: str) -> Json:
        metadata = {k: text if isinstance(v, str) else v for k, v in record["metadata"].items()}
        return record | {"metadata": metadata, "path": text, "source": text}

    patterns = ("1", "'", "\\", "[", "(", " ", "1'\\[( ")
    records = [filled(text * (5 * 10**5 // len(text))) for text in patterns]
    report = ingest(store, [lines(tmp_path / "x.jsonl", records)])
    assert report.challenges_new == len(patterns)
    assert max(len(row["reason"]) + len(row["excerpt"]) for row in report.rejects) < 1000
