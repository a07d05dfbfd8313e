"""The folds of a fine-tuning, and the rows that its base model has not seen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedGroupKFold

from analytics.leaks.training_overlap import OverlapSettings
from data.errors import RunError
from model.rows.source_rows import ListedRows
from model.rows.streets import Ints, name_order, overlap_of_rows, streets_of_rows
from model.rows.training_row import TrainingRow


@dataclass(frozen=True)
class Fold:
    """Rising indices of the rows that one model is trained on, and of those that validate it."""

    training: Ints
    validation: Ints


def fine_tuning_folds(
    rows: Sequence[TrainingRow],
    folds: int = 5,
    seed: int = 0,
    overlap: OverlapSettings = OverlapSettings(),
) -> list[Fold]:
    """Folds by scikit-learn's `StratifiedGroupKFold` over streets; the order of rows is nothing.

    Every row validates in exactly one fold, so that each is scored once by a model that saw neither
    it nor its street.

    Args:
        rows: all of them, in any order.
        folds: how many, at least 2.
        seed: of the draw.
        overlap: within how many metres locations count as one.

    Raises:
        RunError: a fold would lack one of the labels on either side.
    """
    order = np.array(name_order(rows), np.int64)
    labels = np.array([rows[index].label for index in order], np.int64)
    streets = streets_of_rows(rows, overlap)[order]
    least = min(len(np.unique(streets[labels == label])) for label in (0, 1))
    drawn: list[Fold] = []
    if least >= folds:
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        parts = splitter.split(np.empty((len(rows), 0)), labels, streets)
        drawn = [Fold(np.sort(order[train]), np.sort(order[test])) for train, test in parts]
    label_of_row = np.empty(len(rows), np.int64)
    label_of_row[order] = labels
    sides = [side for fold in drawn for side in (fold.training, fold.validation)]
    if not drawn or not all(np.bincount(label_of_row[side], minlength=2).all() for side in sides):
        counts = [f"{len(np.unique(streets[labels == label]))}" for label in (1, 0)]
        raise RunError(
            f"rows for {folds} folds",
            found=f"{counts[0]} streets with roadwork and {counts[1]} without, of {len(rows)} rows "
            "(a street: rows that share a video or a place)",
            expected="some of both in every fold",
            remedy="add shards, or take fewer folds",
        )
    return drawn


def rows_not_in(
    rows: Sequence[TrainingRow],
    base: pl.DataFrame,
    overlap: OverlapSettings = OverlapSettings(),
) -> ListedRows:
    """The rows that do not overlap with the rows of a base training.

    Args:
        rows: all of them.
        base: the base model's rows, as `analytics.leaks.training_rows.read_training_rows` reads
            them.
        overlap: within how many metres locations count as one.

    Returns:
        The others in their order, and the counts of those left out by the first reason that holds:
        the same row, the same video, or a location so near.
    """
    overlaps = overlap_of_rows(rows, base, overlap)
    reasons = {
        "by_row": "in the base training",
        "by_video": "of a video in the base training",
        "by_gps": f"within {overlap.metres:g} m of the base training",
    }
    kept: list[TrainingRow] = []
    left_out: Counter[str] = Counter()
    for row, kinds in zip(rows, overlaps.iter_rows(named=True), strict=True):
        reason = next((words for kind, words in reasons.items() if kinds[kind]), None)
        if reason is None:
            kept.append(row)
        else:
            left_out[reason] += 1
    return ListedRows(kept, dict(left_out))
