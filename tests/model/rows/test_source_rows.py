from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analytics.leaks.training_rows import read_training_rows
from data.errors import SourceError
from data.scenes.parquet import SCHEMA, scene_row, write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from model.rows.source_rows import list_rows, row_columns

TINY = SceneSettings(seed=3, rows=24, size_mix=(((320, 240), 1.0),))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder = tmp_path_factory.mktemp("sources")
    write_shards(folder, TINY)
    return Shards(folder)


def test_rows_have_label_size_and_metadata(shards: Shards) -> None:
    listed = list_rows(shards)
    assert len(listed.rows) == 24
    assert listed.left_out == {}
    assert {row.label for row in listed.rows} == {0, 1}
    for row in listed.rows:
        assert row.size == (320, 240)
        assert (row.metadata.get("scene_description") is not None) == bool(row.label)
        assert row.vid_id is not None
    assert any(row.gps for row in listed.rows)
    assert any(isinstance(row.metadata.get("weather"), tuple) for row in listed.rows)


def test_rows_that_no_validator_sends_are_left_out_and_counted(tmp_path: Path) -> None:
    drawn: list[dict[str, Any]] = [scene_row(TINY, row) for row in range(24)]
    with_works = next(row for row in drawn if row["label"])
    without = next(row for row in drawn if not row["label"])
    drawn += [
        with_works | {"label": 0},
        without | {"label": 1},
        with_works | {"label": None},
        with_works | {"image": {"bytes": b"\xff\xd8 no image", "path": "x"}},
        with_works | {"image": {"bytes": None, "path": "x"}},
    ]
    pq.write_table(pa.Table.from_pylist(drawn, schema=SCHEMA), tmp_path / "train.parquet")
    listed = list_rows(Shards(tmp_path))
    assert [row.row for row in listed.rows] == list(range(24))
    assert listed.left_out == {
        "never sent: its description contradicts its label": 3,
        "unreadable image": 2,
    }


def test_no_sources_and_other_parquet_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no \*\.parquet shard.*--sources"):
        list_rows(Shards(tmp_path))
    pq.write_table(pa.table({"image": [b"x"], "label": [1]}), tmp_path / "other.parquet")
    with pytest.raises(SourceError, match=r"no column scene_description"):
        list_rows(Shards(tmp_path))


def test_the_table_is_what_leaks_reads_of_the_rows_that_were_seen(
    shards: Shards, tmp_path: Path
) -> None:
    rows = list_rows(shards).rows
    seen = [k for k in range(24) if k % 5]
    row_columns([rows[k] for k in seen]).write_parquet(tmp_path / "rows.parquet")
    read = read_training_rows(tmp_path / "rows.parquet")
    assert read["row"].to_list() == [rows[k].row for k in seen]
    assert read["parquet"].to_list() == [rows[k].parquet for k in seen]
    assert read["vid_id"].to_list() == [rows[k].vid_id for k in seen]
    assert read.filter(pl.col("gps_lat").is_null())["row"].to_list() == [
        rows[k].row for k in seen if rows[k].gps is None
    ]
