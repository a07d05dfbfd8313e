"""A validator's memory: windows of answers per miner, and the EMA of every uid's rewards.

Source: the validator's `MinerPerformanceTracker`, `get_rewards` and `update_scores` (DOMAIN.md §3).
"""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.metrics import (
    Floats,
    Labels,
    WindowMetrics,
    reward,
    window_accuracy,
    window_metrics,
)


@dataclass(frozen=True)
class ScoringSettings:
    """The validator's scoring constants.

    `exponent` of the reward depends on the era (`data.eras.EXPONENTS`); `alpha` is the operator's,
    0..1; windows count answers asked for, unanswered ones included.

    Raises:
        ValueError: a setting is out of its range.
    """

    exponent: int
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


class _History:
    """The last answers of one uid under one hotkey."""

    def __init__(self, hotkey: str, length: int) -> None:
        self.hotkey = hotkey
        self.predictions: deque[float] = deque(maxlen=length)
        self.labels: deque[int] = deque(maxlen=length)

    def arrays(self) -> tuple[Floats, Labels]:
        count = len(self.labels)
        predictions = np.fromiter(self.predictions, np.float64, count)
        return predictions, np.fromiter(self.labels, np.int64, count)


class Tracker:
    """Per uid the last `metrics_window` (prediction, label) pairs; forgotten with its hotkey."""

    def __init__(self, settings: ScoringSettings) -> None:
        self._settings = settings
        self._histories: dict[int, _History] = {}

    def answer(
        self, uid: int, hotkey: str, prediction: float, label: int
    ) -> tuple[WindowMetrics, float]:
        """Append one answer, then score its miner.

        Args:
            uid: the miner's place in the subnet; a uid asked twice in a challenge answers twice.
            hotkey: its key; another one than last time starts a new history.
            prediction: -1 = no answer; NaN where the log holds `null`.
            label: 0 or 1.

        Returns:
            The metrics over the last `metrics_window` and the reward of this answer.
        """
        history = self._histories.get(uid)
        if history is None or history.hotkey != hotkey:
            history = _History(hotkey, self._settings.metrics_window)
            self._histories[uid] = history
        history.predictions.append(prediction)
        history.labels.append(label)
        predictions, labels = history.arrays()
        metrics = window_metrics(predictions, labels)
        short = slice(-self._settings.accuracy_window, None)
        recent = window_accuracy(predictions[short], labels[short])
        return metrics, reward(metrics.mcc, recent, prediction, self._settings.exponent)

    def window(self, uid: int) -> tuple[Floats, Labels]:
        """Predictions and labels of a uid's present history, oldest first, shapes (n,).

        Raises:
            KeyError: the uid was never asked.
        """
        return self._histories[uid].arrays()


class EmaScores:
    """The moving average of all uids' rewards, float32 and with every product rounded.

    NumPy multiplies and adds in two steps, so that nothing is fused: bits equal the log's.
    """

    def __init__(self, start: ArrayLike, settings: ScoringSettings) -> None:
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

        An asked uid moves towards its reward (the last one if it was asked twice, also if it is a
        validator), a validator towards 0, everyone else towards the own score, which may move its
        last bit.

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
