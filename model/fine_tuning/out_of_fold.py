"""Out-of-fold answers: each by the one model that saw neither the row nor its street."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analytics.comparison.bootstrap import MIN_IMAGES, BootstrapSettings, image_repeats, in_threads
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import (
    CANDIDATE,
    MINER,
    Challenges,
    PairedAnswers,
    single_answerer,
)
from analytics.scoring.metrics import Floats, Labels, confusion_counts, mcc, mcc_of_tables
from analytics.scoring.predicted_class import predicted_class
from model.rows.streets import streets_of_rows
from model.rows.training_row import TrainingRow


@dataclass(frozen=True)
class Estimate:
    """A number and its interval; none where there are too few streets for one."""

    value: float
    interval: Interval | None

    @classmethod
    def read(cls, written: dict[str, Any]) -> "Estimate":
        """The estimate that JSON holds."""
        interval = written["interval"]
        return cls(written["value"], None if interval is None else (interval[0], interval[1]))


@dataclass(frozen=True)
class OutOfFoldScores:
    """MCC over all out-of-fold answers, and that of the base model on the very same images.

    `difference` is the first minus the second. Intervals are of 95%, by a bootstrap over streets,
    with both models on the same draws.
    """

    mcc: Estimate
    base_mcc: Estimate
    difference: Estimate


def answer_table(
    rows: Sequence[TrainingRow], draws: int, fold: int, probability: Floats, base: Floats
) -> pl.DataFrame:
    """The answers of one fold.

    Args:
        rows: that validated the fold's model.
        draws: challenges of each row.
        fold: its number.
        probability: (rows * draws,) of the fold's model, row by row.
        base: of the base model, likewise.

    Returns:
        Columns `parquet`, `row`, `draw`, `fold`, `label`, `probability` and `base_probability`.
    """
    of_draws = [row for row in rows for _ in range(draws)]
    return pl.DataFrame(
        {
            "parquet": [row.parquet for row in of_draws],
            "row": [row.row for row in of_draws],
            "draw": np.tile(np.arange(draws), len(rows)),
            "fold": np.full(len(of_draws), fold),
            "label": [row.label for row in of_draws],
            "probability": probability,
            "base_probability": base,
        },
        schema_overrides=dict.fromkeys(("row", "draw", "fold", "label"), pl.Int64),
    )


def table_mcc(answers: pl.DataFrame, column: str) -> float:
    """The MCC of a column of probabilities, by the validator's scoring."""
    labels: Labels = answers["label"].to_numpy()
    return mcc(confusion_counts(predicted_class(answers[column].to_numpy()), labels))


def out_of_fold_scores(
    answers: pl.DataFrame,
    rows: Sequence[TrainingRow],
    settings: BootstrapSettings = BootstrapSettings(),
) -> OutOfFoldScores:
    """Scores of the answers of all folds.

    Args:
        answers: of `answer_table`, in an order that is the same whenever this is called.
        rows: all that the folds were drawn of, in any order.
        settings: number, level and seed of the bootstrap's draws.
    """
    points = np.array([table_mcc(answers, name) for name in ("base_probability", "probability")])
    paired = _paired(answers, rows)
    streets = paired.challenges.image_count
    if streets < MIN_IMAGES:
        base, own = points.tolist()
        return OutOfFoldScores(
            Estimate(own, None), Estimate(base, None), Estimate(own - base, None)
        )
    counts = image_confusion(paired, paired.challenges.positive_shares())

    def drawn(draw: int) -> Floats:
        sides: Floats = mcc_of_tables(counts.summed(image_repeats(streets, settings, draw)))[0]
        return sides

    draws = np.stack(in_threads(drawn, range(settings.draws), settings.threads))
    # a column each: base, fine-tuned, difference
    points, draws = (
        np.column_stack([sides, sides[:, CANDIDATE] - sides[:, MINER]])
        for sides in (points[None], draws)
    )
    intervals = centred_intervals(points[0], draws, settings.level)
    base_mcc, own_mcc, difference = (
        Estimate(float(point), (float(low), float(high)))
        for point, (low, high) in zip(points[0], intervals, strict=True)
    )
    return OutOfFoldScores(own_mcc, base_mcc, difference)


def _paired(answers: pl.DataFrame, rows: Sequence[TrainingRow]) -> PairedAnswers:
    """The base model's answers in the miner's place, and a street in that of a source image."""
    street_of_row = streets_of_rows(rows)
    numbers = {(row.parquet, row.row): street_of_row[index] for index, row in enumerate(rows)}
    streets = [numbers[name] for name in answers.select("parquet", "row").iter_rows()]
    count = answers.height
    challenges = Challenges(
        labels=answers["label"].cast(pl.Int8).to_numpy(),
        images=np.unique(streets, return_inverse=True)[1].astype(np.int32),
        exponents=np.ones(count, np.int8),
        starts=np.arange(count + 1, dtype=np.int64),
        probabilities=answers["probability"].to_numpy(),
        weights=np.ones(count),
        lives=np.zeros(count, np.int32),
    )
    base = answers["base_probability"].to_numpy()
    return PairedAnswers(challenges, single_answerer(np.arange(count, dtype=np.int32), base))
