"""Records of W&B runs fill a store with equal rows by the fast reader and by the strict one."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.ingest.settings import IngestSettings
from analytics.queries.user_sql import query
from data.columnar.clean_record import CleanRecord
from data.columnar.line_reader import CleanLineReader
from data.logs.discovery import find_logs, read_log
from data.store import Store
from tests.conftest import golden_records
from tests.data.tables.history_tables import history_frame
from tests.worlds.wandb_runs import write_media, write_media_files, write_run

Json = dict[str, Any]
Write = Callable[[Path, list[Json]], None]
RELATIONS = ("media", "responses", "history_series", "runs", "rejects")


def live(folder: Path, records: list[Json]) -> None:
    write_run(folder, "ab12cd34", records, started=datetime(2026, 1, 1, tzinfo=UTC))


def downloaded(folder: Path, records: list[Json]) -> None:
    write_media_files(folder / "ab12cd34" / "media" / "html", records)
    history_frame(records).to_parquet(folder / "ab12cd34" / "0000.parquet")


def resumed(folder: Path, records: list[Json]) -> None:
    """Two parts of a run in one folder, each from step 0."""
    for step, record in enumerate(records[:20]):
        write_media(folder / "ab12cd34" / "media" / "html", step, record)
    for step, record in enumerate(records[20:]):
        write_media(folder / "ab12cd34" / "media" / "html", step, record)


def beside_a_table(folder: Path, records: list[Json]) -> None:
    """A run's media, and its history under its id: they are known by the values that both hold."""
    write_media_files(folder / "ab12cd34" / "media" / "html", records)
    history_frame(records).to_csv(folder / "run-ab12cd34.csv", index=False)


def single_pages(folder: Path, records: list[Json]) -> None:
    write_media_files(folder, records)


def odd(folder: Path, records: list[Json]) -> None:
    """A run of which some records only the strict reader reads, or none."""
    records = json.loads(json.dumps(records))
    records[1]["predictions"][0] = float("nan")
    records[2]["label"] = 7
    records[3]["miner_uids"][1] = records[3]["miner_uids"][0]
    live(folder, records)
    (page,) = (folder / "files" / "media" / "html").glob("metadata_4_*")
    page.write_text(f"<html><body><pre>{json.dumps(records[4])}</pre>", encoding="utf-8")
    (page,) = (folder / "files" / "media" / "html").glob("metadata_6_*")
    page.write_text(page.read_text("utf-8").replace("<pre>", "<pre>\ufeff", 1), "utf-8")
    (page,) = (folder / "files" / "media" / "html").glob("metadata_5_*")
    page.write_text(page.read_text("utf-8").replace('"label"', '"label": 1, "label"', 1), "utf-8")


@pytest.mark.parametrize("write", [live, downloaded, resumed, beside_a_table, single_pages, odd])
@pytest.mark.parametrize("era", ["e5", "e9"])
def test_both_readers_give_equal_rows(tmp_path: Path, golden: Path, era: str, write: Write) -> None:
    write(tmp_path / "logs", golden_records(golden, era)[:40])
    contents = []
    for clean in (True, False):
        store = Store(tmp_path / f"store-{clean}")
        ingest(store, [tmp_path / "logs"], settings=IngestSettings(clean_lines=clean))
        contents.append(
            {
                relation: [repr(row) for row in query(store, f"FROM {relation} ORDER BY ALL").rows]
                for relation in RELATIONS
            }
        )
    fast, strict = contents
    assert len(fast["media"]) >= 36
    for relation in RELATIONS:
        assert fast[relation] == strict[relation], relation


def test_media_of_a_run_are_clean(tmp_path: Path, golden: Path) -> None:
    live(tmp_path / "run", golden_records(golden, "e7")[:10])
    (log,) = find_logs([tmp_path / "run"])
    items = list(read_log(log, "x", CleanLineReader()))
    records = [item for item in items if isinstance(item, CleanRecord)]
    assert [record.origin and record.origin.step for record in records] == list(range(10))
