"""Forecast of how long a replay takes, from the seconds that a few of its images took."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
import numpy.typing as npt

from replay.plans.plan import Plan, Planned

# Images tried are few and spread over the plan; a slow candidate ends it earlier.
_TRIED_CHALLENGES = 3
_TRIED_IMAGES = 3
_ENOUGH_SECONDS = 5.0

# What starting worker processes costs before they give anything back: Numba is imported anew.
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Forecast:
    """What is left to do, and the seconds of one process for it.

    `rebuild_seconds` and `predict_seconds` are estimates from a few images; 0 where nothing is
    left. Challenges of one source image that follow one another take less.
    """

    challenges: int
    images: int
    rebuild_seconds: float
    predict_seconds: float

    def workers(self, cores: int) -> int:
        """How many processes should rebuild: 1 where starting more would not pay."""
        saved = self.rebuild_seconds * (1 - 1 / cores)
        return cores if saved > _START_SECONDS else 1

    def seconds(self, workers: int) -> float:
        """About how long it takes with so many processes."""
        if workers <= 1:
            return self.rebuild_seconds + self.predict_seconds
        return _START_SECONDS + max(self.rebuild_seconds / workers, self.predict_seconds)


TimeImage = Callable[[Planned, int], tuple[float, float]]
"""Predicts one variant of a challenge, by its index: the seconds to rebuild it, and the rest.

An image that cannot be rebuilt costs what was spent on it; one whose features are cached, none.
"""


def forecast(plan: Plan, left: npt.NDArray[np.int64], time_image: TimeImage) -> Forecast:
    """Try a few images of what is left to do, and scale up.

    Args:
        plan: of the replay.
        left: positions in it of what is left to do, in the order in which it will be done.
        time_image: predicts one image.
    """
    with_images = left[plan.image_counts[left] > 0]
    images = int(plan.image_counts[left].sum())
    if not len(with_images):
        return Forecast(len(left), 0, 0.0, 0.0)
    step = max(1, len(with_images) // _TRIED_CHALLENGES)
    tried = plan.at(with_images[step // 2 :: step][:_TRIED_CHALLENGES])
    time_image(plan.at(with_images[:1])[0], 0)  # the first of all pays for what is loaded once
    first, further, rest = _mean_seconds(tried, time_image)
    rebuild = first * len(with_images) + further * (images - len(with_images))
    return Forecast(len(left), images, rebuild, rest * images)


def _mean_seconds(tried: Sequence[Planned], time_image: TimeImage) -> tuple[float, float, float]:
    """Seconds to rebuild a challenge's first image, each further one, and to predict an image."""
    first: list[float] = []
    further: list[float] = []
    rest: list[float] = []
    end = time.monotonic() + _ENOUGH_SECONDS
    for item in tried:
        for variant_index in range(min(len(item.variants), _TRIED_IMAGES)):
            rebuild, predict = time_image(item, variant_index)
            (further if variant_index else first).append(rebuild)
            rest.append(predict)
        if time.monotonic() > end:
            break
    return mean(first), mean(further or [0.0]), mean(rest)
