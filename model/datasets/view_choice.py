"""Which views the model sees of a challenge at a training step."""

from collections.abc import Sequence

import numpy as np
import torch

from model.datasets.batch import RowDraw
from model.network.pruning import GLOBAL_VIEW
from model.views.views import VIEWS

# Other numbers than those by which a sampler chooses among kept draws.
_KEY = 1


def chosen_views(
    draws: Sequence[RowDraw], scenes: torch.Tensor, count: int, seed: int
) -> torch.Tensor | None:
    """The global view and others at random, int64 (B, count) in rising order; None: all views.

    Rows of one scene show the same ones in an epoch, so that they stay matched pairs.

    Args:
        draws: of B challenges.
        scenes: the scene of each row of the split, int64 (rows,).
        count: how many views, 1 to 12.
        seed: of the choice.
    """
    if count == VIEWS:
        return None
    chosen = []
    for draw in draws:
        generator = np.random.default_rng((seed, draw.epoch, int(scenes[draw.row]), _KEY))
        others = generator.permutation(np.delete(np.arange(VIEWS), GLOBAL_VIEW))[: count - 1]
        chosen.append(np.sort(np.append(others, GLOBAL_VIEW)))
    return torch.from_numpy(np.stack(chosen))
