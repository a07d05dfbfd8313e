from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import haversine_distances

from data.errors import RunError
from data.records.cities import EARTH_METRES
from model.rows.settings import SplitSettings
from model.rows.split import PARTS, Split, split_rows, split_table
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from tests.model.datasets.drawn_rows import a_city, a_row, worlds

THIRDS = SplitSettings(validation=0.3, holdout=0.2)


def parts(split: Split) -> list[list[int]]:
    return [split.training.tolist(), split.validation.tolist(), split.holdout.tolist()]


@settings(deadline=None, max_examples=40)
@given(worlds(), st.integers(0, 9), st.sampled_from([0.0, 0.2]))
def test_no_video_and_no_place_stands_in_two_parts(
    rows: list[TrainingRow], seed: int, holdout: float
) -> None:
    try:
        split = split_rows(rows, SplitSettings(0.3, holdout, seed))
    except RunError:
        return
    divided = parts(split)
    assert sorted(index for part in divided for index in part) == list(range(len(rows)))
    assert all(part == sorted(part) for part in divided)
    assert bool(divided[2]) == bool(holdout)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        here, there = ([rows[k] for k in divided[side]] for side in (one, other))
        videos = [{row.vid_id for row in side if row.vid_id} for side in (here, there)]
        assert not videos[0] & videos[1]
        places = [
            np.radians([row.gps for row in side if row.gps]).reshape(-1, 2)
            for side in (here, there)
        ]
        if all(map(len, places)):
            assert haversine_distances(*places).min() * EARTH_METRES > 100


@settings(deadline=None, max_examples=40)
@given(worlds(), st.integers(0, 9))
def test_no_street_of_the_training_would_bring_a_part_nearer_its_share(
    rows: list[TrainingRow], seed: int
) -> None:
    try:
        split = split_rows(rows, replace(THIRDS, seed=seed))
    except RunError:
        return
    labels = np.array([row.label for row in rows])
    wanted = np.bincount(labels, minlength=2)
    for part, share in ((split.validation, 0.3), (split.holdout, 0.2)):
        held = np.bincount(labels[part], minlength=2)
        off = np.abs(held - np.round(share * wanted)).sum()
        for street in np.unique(split.street_of_row[split.training]):
            more = np.bincount(labels[split.street_of_row == street], minlength=2)
            assert np.abs(held + more - np.round(share * wanted)).sum() >= off


