from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import haversine_distances

from analytics.leaks.training_rows import read_training_rows
from data.errors import RunError, SourceError
from data.records.cities import EARTH_METRES
from data.scenes.parquet import SCHEMA, scene_row, write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from model.training.source_rows import list_rows, training_table
from model.training.split import split_rows
from model.training.training_row import TrainingRow

TINY = SceneSettings(seed=3, rows=24, size_mix=(((320, 240), 1.0),))


def a_row(
    row: int, label: int = 0, vid: str | None = None, gps: tuple[float, float] | None = None
) -> TrainingRow:
    lat, lon = gps or (None, None)
    return TrainingRow(
        "a.parquet", row, label, (320, 240), {"vid_id": vid, "gps_lat": lat, "gps_lon": lon}
    )


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


@st.composite
def worlds(draw: st.DrawFn) -> list[TrainingRow]:
    """Rows of a few videos, along a few streets, some without either."""
    count = draw(st.integers(30, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = []
    for row in range(count):
        vid = None if rng.random() < 0.2 else f"v{rng.integers(25)}"
        step = rng.integers(300) * 50 / EARTH_METRES  # 50 m apart along a meridian
        gps = None if rng.random() < 0.3 else (float(np.degrees(0.7 + step)), -70.0)
        rows.append(a_row(row, row % 2, vid, gps))
    return rows


@settings(deadline=None, max_examples=40)
@given(worlds(), st.integers(0, 9))
def test_no_video_and_no_place_stands_on_both_sides(rows: list[TrainingRow], seed: int) -> None:
    try:
        split = split_rows(rows, 0.3, seed)
    except RunError:
        return
    indices = np.concatenate((split.training, split.validation))
    assert sorted(indices.tolist()) == list(range(len(rows)))
    assert len(split.validation) <= round(0.3 * len(rows))
    training, validation = ([rows[k] for k in side] for side in (split.training, split.validation))
    videos = [{row.vid_id for row in side if row.vid_id} for side in (training, validation)]
    assert not videos[0] & videos[1]
    here, there = (
        np.radians([row.gps for row in side if row.gps]).reshape(-1, 2)
        for side in (training, validation)
    )
    if len(here) and len(there):
        assert haversine_distances(here, there).min() * EARTH_METRES > 100


def test_the_split_is_of_about_the_share_and_of_the_seed(shards: Shards) -> None:
    rows = [a_row(k, k % 2, f"v{k // 3}") for k in range(300)]
    split = split_rows(rows, 0.2, 1)
    assert split.streets == 100
    assert len(split.validation) == 60
    again, other = split_rows(rows, 0.2, 1), split_rows(rows, 0.2, 2)
    assert np.array_equal(split.validation, again.validation)
    assert not np.array_equal(split.validation, other.validation)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([a_row(k, k % 2, "one") for k in range(40)], "0 with roadwork and 0 without"),
        ([a_row(k, 0, f"v{k}") for k in range(40)], "0 with roadwork and 32 without"),
        ([], "0 with roadwork and 0 without, of 0 rows"),
    ],
)
def test_rows_that_cannot_be_split_are_refused(rows: list[TrainingRow], found: str) -> None:
    with pytest.raises(RunError, match=found):
        split_rows(rows, 0.2, 0)


def test_the_table_is_what_leaks_reads(shards: Shards, tmp_path: Path) -> None:
    rows = list_rows(shards).rows
    training_table(rows).write_parquet(tmp_path / "rows.parquet")
    read = read_training_rows(tmp_path / "rows.parquet")
    assert read.height == 24
    assert read["parquet"].to_list() == [row.parquet for row in rows]
    assert read["vid_id"].to_list() == [row.vid_id for row in rows]
    assert read.filter(pl.col("gps_lat").is_null())["row"].to_list() == [
        row.row for row in rows if row.gps is None
    ]
