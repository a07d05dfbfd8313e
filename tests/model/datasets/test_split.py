import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import haversine_distances

from data.errors import RunError
from data.records.cities import EARTH_METRES
from model.datasets.split import split_rows
from model.datasets.training_row import TrainingRow


def a_row(
    row: int, label: int = 0, vid: str | None = None, gps: tuple[float, float] | None = None
) -> TrainingRow:
    lat, lon = gps or (None, None)
    return TrainingRow(
        "a.parquet", row, label, (320, 240), {"vid_id": vid, "gps_lat": lat, "gps_lon": lon}
    )


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


def test_the_split_is_of_about_the_share_and_of_the_seed() -> None:
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
