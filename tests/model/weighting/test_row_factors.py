"""Factors of rows by themselves, against loops and closed forms."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.weighting import row_factors
from model.weighting.policy import BalancePolicy, DifficultyPolicy, NullsPolicy


def rows_of(labels: list[int], patterns: list[str] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "source": "a.parquet",
            "row": range(len(labels)),
            "label": labels,
            "null_pattern": patterns or [""] * len(labels),
        }
    )


def logged(*rows: tuple[int, float]) -> pl.DataFrame:
    columns = {"row": pl.Int64, "difficulty": pl.Float64}
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(source=pl.lit("a.parquet"))


def test_hard_rows_more_easy_ones_less_and_doubtful_ones_hardly() -> None:
    rows = rows_of([0, 1, 0, 1, 0])
    doubtful = pl.DataFrame({"source": ["a.parquet", "b.parquet"], "row": [3, 0]})
    difficulties = logged((0, 1.0), (1, -1.0), (2, 99.0), (3, 99.0))
    found = row_factors.difficulty(rows, difficulties, doubtful, DifficultyPolicy())
    assert found.tolist() == pytest.approx([math.exp(0.25), math.exp(-0.25), 2.0, 0.1, 1.0])


def test_no_log_gives_1() -> None:
    none = logged()
    found = row_factors.difficulty(rows_of([0, 1]), none, none, DifficultyPolicy())
    assert found.tolist() == [1.0, 1.0]


patterned = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(["", "gps null", "city absent"])),
    min_size=1,
    max_size=40,
)


@given(rows=patterned, added=st.floats(0, 20))
def test_labels_are_balanced_within_patterns_that_hold_both(
    rows: list[tuple[int, str]], added: float
) -> None:
    policy = NullsPolicy(rows=added, most=1e9)
    frame = rows_of([label for label, _ in rows], [pattern for _, pattern in rows])
    found = row_factors.nulls(frame, policy)
    for factor, (label, pattern) in zip(found, rows, strict=True):
        of_pattern = [other for other, name in rows if name == pattern]
        if len(set(of_pattern)) == 1:
            assert factor == 1.0
            continue
        expected = (len(of_pattern) / 2 + added) / (of_pattern.count(label) + added)
        assert factor == pytest.approx(expected)
    if added == 0:
        for pattern in {name for _, name in rows}:
            sums = [
                sum(f for f, (one, name) in zip(found, rows, strict=True) if (one, name) == key)
                for key in ((0, pattern), (1, pattern))
            ]
            assert not all(sums) or sums[0] == pytest.approx(sums[1])


def test_a_pattern_of_few_rows_keeps_near_1() -> None:
    few = row_factors.nulls(rows_of([0, 0, 1]), NullsPolicy())
    many = row_factors.nulls(rows_of([0] * 2000 + [1] * 1000), NullsPolicy())
    assert np.abs(few - 1).max() < 0.05
    assert many[-1] == pytest.approx(1.5, abs=0.01)


@given(
    labels=st.lists(st.integers(0, 1), min_size=1, max_size=40),
    seed=st.integers(0, 9),
)
def test_both_labels_weigh_alike_after_all_else(labels: list[int], seed: int) -> None:
    rows, others = rows_of(labels), np.random.default_rng(seed).uniform(0.1, 9, len(labels))
    found = row_factors.balance(rows, others, BalancePolicy(most=1e9))
    if len(set(labels)) == 1:
        assert found.tolist() == [1.0] * len(labels)
        return
    weight, which = found * others, np.array(labels)
    assert weight[which == 0].sum() == pytest.approx(weight[which == 1].sum())
    assert weight.sum() == pytest.approx(others.sum())


def test_balance_stops_at_the_policys_most() -> None:
    found = row_factors.balance(rows_of([0] * 99 + [1]), np.ones(100), BalancePolicy())
    assert found[-1] == 4.0
