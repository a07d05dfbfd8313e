"""A validator's state: windows of answers per miner, and the EMA of every uid's rewards.

Source: the validator's `MinerPerformanceTracker`, `get_rewards` and `update_scores` (DOMAIN.md §3).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.numba_loops import compiled
from analytics.scoring import metrics
from analytics.scoring.metrics import Floats
from analytics.scoring.windows import (
    LONG,
    SHORT,
    Histories,
    empty_histories,
    push,
    window_auc,
    window_counts,
)

SUBNET_UIDS = 256
METRICS = ("accuracy", "precision", "recall", "f1_score", "mcc", "auc")
"""What the log calls `miner_image_<metric>`: each in 0..1, over the long window."""


@dataclass(frozen=True)
class ScoringSettings:
    """The validator's scoring constants.

    `alpha` is the operator's, 0..1; windows count answers asked for, unanswered ones included.

    Raises:
        ValueError: a setting is out of its range.
    """

    alpha: float = 0.05
    metrics_window: int = 100
    accuracy_window: int = 10

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha is {self.alpha}, expected 0..1")
        if not 0 < self.accuracy_window <= self.metrics_window:
            raise ValueError(
                f"accuracy_window is {self.accuracy_window}, expected 1..{self.metrics_window}"
            )


@dataclass(frozen=True)
class ScoredAnswers:
    """What the validator computed after each of n answers; arrays of shape (n,), in 0..1.

    The six `METRICS` are over the long window, `recent_accuracy` over the short one. `scored` is
    False where the long window holds nothing that scikit-learn scores: its metrics are then all 0.
    """

    accuracy: Floats
    precision: Floats
    recall: Floats
    f1_score: Floats
    mcc: Floats
    auc: Floats
    recent_accuracy: Floats
    reward: Floats
    scored: NDArray[np.bool_]


class Tracker:
    """Per uid the last `metrics_window` (prediction, label) pairs; forgotten with its hotkey.

    About 0.3 µs an answer; memory is that of the windows, however long the log.
    """

    def __init__(
        self, settings: ScoringSettings = ScoringSettings(), uids: int = SUBNET_UIDS
    ) -> None:
        """Empty histories of uids 0 to `uids` - 1."""
        self._settings = settings
        self._histories = empty_histories(uids, settings.metrics_window)

    def answer(
        self,
        uids: ArrayLike,
        hotkeys: ArrayLike,
        predictions: ArrayLike,
        labels: ArrayLike,
        exponents: ArrayLike,
    ) -> ScoredAnswers:
        """Append answers in the order in which they were scored; all arrays of shape (n,).

        Later calls go on from the histories of earlier ones.

        Args:
            uids: the miners'; a uid asked twice in a challenge answers twice.
            hotkeys: a number from 0 on for each hotkey; a change of a uid's hotkey starts a new
                history.
            predictions: -1 = no answer; NaN where the log holds `null`.
            labels: 0 or 1, or one for all.
            exponents: of the reward, by era (`data.records.eras.EXPONENTS`), or one for all.

        Raises:
            ValueError: shapes differ, or a uid, hotkey or label is out of range.
        """
        uid = np.ascontiguousarray(uids, np.int64)
        hotkey = np.array(np.broadcast_to(hotkeys, uid.shape), np.int64)
        prediction = np.array(np.broadcast_to(predictions, uid.shape), np.float64)
        label = np.array(np.broadcast_to(labels, uid.shape), np.int64)
        exponent = np.array(np.broadcast_to(exponents, uid.shape), np.float64)
        self._check(uid, hotkey, label)
        columns = {name: np.empty(len(uid)) for name in (*METRICS, "recent_accuracy", "reward")}
        scored = np.empty(len(uid), np.bool_)
        short, values = self._settings.accuracy_window, tuple(columns.values())
        _score(self._histories, uid, hotkey, prediction, label, exponent, short, values, scored)
        return ScoredAnswers(scored=scored, **columns)

    def window(self, uid: int) -> tuple[Floats, NDArray[np.int8]]:
        """Predictions and labels of a uid's present history, oldest first, shapes (n,)."""
        asked, size = int(self._histories.asked[uid]), self._settings.metrics_window
        indices = np.arange(max(0, asked - size), asked) % size
        return self._histories.predictions[uid, indices], self._histories.labels[uid, indices]

    def _check(
        self, uids: NDArray[np.int64], hotkeys: NDArray[np.int64], labels: NDArray[np.int64]
    ) -> None:
        """Compiled loops do not check: an index out of range would write anywhere."""
        slots = len(self._histories.asked)
        if len(uids) and not (uids.min() >= 0 and uids.max() < slots):
            raise ValueError(f"uids are {uids.min()}..{uids.max()}, expected 0..{slots - 1}")
        if len(uids) and not (hotkeys.min() >= 0 and ((labels == 0) | (labels == 1)).all()):
            raise ValueError("expected hotkeys numbered from 0 on, and labels 0 or 1")


