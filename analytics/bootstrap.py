"""Intervals by resampling source images: challenges of one image are not independent."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.metrics import Floats, Labels, predicted_class

# Fewer images than this give no interval worth printing.
MIN_IMAGES = 10

_CLASSES = 3
_LABELS = 2


@dataclass(frozen=True)
class BootstrapSettings:
    """Draws of the bootstrap, level of its percentile interval, and the seed of the draws."""

    draws: int = 1000
    level: float = 0.95
    seed: int = 0


def mcc_difference_interval(
    candidate: Floats,
    miner: Floats,
    labels: Labels,
    images: npt.NDArray[np.str_],
    settings: BootstrapSettings = BootstrapSettings(),
) -> tuple[float, float] | None:
    """Percentile interval of signed MCC(candidate) - MCC(miner), paired on the same challenges.

    Args:
        candidate: probabilities, shape (n,).
        miner: probabilities, shape (n,), answered and finite; values outside 0..1 are a class of
            their own, always wrong.
        labels: shape (n,), 0 or 1.
        images: shape (n,), the source image of each challenge; these are resampled.
        settings: draws, level and seed.

    Returns:
        Lower and upper end, or None for fewer than `MIN_IMAGES` images.
    """
    _, groups = np.unique(images, return_inverse=True)
    count = int(groups.max()) + 1 if len(groups) else 0
    if count < MIN_IMAGES:
        return None
    rng = np.random.default_rng(settings.seed)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=settings.draws).astype(float)
    difference = _mcc(draws @ _tables(candidate, labels, groups, count)) - _mcc(
        draws @ _tables(miner, labels, groups, count)
    )
    tail = (1 - settings.level) / 2
    low, high = np.quantile(difference, [tail, 1 - tail])
    return float(low), float(high)


def _tables(
    answers: Floats, labels: Labels, groups: npt.NDArray[np.intp], count: int
) -> npt.NDArray[np.float64]:
    """Confusion counts of each image, (images, 2 * 3): label x class 0, 1, neither."""
    classes = predicted_class(answers)
    column = np.where((classes == 0) | (classes == 1), classes, 2).astype(int)
    cells = np.zeros((count, _LABELS * _CLASSES))
    np.add.at(cells, (groups, labels * _CLASSES + column), 1)
    return cells


def _mcc(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Gorodkin's R_K of each row of confusion counts; 0 where one side holds one class only."""
    table = cells.reshape(-1, _LABELS, _CLASSES)
    total = table.sum(axis=(1, 2))
    correct = table[:, 0, 0] + table[:, 1, 1]
    actual, predicted = table.sum(axis=2), table.sum(axis=1)
    covariance = correct * total - (actual * predicted[:, :_LABELS]).sum(axis=1)
    spread = (total**2 - (actual**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    root = np.sqrt(np.where(spread > 0, spread, np.inf))
    result: npt.NDArray[np.float64] = covariance / root
    return result
