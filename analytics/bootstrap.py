"""Intervals by resampling source images: challenges of one image are not independent."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.metrics import Floats, mcc_of_tables

# Fewer images than this give no interval worth printing.
MIN_IMAGES = 10


@dataclass(frozen=True)
class BootstrapSettings:
    """Draws of the bootstrap, level of its percentile interval, and the seed of the draws."""

    draws: int = 1000
    level: float = 0.95
    seed: int = 0


def mcc_difference_interval(
    candidate: Floats,
    miner: Floats,
    images: npt.NDArray[np.str_],
    settings: BootstrapSettings = BootstrapSettings(),
) -> tuple[float, float] | None:
    """Percentile interval of signed MCC(candidate) - MCC(miner), paired on the same challenges.

    Args:
        candidate: (n, labels, classes), the confusion table of each answer (see `answer_tables`).
        miner: likewise.
        images: (n,), the source image of each challenge; these are resampled.
        settings: draws, level and seed.

    Returns:
        Lower and upper end, or None for fewer than `MIN_IMAGES` images.
    """
    names, groups = np.unique(images, return_inverse=True)
    count = len(names)
    if count < MIN_IMAGES:
        return None
    rng = np.random.default_rng(settings.seed)
    draws = rng.multinomial(count, np.full(count, 1 / count), size=settings.draws).astype(float)
    mccs = []
    for tables in (candidate, miner):
        of_images = np.zeros((count, *tables.shape[1:]))
        np.add.at(of_images, groups, tables)
        mccs.append(mcc_of_tables(np.tensordot(draws, of_images, axes=1)))
    tail = (1 - settings.level) / 2
    low, high = np.quantile(mccs[0] - mccs[1], [tail, 1 - tail])
    return float(low), float(high)
