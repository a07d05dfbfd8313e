"""How often training draws rows near the targets: counted on draws of the samplers themselves."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch

from analytics.scoring.metrics import Floats
from model.datasets.samplers import EpochSampler, SceneSampler, WeightedSceneSampler

_LEAST_DRAWS = 100_000
# The draws of a training depend on its seed; these are those of seed 0.
_SEED = 0


@dataclass(frozen=True)
class DrawShares:
    """Shares of draws, 0..1, within `km` of a target: `before` without weights, `after` with them.

    Each of `draws` draws, in `epochs` epochs of all `rows`; `near_rows` of the rows are so near.
    """

    km: float
    before: float
    after: float
    draws: int
    epochs: int
    rows: int
    near_rows: int
    aim: float

    @property
    def reaches_aim(self) -> bool:
        """Whether the share of draws is what the policy asks for."""
        return self.after >= self.aim


def draw_shares(
    scenes: pl.Series, weights: Floats, distance: Floats, km: float, aim: float
) -> DrawShares:
    """Count draws near the targets, by the sampler of `train` without weights and with them.

    Args:
        scenes: (rows,), what each row shows; rows of one scene are drawn together.
        weights: (rows,).
        distance: (rows,), kilometres to the nearest target, NaN where not known.
        km: how far is near.
        aim: the share that is asked for.
    """
    numbers = torch.from_numpy(scenes.rank("dense").to_numpy().astype(np.int64))
    near = distance <= km  # not true of NaN
    epochs = -(-_LEAST_DRAWS // len(near))
    return DrawShares(
        km=km,
        before=_share(SceneSampler(numbers, _SEED), near, 1),
        after=_share(WeightedSceneSampler(numbers, weights, _SEED), near, epochs),
        draws=epochs * len(near),
        epochs=epochs,
        rows=len(near),
        near_rows=int(near.sum()),
        aim=aim,
    )


def _share(sampler: EpochSampler, near: np.ndarray, epochs: int) -> float:
    drawn = 0
    for epoch in range(1, epochs + 1):
        sampler.set_epoch(epoch)
        drawn += int(near[np.fromiter(sampler, np.int64, len(sampler))].sum())
    return drawn / (epochs * len(sampler))
