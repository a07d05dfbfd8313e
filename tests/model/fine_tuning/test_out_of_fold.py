"""Scores of out-of-fold answers, against scikit-learn on rows that are repeated in fact."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import matthews_corrcoef

from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from model.fine_tuning.out_of_fold import answer_table, out_of_fold_scores, table_mcc
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow
from tests.model.datasets.drawn_rows import a_row

DRAWS = BootstrapSettings(draws=60, threads=1)


def some_rows(streets: int) -> list[TrainingRow]:
    return [a_row(k, (k // 2) % 2, f"v{k % streets}") for k in range(4 * streets)]


def some_answers(rows: list[TrainingRow], seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    labels = np.repeat([row.label for row in rows], 2)
    own = np.clip(0.3 * labels + rng.random(len(labels)) * 0.7, 0, 1)
    return answer_table(rows, 2, 1, own, rng.random(len(labels)))


def test_intervals_are_those_of_streets_drawn_with_replacement() -> None:
    rows = some_rows(12)
    answers = some_answers(rows)
    scores = out_of_fold_scores(answers, rows, DRAWS)
    streets = np.repeat(streets_of_rows(rows), 2)
    both = ("probability", "base_probability")

    def score(index: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[float]:
        part = answers[index.tolist()]
        return [float(matthews_corrcoef(part["label"], part[name].round())) for name in both]

    drawn = []
    for draw in range(60):
        repeats = image_repeats(12, DRAWS, draw)[streets]
        own, base = score(np.repeat(np.arange(len(streets)), repeats))
        drawn.append([own, base, own - base])
    own, base = score(np.arange(len(streets)))
    for number, (estimate, point) in enumerate(
        zip((scores.mcc, scores.base_mcc, scores.difference), (own, base, own - base), strict=True)
    ):
        assert estimate.value == pytest.approx(point)
        column = np.array(drawn)[:, number]
        expected = point - column.mean() + np.quantile(column, [0.025, 0.975])
        assert estimate.interval == pytest.approx(tuple(expected))


def test_the_difference_changes_its_sign_with_the_two_models() -> None:
    rows = some_rows(12)
    answers = some_answers(rows)
    swapped = answers.rename({"probability": "base_probability", "base_probability": "probability"})
    one, other = (out_of_fold_scores(table, rows, DRAWS) for table in (answers, swapped))
    assert one.mcc == other.base_mcc
    assert one.difference.value == -other.difference.value
    assert one.difference.interval is not None
    low, high = one.difference.interval
    assert other.difference.interval == pytest.approx((-high, -low))


def test_frames_of_one_street_are_one_observation() -> None:
    """Rows that are twice as many, of the same streets, tell nothing more."""
    rows = some_rows(12)
    answers = some_answers(rows)
    more = [replace(row, row=row.row + 100) for row in rows]
    doubled = pl.concat([answers, answers.with_columns(pl.col("row") + 100)])
    once, twice = (
        out_of_fold_scores(answers, rows, DRAWS),
        out_of_fold_scores(doubled, [*rows, *more], DRAWS),
    )
    assert once.mcc.interval == pytest.approx(twice.mcc.interval)


def test_nine_streets_give_no_interval() -> None:
    rows = some_rows(9)
    answers = some_answers(rows)
    scores = out_of_fold_scores(answers, rows, DRAWS)
    assert scores.mcc.interval is scores.difference.interval is None
    assert scores.mcc.value == table_mcc(answers, "probability")
