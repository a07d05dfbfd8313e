"""What a replay is about to do and about how long it takes, from a few of its images."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from replay.plans.plan import Planned

# Images tried are few and spread over the plan; a slow candidate ends it earlier.
_TRIED_CHALLENGES = 3
_TRIED_IMAGES = 3
_ENOUGH_SECONDS = 5.0

# What starting worker processes costs before they give anything back: Numba is imported anew.
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Forecast:
    """What is left to do, and the seconds of one process for it.

    `rebuild_seconds` and `predict_seconds` are guesses from a few images tried; 0 where nothing is
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


Attempt = Callable[[Planned, int], tuple[float, float]]
"""Predicts one of a challenge's `variants`, by index: the seconds to rebuild it, and the rest.

An image that cannot be had costs what was spent on it; one whose features are cached, none.
"""


def forecast(left: Sequence[Planned], attempt: Attempt) -> Forecast:
    """Try a few images of what is left to do, and scale up."""
    wanted = [item for item in left if item.variants]
    images = sum(len(item.variants) for item in wanted)
    if not wanted:
        return Forecast(len(left), 0, 0.0, 0.0)
    attempt(wanted[0], 0)  # the first of all pays for what is loaded once
    first, further, rest = _tried(wanted, attempt)
    rebuild = first * len(wanted) + further * (images - len(wanted))
    return Forecast(len(left), images, rebuild, rest * images)


def _tried(wanted: Sequence[Planned], attempt: Attempt) -> tuple[float, float, float]:
    """Seconds to rebuild a challenge's first image, each further one, and to predict an image."""
    first: list[float] = []
    further: list[float] = []
    rest: list[float] = []
    step = max(1, len(wanted) // _TRIED_CHALLENGES)
    end = time.monotonic() + _ENOUGH_SECONDS
    for item in wanted[step // 2 :: step][:_TRIED_CHALLENGES]:
        for place in range(min(len(item.variants), _TRIED_IMAGES)):
            rebuild, predict = attempt(item, place)
            (further if place else first).append(rebuild)
            rest.append(predict)
        if time.monotonic() > end:
            break
    return mean(first), mean(further or [0.0]), mean(rest)
