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


class ImageBootstrap:
    """Draws of source images, made once: every miner is compared on the same draws."""

    def __init__(
        self, images: npt.NDArray[np.str_], settings: BootstrapSettings = BootstrapSettings()
    ) -> None:
        """Draw from the distinct `images` of a replay, any shape."""
        self._settings = settings
        self._names = np.unique(images)
        count = max(1, len(self._names))
        rng = np.random.default_rng(settings.seed)
        weights = rng.multinomial(count, np.full(count, 1 / count), size=settings.draws)
        self._draws = weights.astype(np.float64)

    def mcc_difference(
        self, candidate: Floats, miner: Floats, images: npt.NDArray[np.str_]
    ) -> tuple[float, float] | None:
        """Percentile interval of signed MCC(candidate) - MCC(miner), paired on shared challenges.

        Args:
            candidate: (n, labels, classes), the confusion table of each answer
                (see `metrics.answer_tables`).
            miner: likewise.
            images: (n,), the source image of each challenge, all among those drawn from.

        Returns:
            Lower and upper end, or None for fewer than `MIN_IMAGES` images.
        """
        names, groups = np.unique(images, return_inverse=True)
        if len(names) < MIN_IMAGES:
            return None
        draws = self._draws[:, np.searchsorted(self._names, names)]
        mccs = []
        for tables in (candidate, miner):
            of_images = np.zeros((len(names), *tables.shape[1:]))
            np.add.at(of_images, groups, tables)
            mccs.append(mcc_of_tables(np.tensordot(draws, of_images, axes=1)))
        tail = (1 - self._settings.level) / 2
        low, high = np.quantile(mccs[0] - mccs[1], [tail, 1 - tail])
        return float(low), float(high)
