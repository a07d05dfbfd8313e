"""The mean share or gate of every view, right and wrong answers apart, with intervals."""

from dataclasses import dataclass

import numpy as np

from analytics.comparison.bootstrap import MIN_IMAGES, BootstrapSettings, image_repeats
from analytics.comparison.intervals import Interval, simultaneous_intervals
from analytics.gates.block_sums import BlockSums
from analytics.scoring.metrics import Floats


@dataclass(frozen=True)
class ViewMeans:
    """Mean share or gate of one view, 0..1, by its number from 1; a pruned view counts as 0.

    `mean` is over all answers, `right` and `wrong` are over those, None where there are none;
    `difference` is right minus wrong, its `interval` None where either has fewer than 10 source
    images. `right_dropped` and `wrong_dropped` tell in what part of the challenges, 0..1, the gate
    is exactly 0.
    """

    view: int
    mean: float | None
    right: float | None
    wrong: float | None
    right_dropped: float | None
    wrong_dropped: float | None
    difference: float | None
    interval: Interval | None


def view_means(sums: BlockSums, settings: BootstrapSettings) -> list[ViewMeans]:
    """The means of every view, and differences with intervals that hold for all views at once.

    Args:
        sums: of the answers.
        settings: of the bootstrap over blocks of source images.
    """
    totals, counts = sums.sums.sum(axis=1), sums.challenges
    right, wrong = (_means(total, count) for total, count in zip(totals, counts, strict=True))
    mean = _means(totals.sum(axis=0), int(counts.sum()))
    dropped = [_means(zero, count) for zero, count in zip(sums.zeros, counts, strict=True)]
    differences = right - wrong
    intervals: list[Interval | None] = [None] * len(differences)
    if sums.images.min() >= MIN_IMAGES:
        ends = simultaneous_intervals(
            differences, _drawn_differences(sums, settings), settings.level
        )
        intervals = [(float(low), float(high)) for low, high in ends]
    return [
        ViewMeans(
            view=index + 1,
            mean=_none_if_nan(mean[index]),
            right=_none_if_nan(right[index]),
            wrong=_none_if_nan(wrong[index]),
            right_dropped=_none_if_nan(dropped[0][index]),
            wrong_dropped=_none_if_nan(dropped[1][index]),
            difference=_none_if_nan(differences[index]),
            interval=interval,
        )
        for index, interval in enumerate(intervals)
    ]


def block_repeats(blocks: int, settings: BootstrapSettings) -> Floats:
    """(draws, blocks), how often each block is in each draw."""
    draws = [image_repeats(blocks, settings, draw) for draw in range(settings.draws)]
    return np.stack(draws).astype(np.float64)


def _means(totals: Floats, count: int) -> Floats:
    """(views,); NaN where the count is 0."""
    means: Floats = totals / count if count else np.full(len(totals), np.nan)
    return means


def _none_if_nan(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _drawn_differences(sums: BlockSums, settings: BootstrapSettings) -> Floats:
    """(draws, views): right minus wrong, blocks resampled with replacement."""
    repeats = block_repeats(sums.counts.shape[1], settings)
    # (2, draws, views) and (2, draws)
    totals, counts = repeats @ sums.sums, sums.counts @ repeats.T
    # a draw without a right or without a wrong answer has no difference
    both = counts.min(axis=0) > 0
    means = totals[:, both] / counts[:, both, None]
    differences: Floats = means[0] - means[1]
    return differences
