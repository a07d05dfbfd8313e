"""Resuming an interrupted run: what is left to do, and trying unreadable images again.

A part that was written whole stands, except for challenges whose image could not be rebuilt: their
sources may have been mended since, so each opening of the run tries them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from replay.answering.part_rows import Row
from replay.plans.parts import Parts
from replay.plans.plan import Planned
from replay.runs.run_folder import RunFolder


@dataclass(frozen=True)
class RemainingWork:
    """What earlier processes have left to do of a run.

    `positions` of challenges in the plan that are to be predicted, by index of their part; parts
    that stand are not in it. `retried_parts` are the indices of parts that were written, and hold
    challenges to try again.
    """

    parts: Parts
    positions: dict[int, npt.NDArray[np.int64]]
    retried_parts: frozenset[int]

    def challenges(self, index: int) -> list[Planned]:
        """The challenges of a part that are to be predicted, made anew each time."""
        return self.parts.plan.at(self.positions[index])

    @property
    def challenge_count(self) -> int:
        """Challenges left to predict."""
        return sum(map(len, self.positions.values()))

    @property
    def retried_count(self) -> int:
        """Challenges among them whose images could not be rebuilt before."""
        return sum(len(self.positions[index]) for index in self.retried_parts)

    @property
    def every_position(self) -> npt.NDArray[np.int64]:
        """Of all challenges left, in order of reading."""
        return np.concatenate([np.empty(0, np.int64), *self.positions.values()])


def remaining_work(run: RunFolder, parts: Parts) -> RemainingWork:
    """Look through a run's folder for what is left of its `parts`."""
    positions: dict[int, npt.NDArray[np.int64]] = {}
    retried_parts = set()
    files = run.part_files
    for index in range(parts.part_count):
        part = parts.positions(index)
        if run.part(index) not in files:
            positions[index] = part
            continue
        if run.count_unanswered(index) == np.count_nonzero(parts.plan.image_counts[part] == 0):
            continue  # only what has no image lacks an answer
        unanswered = run.unanswered(index)
        if unanswered is None:
            positions[index] = part
        elif len(retried := _to_try_again(parts, index, unanswered)):
            positions[index] = retried
            retried_parts.add(index)
    return RemainingWork(parts, positions, frozenset(retried_parts))


def _to_try_again(parts: Parts, index: int, unanswered: set[str]) -> npt.NDArray[np.int64]:
    """Challenges without an answer that should have had images: something was unreadable."""
    part = parts.positions(index)
    with_images = part[parts.plan.image_counts[part] > 0]
    ids = parts.plan.ids(with_images)
    retried: npt.NDArray[np.int64] = with_images[
        [challenge_id in unanswered for challenge_id in ids]
    ]
    return retried


def standing_rows(rows: Sequence[Row], retried: Sequence[Planned]) -> list[Row]:
    """The rows of a written part that stay as they are: all but those of challenges retried."""
    retried_ids = {item.challenge.challenge_id for item in retried}
    return [row for row in rows if row["challenge_id"] not in retried_ids]
