"""Every metric that a validator computes over a window of answers, and the reward.

Source: the validator's `MinerPerformanceTracker.get_metrics` and `get_rewards` (DOMAIN.md §3). It
calls scikit-learn; these are the same numbers without it, and tests compare the two.
Class 1 (roadwork) is the positive class throughout.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.numba_loops import compiled

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

UNANSWERED = -1.0


class ConfusionCounts(NamedTuple):
    """Answers by predicted and true class; any class but 1 counts as not positive."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def confusion_counts(classes: Floats, labels: Labels) -> ConfusionCounts:
    """Count answers by predicted class and label, both of shape (n,)."""
    predicted, actual = classes == 1, labels == 1
    positives, actuals = int(np.count_nonzero(predicted)), int(np.count_nonzero(actual))
    hits = int(np.count_nonzero(predicted & actual))
    return ConfusionCounts(
        true_positives=hits,
        false_positives=positives - hits,
        false_negatives=actuals - hits,
        true_negatives=len(labels) - positives - actuals + hits,
    )


@compiled
def accuracy(counts: ConfusionCounts) -> float:
    """Share of answers whose class is the label, 0..1; 0 for no answers."""
    return _share(counts.true_positives + counts.true_negatives, _total(counts))


@compiled
def precision(counts: ConfusionCounts) -> float:
    """Share of predicted positives that are positive, 0..1; 0 if none is predicted."""
    return _share(counts.true_positives, counts.true_positives + counts.false_positives)


@compiled
def recall(counts: ConfusionCounts) -> float:
    """Share of positives that are predicted, 0..1; 0 if there is none."""
    return _share(counts.true_positives, counts.true_positives + counts.false_negatives)


@compiled
def f1_score(counts: ConfusionCounts) -> float:
    """Harmonic mean of precision and recall, 0..1; 0 if nothing is positive on either side."""
    doubled = 2 * counts.true_positives
    return _share(doubled, doubled + counts.false_positives + counts.false_negatives)


@compiled
def mcc(counts: ConfusionCounts) -> float:
    """Matthews correlation coefficient, signed, -1..1; 0 if labels or classes are of one kind.

    From the margins in Gorodkin's form, so that all correct gives exactly 1.
    """
    # float, as products of four counts leave 64 bits; exact for the windows' small ones
    total = float(_total(counts))
    positives = float(counts.true_positives + counts.false_negatives)
    predicted = float(counts.true_positives + counts.false_positives)
    correct = float(counts.true_positives + counts.true_negatives)
    negatives, unpredicted = total - positives, total - predicted
    covariance = correct * total - (positives * predicted + negatives * unpredicted)
    label_spread = total * total - (positives * positives + negatives * negatives)
    class_spread = total * total - (predicted * predicted + unpredicted * unpredicted)
    spread = label_spread * class_spread
    return covariance / math.sqrt(spread) if spread > 0 else 0.0


def mcc_of_tables(tables: Floats) -> Floats:
    """Matthews correlation coefficient, signed, -1..1: Gorodkin's R_K for any number of classes.

    `tables` are confusion counts, (..., labels, classes), possibly expected ones. Column i is the
    class of label i; further columns are classes that no label has. 0 where the labels or the
    classes hold one class only.
    """
    total = tables.sum(axis=(-2, -1))
    actual, predicted = tables.sum(axis=-1), tables.sum(axis=-2)
    labels = tables.shape[-2]
    correct = np.trace(tables, axis1=-2, axis2=-1)
    covariance = correct * total - (actual * predicted[..., :labels]).sum(axis=-1)
    label_spread = total**2 - (actual**2).sum(axis=-1)
    class_spread = total**2 - (predicted**2).sum(axis=-1)
    root = np.sqrt(np.maximum(label_spread, 0) * np.maximum(class_spread, 0))
    result: Floats = np.divide(covariance, root, out=np.zeros_like(total), where=root > 0)
    return result


def accuracy_of_tables(tables: Floats) -> Floats:
    """Share on the diagonal of confusion counts, (..., labels, classes), 0..1; 0 for empty ones."""
    total = tables.sum(axis=(-2, -1))
    correct = np.trace(tables, axis1=-2, axis2=-1)
    result: Floats = np.divide(correct, total, out=np.zeros_like(total), where=total > 0)
    return result


def auc(probabilities: Floats, labels: Labels) -> float:
    """Area under the ROC curve, 0..1, from ranks with ties averaged (Mann-Whitney U).

    0 if the labels hold one class only, as the validator logs it. Shapes (n,).
    """
    positive = labels == 1
    hits, rest = probabilities[positive], np.sort(probabilities[~positive])
    pairs = len(hits) * len(rest)
    if pairs == 0:
        return 0.0
    below = rest.searchsorted(hits, "left").sum()
    not_above = rest.searchsorted(hits, "right").sum()
    return int(below + not_above) / (2 * pairs)


@compiled
def reward(mcc_100: float, accuracy_10: float, prediction: float, exponent: float) -> float:
    """The reward of one answer, 0..1; 0 for no answer (-1), NaN or a probability outside 0..1.

    Args:
        mcc_100: MCC over the last 100 with the floor of 0, 0..1.
        accuracy_10: accuracy over the last 10, 0..1.
        prediction: the answer itself.
        exponent: 3 from era E7 on, 1 before (`data.records.eras.EXPONENTS`).
    """
    if not 0.0 <= prediction <= 1.0:
        return 0.0
    return math.pow(0.5 * mcc_100 + 0.5 * accuracy_10, exponent)


@compiled
def reward_near(mcc_100: float, accuracy_10: float, exponent: int) -> float:
    """The reward of an answer within 0..1 but for its last bit: for averages, not for an audit.

    Multiplied out, as `math.pow` alone takes four times as long as windows, MCC and accuracy.
    """
    base = 0.5 * mcc_100 + 0.5 * accuracy_10
    power = base
    for _ in range(exponent - 1):
        power *= base
    return power


@compiled
def _total(counts: ConfusionCounts) -> int:
    return (
        counts.true_positives
        + counts.false_positives
        + counts.false_negatives
        + counts.true_negatives
    )


@compiled
def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0