class EmaScores:
    """The moving average of all uids' rewards, float32 and with every product rounded.

    NumPy multiplies and adds in two steps, so that nothing is fused: bits equal the log's.
    """

    def __init__(self, start: ArrayLike, settings: ScoringSettings = ScoringSettings()) -> None:
        """Start from one score a uid: zeros (256 uids), or the scores of a logged record."""
        self._scores = np.array(start, dtype=np.float32)
        self._weight = np.float32(settings.alpha)
        self._rest = np.float32(1.0 - settings.alpha)

    @property
    def values(self) -> NDArray[np.float32]:
        """A copy of the scores, shape (uids,), by uid."""
        return self._scores.copy()

    def update(
        self, uids: Sequence[int], rewards: Sequence[float], validators: Collection[int] = ()
    ) -> None:
        """One step, after one challenge.

        The target of an asked uid is its reward (the last one if it was asked twice, also of a
        validator), of a validator 0, of any other uid its own score, whose last bit may change.

        Raises:
            IndexError: a uid has no score.
        """
        target = self._scores.copy()
        for uid in validators:
            target[self._index(uid)] = 0.0
        for uid, earned in zip(uids, rewards, strict=True):
            target[self._index(uid)] = earned
        self._scores = self._weight * target + self._rest * self._scores

    def reset(self, uid: int) -> None:
        """Set a uid to 0: the validator saw that its hotkey was replaced.

        Raises:
            IndexError: the uid has no score.
        """
        self._scores[self._index(uid)] = 0.0

    def _index(self, uid: int) -> int:
        # a negative index would quietly count from the end
        if not 0 <= uid < len(self._scores):
            raise IndexError(f"uid is {uid}, expected 0..{len(self._scores) - 1}")
        return uid


@compiled
def _score(
    histories: Histories,
    uids: NDArray[np.int64],
    hotkeys: NDArray[np.int64],
    predictions: Floats,
    labels: NDArray[np.int64],
    exponents: Floats,
    short: int,
    values: tuple[Floats, ...],
    scored: NDArray[np.bool_],
) -> None:
    long = histories.predictions.shape[1]
    for n in range(len(uids)):
        uid = uids[n]
        push(histories, uid, hotkeys[n], predictions[n], labels[n], short, True)
        counts = window_counts(histories, uid, LONG, long)
        scored[n] = sum(counts) > 0
        values[0][n] = metrics.accuracy(counts)
        values[1][n] = metrics.precision(counts)
        values[2][n] = metrics.recall(counts)
        values[3][n] = metrics.f1_score(counts)
        values[4][n] = max(0.0, metrics.mcc(counts))
        values[5][n] = window_auc(histories, uid) if scored[n] else 0.0
        values[6][n] = metrics.accuracy(window_counts(histories, uid, SHORT, short))
        values[7][n] = metrics.reward(values[4][n], values[6][n], predictions[n], exponents[n])
