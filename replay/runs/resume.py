"""Resuming an interrupted run: what is left to do, and trying unreadable images again.

A part that was written whole stands, except for challenges whose image could not be rebuilt: their
sources may have been mended since, so each opening of the run tries them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.plans.plan import Planned
from replay.runs.parts import Row
from replay.runs.run_folder import RunFolder


@dataclass(frozen=True)
class RemainingWork:
    """What earlier processes have left to do of a run.

    `challenges` are to be predicted, by index of their part; parts that stand are not in it.
    `retried_parts` are the indices of parts that were written, and hold challenges to try again.
    """

    challenges: dict[int, Sequence[Planned]]
    retried_parts: frozenset[int]

    @property
    def challenge_count(self) -> int:
        """Challenges left to predict."""
        return sum(map(len, self.challenges.values()))

    @property
    def retried_count(self) -> int:
        """Challenges among them whose images could not be rebuilt before."""
        return sum(len(self.challenges[index]) for index in self.retried_parts)


def remaining_work(run: RunFolder, parts: Sequence[Sequence[Planned]]) -> RemainingWork:
    """Look through a run's folder for what is left of its `parts`."""
    challenges: dict[int, Sequence[Planned]] = {}
    retried_parts = set()
    for index, part in enumerate(parts):
        unanswered = run.unanswered(index)
        if unanswered is None:
            challenges[index] = part
        elif retried := _to_try_again(part, unanswered):
            challenges[index] = retried
            retried_parts.add(index)
    return RemainingWork(challenges, frozenset(retried_parts))


def _to_try_again(part: Sequence[Planned], unanswered: set[str]) -> list[Planned]:
    """Challenges without an answer that should have had images: something was unreadable."""
    return [item for item in part if item.variants and item.challenge.challenge_id in unanswered]


def standing_rows(rows: Sequence[Row], retried: Sequence[Planned]) -> list[Row]:
    """The rows of a written part that stay as they are: all but those of challenges retried."""
    retried_ids = {item.challenge.challenge_id for item in retried}
    return [row for row in rows if row["challenge_id"] not in retried_ids]
