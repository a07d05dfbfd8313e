"""The one owner of every metric: what a validator computes over a window of answers.

Source: the validator's `MinerPerformanceTracker.get_metrics` and `get_rewards` (DOMAIN.md §3). It
calls scikit-learn; these are the same numbers without it, and the tests hold the two together.
Class 1 (roadwork) is the positive class throughout.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

UNANSWERED = -1.0
_BINARY = 2


@dataclass(frozen=True)
class WindowMetrics:
    """What the log calls `miner_image_<metric>`: each in 0..1, over the answers of one window."""

    accuracy: float
    precision: float
    recall: float
    f1_score: float
    mcc: float
    auc: float


NOT_SCORED = WindowMetrics(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class ConfusionCounts:
    """Answers by predicted and true class; any class but 1 counts as not positive."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def total(self) -> int:
        """Number of answers."""
        return (
            self.true_positives + self.false_positives + self.false_negatives + self.true_negatives
        )


def predicted_class(probabilities: Floats) -> Floats:
    """The class that the validator reads from each probability: `numpy.round`, half to even.

    So 0.5 is class 0, 1.5 and 1.7 are class 2, -0.7 is class -1; NaN and infinities stay.
    """
    return np.round(probabilities)


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


def accuracy(classes: Floats, labels: Labels) -> float:
    """Share of answers whose class is the label, 0..1; 0 for no answers. Shapes (n,)."""
    return int(np.count_nonzero(classes == labels)) / len(labels) if len(labels) else 0.0


def precision(counts: ConfusionCounts) -> float:
    """Share of predicted positives that are positive, 0..1; 0 if none is predicted."""
    return _share(counts.true_positives, counts.true_positives + counts.false_positives)


def recall(counts: ConfusionCounts) -> float:
    """Share of positives that are predicted, 0..1; 0 if there is none."""
    return _share(counts.true_positives, counts.true_positives + counts.false_negatives)


def f1_score(counts: ConfusionCounts) -> float:
    """Harmonic mean of precision and recall, 0..1; 0 if nothing is positive on either side."""
    doubled = 2 * counts.true_positives
    return _share(doubled, doubled + counts.false_positives + counts.false_negatives)


def answer_tables(labels: Labels, positive: Floats, neither: Floats | None = None) -> Floats:
    """The confusion table of each answer, (n, 2 labels, 3 classes: 0, 1, neither).

    Args:
        labels: (n,), 0 or 1.
        positive: (n,), the probability that the answer's class is 1; 0 or 1 where it is known.
        neither: (n,), likewise of a class that is neither 0 nor 1; None where that cannot be.
    """
    other = np.zeros_like(positive) if neither is None else neither
    classes = np.stack([1 - positive - other, positive, other], axis=1)
    rows = np.stack([labels == 0, labels == 1], axis=1)
    tables: Floats = rows[:, :, None] * classes[:, None, :]
    return tables


def mcc_of_tables(tables: Floats) -> Floats:
    """Matthews correlation coefficient, signed, -1..1: Gorodkin's R_K for any number of classes.

    `tables` are confusion tables, (..., labels, classes), whose counts may be expected ones. A
    column is the class of the label at its place; further columns are classes that no label has.
    0 where the labels or the classes hold one class only.
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


def window_metrics(probabilities: Floats, labels: Labels) -> WindowMetrics:
    """The six metrics of one window, exactly as the validator scores it.

    Unanswered entries (-1) are dropped here, so the window must be cut before. All metrics are 0
    when nothing is answered, when a probability is NaN or infinite, and when a class other than 0
    or 1 occurs, unless all labels are 1 and labels and classes together hold at most two values:
    that class is then simply not 1. Negative MCC is 0.

    Args:
        probabilities: shape (n,), as answered: -1 = no answer, values outside 0..1 occur.
        labels: shape (n,), each 0 or 1.
    """
    scored = _scored(probabilities, labels)
    if scored is None:
        return NOT_SCORED
    answers, classes, truth = scored
    counts = confusion_counts(classes, truth)
    return WindowMetrics(
        accuracy=(counts.true_positives + counts.true_negatives) / counts.total,
        precision=precision(counts),
        recall=recall(counts),
        f1_score=f1_score(counts),
        mcc=max(0.0, _binary_mcc(counts)),
        auc=auc(answers, truth),
    )


def window_accuracy(probabilities: Floats, labels: Labels) -> float:
    """`window_metrics(...).accuracy` alone, 0..1: all that a reward needs of its short window."""
    scored = _scored(probabilities, labels)
    return 0.0 if scored is None else accuracy(scored[1], scored[2])


def reward(mcc_100: float, accuracy_10: float, prediction: float, exponent: int) -> float:
    """The reward of one answer, 0..1; 0 for no answer (-1), NaN or a probability outside 0..1.

    Args:
        mcc_100: MCC over the last 100, 0..1.
        accuracy_10: accuracy over the last 10, 0..1.
        prediction: the answer itself.
        exponent: 3 from era E7 on, 1 before (`data.eras.EXPONENTS`).
    """
    if not 0.0 <= prediction <= 1.0:
        return 0.0
    return float((0.5 * mcc_100 + 0.5 * accuracy_10) ** exponent)


def _scored(probabilities: Floats, labels: Labels) -> tuple[Floats, Floats, Labels] | None:
    """Answered probabilities, their classes and labels; None where scikit-learn gives up.

    It raises on NaN, on infinities, and on a class outside 0..1, unless labels and classes look
    binary with 1 among them: labels all 1 and at most one other class. Its caller then logs zeros.
    """
    answered = probabilities != UNANSWERED
    answers, truth = probabilities[answered], labels[answered]
    if not len(answers):
        return None
    classes = predicted_class(answers)
    if not ((classes == 0) | (classes == 1)).all():
        if not np.isfinite(classes).all() or not (truth == 1).all():
            return None
        if len(np.unique(np.append(classes, 1.0))) > _BINARY:
            return None
    return answers, classes, truth


def _binary_mcc(counts: ConfusionCounts) -> float:
    positives = counts.true_positives + counts.false_negatives
    predicted = counts.true_positives + counts.false_positives
    return _correlation(
        counts.true_positives + counts.true_negatives,
        [positives, counts.total - positives],
        [predicted, counts.total - predicted],
    )


def _correlation(correct: int, label_counts: list[int], class_counts: list[int]) -> float:
    """R_K from the margins of a confusion matrix; integers, so that all correct gives exactly 1."""
    total = sum(label_counts)
    covariance = correct * total - sum(
        actual * predicted for actual, predicted in zip(label_counts, class_counts, strict=True)
    )
    label_spread = total * total - sum(count * count for count in label_counts)
    class_spread = total * total - sum(count * count for count in class_counts)
    spread = label_spread * class_spread
    return covariance / math.sqrt(spread) if spread else 0.0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
