"""Overlap with training rows, against geopy's great circle and by hand."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from geopy.distance import great_circle

from analytics.ingest.ingest import ingest
from analytics.leaks.training_overlap import (
    OverlapSettings,
    challenge_overlap,
    overlap_counts,
)
from analytics.leaks.training_rows import read_training_rows
from analytics.warehouse.connection import reading, writing
from data.store import Store
from tests.conftest import CASES

COLUMNS = ("parquet", "row", "vid_id", "gps_lat", "gps_lon")
Place = tuple[str | None, int | None, str | None, float | None, float | None]


def fill(store: Store, places: list[Place]) -> None:
    with writing(store) as writer:
        writer.connection.executemany(
            "INSERT INTO media BY NAME SELECT ? AS challenge_id, 'f' AS file, ? AS position, "
            "'E7' AS era, ['E7'] AS era_candidates, 0 AS label, ? AS parquet, ? AS row, "
            "? AS vid_id, ? AS gps_lat, ? AS gps_lon, "
            "false AS flip_horizontal, false AS flip_vertical",
            [(f"c{number}", number, *place) for number, place in enumerate(places)],
        )


def training(*places: Place) -> pl.DataFrame:
    kinds = (pl.String, pl.Int64, pl.String, pl.Float64, pl.Float64)
    return pl.DataFrame(places, schema=dict(zip(COLUMNS, kinds, strict=True)), orient="row")


def overlaps(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    with reading(store) as connection:
        return challenge_overlap(connection, rows)


def test_row_video_and_place_are_told_apart(store: Store) -> None:
    fill(
        store,
        [
            ("a.parquet", 1, "v1", 40.0, -80.0),
            ("a.parquet", 2, "v9", 40.0, -80.0),
            ("a.parquet", 3, "v3", 41.0, -80.0),
            ("b.parquet", 1, None, None, None),
            (None, None, None, None, None),
        ],
    )
    rows = training(("a.parquet", 1, "v3", 42.0, -80.0), ("c.parquet", 5, "v9", None, None))

    overlap = overlaps(store, rows)

    assert overlap["challenge_id"].to_list() == ["c0", "c1", "c2", "c3", "c4"]
    assert overlap["by_row"].to_list() == [True, False, False, False, None]
    assert overlap["by_video"].to_list() == [False, True, True, None, None]
    assert overlap["by_gps"].to_list() == [False, False, False, None, None]
    assert overlap["overlaps"].to_list() == [True, True, True, False, False]


def test_distances_are_geopys_and_100_metres_is_the_end(store: Store) -> None:
    rng = np.random.default_rng(1)
    homes = np.column_stack([rng.uniform(-80, 80, 40), rng.uniform(-180, 180, 40)])
    near = homes + rng.uniform(-0.0015, 0.0015, homes.shape)
    fill(store, [("a.parquet", n, None, *place) for n, place in enumerate(near.tolist())])
    rows = training(*(("b.parquet", n, None, *place) for n, place in enumerate(homes.tolist())))

    overlap = overlaps(store, rows)

    expected = [min(great_circle(position, home).meters for home in homes) for position in near]
    assert overlap["metres"].to_list() == pytest.approx(expected, abs=0.01)
    assert overlap["by_gps"].to_list() == [metres <= 100 for metres in expected]
    assert 0 < int(overlap["by_gps"].sum()) < 40


def test_what_the_log_says_of_a_training_row_completes_it(store: Store) -> None:
    """A list of rows alone still finds other rows of the same video and street."""
    fill(
        store,
        [
            ("a.parquet", 1, "v1", 40.0, -80.0),
            ("a.parquet", 2, "v1", 50.0, -80.0),
            ("a.parquet", 3, "v2", 40.0001, -80.0),
        ],
    )
    overlap = overlaps(store, training(("a.parquet", 1, None, None, None)))

    assert overlap["by_row"].to_list() == [True, False, False]
    assert overlap["by_video"].to_list() == [True, True, False]
    assert overlap["by_gps"].to_list() == [True, False, True]


def test_counts_say_what_could_be_compared(store: Store) -> None:
    fill(store, [("a.parquet", 1, "v1", None, None), (None, None, None, None, None)])
    rows = training(("a.parquet", 1, None, None, None), ("a.parquet", 1, None, None, None))

    counts = overlap_counts(overlaps(store, rows), rows, OverlapSettings())

    assert (counts.challenges, counts.overlapping, counts.training_rows) == (2, 1, 1)
    assert (counts.by_row, counts.with_row) == (1, 1)
    assert (counts.by_gps, counts.with_gps, counts.training_places) == (0, 0, 0)


def test_no_training_rows_and_no_challenges_overlap_nothing(store: Store) -> None:
    fill(store, [("a.parquet", 1, "v1", 40.0, -80.0)])
    assert overlaps(store, training())["overlaps"].to_list() == [False]
    with writing(store) as writer:
        writer.connection.execute("DELETE FROM media")
    assert overlaps(store, training(("a.parquet", 1, "v", 1.0, 1.0))).height == 0


def test_video_ids_of_digits_overlap_alike_from_csv_and_from_parquet(
    store: Store, tmp_path: Path
) -> None:
    """`exponent.csv` holds two of the six rows; no challenge is of one of them, but of a video."""
    cases = CASES / "training-rows"
    ingest(store, [cases / "log.jsonl"])
    every_row = read_training_rows(cases / "as_parquet.parquet")
    pl.read_parquet(cases / "as_parquet.parquet").write_csv(tmp_path / "rows.csv")
    assert read_training_rows(tmp_path / "rows.csv").equals(every_row)
    shutil.copy(cases / "as_parquet.parquet", tmp_path / "rows.pq")
    assert read_training_rows(tmp_path / "rows.pq").equals(every_row)
    assert overlaps(store, every_row)["overlaps"].sum() == 40
    two_rows = read_training_rows(cases / "exponent.csv")
    assert two_rows.equals(every_row.filter(pl.col("row").is_in([3, 5])))
    assert overlaps(store, two_rows)["overlaps"].sum() == 13


def test_words_for_nothing_are_no_video_and_a_position_of_nan_is_none(
    store: Store, tmp_path: Path
) -> None:
    """As pandas writes what is missing; all challenges of an unknown video are not one video."""
    path = tmp_path / "rows.parquet"
    words = ["nan", "", "Unknown"]
    places = {"parquet": ["b.parquet"] * 3, "row": [1, 2, 3], "vid_id": words}
    gps = {"gps_lat": [float("nan")] * 3, "gps_lon": [float("nan")] * 3}
    pl.DataFrame(places | gps).write_parquet(path)
    fill(store, [("a.parquet", n, vid, 40.0, -80.0) for n, vid in enumerate(words)])
    rows = read_training_rows(path)
    assert rows["vid_id"].null_count() == rows["gps_lat"].null_count() == 3
    assert not overlaps(store, rows)["overlaps"].any()
