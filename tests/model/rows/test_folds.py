from dataclasses import replace

import numpy as np
import pytest
from geopy.distance import great_circle
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.leaks.training_overlap import OverlapSettings
from data.errors import RunError
from model.rows.folds import fine_tuning_folds, rows_not_in
from model.rows.source_rows import row_columns
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from tests.model.datasets.drawn_rows import a_city, a_row, worlds


@settings(deadline=None, max_examples=30)
@given(worlds(), st.integers(2, 5), st.integers(0, 9))
def test_every_row_validates_once_and_no_street_is_on_both_sides(
    rows: list[TrainingRow], folds: int, seed: int
) -> None:
    try:
        drawn = fine_tuning_folds(rows, folds, seed)
    except RunError:
        return
    assert len(drawn) == folds
    validated = np.concatenate([fold.validation for fold in drawn])
    assert sorted(validated.tolist()) == list(range(len(rows)))
    streets = streets_of_rows(rows)
    labels = np.array([row.label for row in rows])
    for fold in drawn:
        both = np.concatenate((fold.training, fold.validation))
        assert sorted(both.tolist()) == list(range(len(rows)))
        assert not np.intersect1d(streets[fold.training], streets[fold.validation]).size
        for side in (fold.training, fold.validation):
            assert set(labels[side].tolist()) == {0, 1}
            assert side.tolist() == sorted(side.tolist())


@settings(deadline=None, max_examples=20)
@given(worlds(), st.integers(0, 9))
def test_the_order_of_rows_changes_nothing(rows: list[TrainingRow], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(rows))
    try:
        drawn = fine_tuning_folds(rows, 3)
    except RunError:
        return
    for fold, other in zip(drawn, fine_tuning_folds([rows[k] for k in order], 3), strict=True):
        assert np.array_equal(fold.validation, np.sort(order[other.validation]))
        assert np.array_equal(fold.training, np.sort(order[other.training]))


def test_folds_are_of_one_size_and_label_share_and_of_the_seed() -> None:
    rows = a_city(1000, 3)
    labels = np.array([row.label for row in rows])
    drawn = fine_tuning_folds(rows)
    for fold in drawn:
        assert abs(len(fold.validation) - 200) <= 10
        assert abs(labels[fold.validation].mean() - labels.mean()) < 0.02
    again, other = fine_tuning_folds(rows), fine_tuning_folds(rows, seed=1)
    pairs = list(zip(drawn, again, other, strict=True))
    assert all(np.array_equal(a.validation, b.validation) for a, b, _ in pairs)
    assert not all(np.array_equal(a.validation, c.validation) for a, _, c in pairs)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], "0 streets with roadwork and 0 without, of 0 rows"),
        ([a_row(k, k % 2, f"v{k // 10}") for k in range(40)], "4 streets with roadwork and 4 "),
        ([a_row(k, int(k < 4)) for k in range(40)], "4 streets with roadwork and 36 without"),
        ([a_row(k) for k in range(40)], "0 streets with roadwork and 40 without"),
    ],
)
def test_too_few_streets_are_refused(rows: list[TrainingRow], found: str) -> None:
    with pytest.raises(RunError, match=f"rows for 5 folds: found {found}") as error:
        fine_tuning_folds(rows)
    assert "\n" not in str(error.value)


def test_rows_of_the_base_training_are_left_out_by_reason() -> None:
    here = (42.0, -71.0)
    base = [a_row(0, 0, "v0"), a_row(1, 1, None, here)]
    rows = [
        *base,
        a_row(2, 0, "v0", (10.0, 10.0)),
        a_row(3, 1, "v3", (42.0008, -71.0)),  # 89 m away
        a_row(4, 1, "v4", (42.001, -71.0)),  # 111 m away
        a_row(5),
        replace(a_row(0), parquet="other.parquet"),
    ]
    kept = rows_not_in(rows, row_columns(base[:2]))
    assert kept.rows == rows[4:]
    assert kept.left_out == {
        "in the base training": 2,
        "of a video in the base training": 1,
        "within 100 m of the base training": 1,
    }
    none = rows_not_in(rows[:2], row_columns(base[:2]))
    assert (none.rows, sum(none.left_out.values())) == ([], 2)
    assert rows_not_in([], row_columns(base[:2])).rows == []


@settings(deadline=None, max_examples=20)
@given(worlds(), st.integers(0, 9))
def test_what_is_kept_overlaps_with_no_row_of_the_base(rows: list[TrainingRow], seed: int) -> None:
    chosen = np.random.default_rng(seed).random(len(rows)) < 0.1
    base = [row for row, is_base in zip(rows, chosen, strict=True) if is_base]
    table = row_columns(base)
    kept = rows_not_in(rows, table, OverlapSettings(110.0))

    def overlaps(row: TrainingRow, other: TrainingRow) -> bool:
        same_video = row.vid_id is not None and row.vid_id == other.vid_id
        near = row.gps and other.gps and great_circle(row.gps, other.gps).meters <= 110
        return bool(row.row == other.row or same_video or near)

    assert kept.rows == [row for row in rows if not any(overlaps(row, one) for one in base)]
    assert len(kept.rows) + sum(kept.left_out.values()) == len(rows)