@settings(deadline=None, max_examples=25)
@given(worlds(), st.integers(0, 9))
def test_the_order_of_rows_changes_nothing(rows: list[TrainingRow], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = [rows[k] for k in order]
    try:
        split = split_rows(rows, THIRDS)
    except RunError:
        with pytest.raises(RunError):
            split_rows(shuffled, THIRDS)
        return
    again = split_rows(shuffled, THIRDS)
    for part, other in zip(parts(split), parts(again), strict=True):
        assert part == sorted(order[other].tolist())
    assert split_table(rows, split).equals(split_table(shuffled, again))


@pytest.mark.parametrize("seed", range(5))
def test_each_part_has_its_share_of_each_label(seed: int) -> None:
    """2,000 rows of some 300 streets: to two rows, where a twentieth would be 100."""
    rows = a_city(2000, seed)
    split = split_rows(rows, SplitSettings(0.15, 0.1, seed))
    assert split.streets > 250
    labels = np.array([row.label for row in rows])
    assert 0.15 < labels.mean() < 0.45
    for part, share in zip(parts(split), (0.75, 0.15, 0.1), strict=True):
        counts = np.bincount(labels[part], minlength=2)
        assert np.abs(counts - share * np.bincount(labels)).max() <= 2


def test_the_split_is_of_its_own_seed_alone_and_pinned() -> None:
    """Pinned, so that another machine, or another release of a library, draws the same."""
    rows = [a_row(k, k % 2, f"v{k // 3}") for k in range(300)]
    split = split_rows(rows, SplitSettings(0.2, 0.1, 1))
    assert split.streets == 100
    assert list(map(len, parts(split))) == [210, 60, 30]
    held_out = np.unique(split.street_of_row[split.holdout])
    assert held_out.tolist() == [28, 37, 40, 47, 48, 56, 76, 84, 93, 95]
    assert parts(split_rows(rows, SplitSettings(0.2, 0.1, 1))) == parts(split)
    other = split_rows(rows, SplitSettings(0.2, 0.1, 2))
    assert not np.array_equal(split.validation, other.validation)
    assert not np.array_equal(split.holdout, other.holdout)


def test_another_share_to_validate_leaves_the_holdout() -> None:
    rows = a_city(600, 0)
    few, many = (split_rows(rows, SplitSettings(share, 0.1)) for share in (0.1, 0.4))
    assert np.array_equal(few.holdout, many.holdout)
    assert len(few.validation) < len(many.validation)


def test_one_giant_street_is_trained_on_and_the_shares_hold() -> None:
    giant = [a_row(k, k % 2, "giant") for k in range(700)]
    rows = giant + [a_row(k, k % 2, f"v{k // 2}") for k in range(700, 1000)]
    split = split_rows(rows, SplitSettings(0.15, 0.1))
    assert set(range(700)) <= set(split.training.tolist())
    assert list(map(len, parts(split))) == [750, 150, 100]


def test_a_few_rows_without_video_or_place_are_split_by_row() -> None:
    rows = [a_row(k, k % 2) for k in range(6)]
    split = split_rows(rows)
    assert split.streets == 6
    assert [sorted(k % 2 for k in part) for part in parts(split)] == [[0, 1]] * 3


def test_a_few_large_streets_miss_the_shares_rather_than_refuse() -> None:
    rows = [a_row(k, k % 2, f"v{k // 20}") for k in range(60)]
    assert list(map(len, parts(split_rows(rows)))) == [20, 20, 20]
    two = split_rows(rows[:40], SplitSettings(holdout=0.0))
    assert list(map(len, parts(two))) == [20, 20, 0]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([a_row(k, k % 2, "one") for k in range(40)], r"40 rows in 1 streets"),
        ([a_row(k, 0, f"v{k}") for k in range(40)], "0 with roadwork and 30 without, of 40"),
        ([a_row(k, 1, f"v{k}") for k in range(40)], "30 with roadwork and 0 without, of 40"),
        ([a_row(k, k % 2) for k in range(3)], "of 3 rows in 3 streets"),
        ([], "0 with roadwork and 0 without, of 0 rows in 0 streets"),
    ],
)
def test_rows_that_cannot_be_split_are_refused(rows: list[TrainingRow], found: str) -> None:
    with pytest.raises(RunError, match=found) as error:
        split_rows(rows)
    assert "\n" not in str(error.value)


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(RunError, match=r"0\.6 and 0\.4.*sum below 1"):
        SplitSettings(validation=0.6, holdout=0.4)


def test_the_table_names_each_row_with_its_part_and_street() -> None:
    rows = [*a_city(200, 1), a_row(200, 1, None, (42.0, -71.0))]
    split = split_rows(rows)
    table = split_table(rows, split)
    assert table.schema == {
        "parquet": pl.String,
        "row": pl.Int64,
        "part": pl.String,
        "street": pl.Int64,
        "label": pl.Int64,
        "vid_id": pl.String,
        "gps_lat": pl.Float64,
        "gps_lon": pl.Float64,
    }
    assert table["row"].to_list() == list(range(201))
    assert table["street"].to_list() == split.street_of_row.tolist()
    assert table["label"].to_list() == [row.label for row in rows]
    for name, part in zip(PARTS, parts(split), strict=True):
        assert table.filter(part=name)["row"].to_list() == part
    assert table.row(-1)[-3:] == (None, 42.0, -71.0)


@settings(deadline=None, max_examples=40)
@given(worlds(), st.integers(0, 9), st.integers(1, 20))
def test_rows_of_an_earlier_split_stay_in_their_parts(
    rows: list[TrainingRow], seed: int, known: int
) -> None:
    asked = replace(THIRDS, seed=seed)
    try:
        before = split_rows(rows[:known], asked)
        now = split_rows(rows, asked, earlier=split_table(rows[:known], before))
    except RunError:
        return
    was = np.empty(known, np.int64)
    for part, indices in enumerate(parts(before)):
        was[indices] = part
    streets = streets_of_rows(rows)
    # new rows may join streets that were apart: one that was trained on wins, then the validation
    of_street = {street: min(was[streets[:known] == street]) for street in set(streets[:known])}
    for part, indices in enumerate(parts(now)):
        assert all(of_street.get(streets[index], part) == part for index in indices)
    assert sorted(index for part in parts(now) for index in part) == list(range(len(rows)))
