"""A candidate against all miners together, by slice, and what each slice costs it in reward.

A slice is a set of challenges, such as those at dusk. The miners' answers to its challenges are
pooled, and each is paired with the candidate's answer to the same challenge.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.bootstrap import (
    MIN_IMAGES,
    BootstrapSettings,
    image_repeats,
    in_threads,
)
from analytics.comparison.image_confusion import ImageConfusion
from analytics.comparison.intervals import Interval, centred_intervals
from analytics.comparison.paired_answers import CANDIDATE, MINER, Flags, PairedAnswers
from analytics.scoring.metrics import Floats, accuracy_of_tables, mcc_of_tables
from analytics.slices.confusion import slice_confusion
from analytics.slices.costs import SliceCosts
from analytics.slices.members import SliceMembers


@dataclass(frozen=True)
class SliceSettings:
    """The bootstrap, its fewer `cost_draws` for costs, which score every answer, and size limits.

    A slice of fewer than `least_answers` answers, or of fewer than 10 source images, is small: it
    gets no interval and is listed last. Of a field with more than `most_values` values, those with
    at least 10 challenges become slices, and of these only the `most_values` largest.
    """

    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)
    cost_draws: int = 100
    least_answers: int = 30
    most_values: int = 100


@dataclass(frozen=True)
class Slice:
    """One slice: `n` answers of miners to `challenges` challenges of `images` source images.

    `accuracy` 0..1 and signed `mcc` -1..1 are the candidate's, `miners_*` those of the pooled
    miners on the same challenges (each counts as often as it was answered); `own_*` intervals are
    the candidate's alone, the others of the difference, candidate minus miners, over source images.
    `cost` is how much more mean reward, 0..1, over the whole log the candidate would earn had it
    answered this slice as the miners did: above 0 where it loses. Intervals are None where the
    slice is too `small`, MCC where it holds one label only.
    """

    field: str
    value: str
    n: int
    challenges: int
    images: int
    accuracy: float
    miners_accuracy: float
    own_accuracy_interval: Interval | None
    accuracy_interval: Interval | None
    mcc: float | None
    miners_mcc: float | None
    own_mcc_interval: Interval | None
    mcc_interval: Interval | None
    cost: float
    cost_interval: Interval | None
    small: bool


def slices(
    paired: PairedAnswers, members: SliceMembers, settings: SliceSettings = SliceSettings()
) -> list[Slice]:
    """Every slice that miners answered: those that cost the candidate most first, small ones last.

    Each draw is made once, for all slices.

    Args:
        paired: answers of miners and of the candidate.
        members: of the slices.
        settings: bootstrap and size limits.
    """
    counts = slice_confusion(paired, members, paired.challenges.positive_shares())
    tables = counts.summed()
    answers = tables[:, MINER].sum(axis=(1, 2))
    small = (answers < settings.least_answers) | (counts.image_counts < MIN_IMAGES)
    images = paired.challenges.image_count
    scored = _Scored(
        members=members,
        tables=tables,
        challenges=_challenges_asked(paired, members),
        images=counts.image_counts,
        small=small,
        drawn=_drawn_scores(counts, images, settings.bootstrap),
        costs=SliceCosts(paired, members, settings.bootstrap).points(),
        drawn_costs=_drawn_costs(paired, members, ~small, settings),
        settings=settings,
    )
    every = [scored.slice(number) for number in np.flatnonzero(answers).tolist()]
    return sorted(every, key=lambda part: (part.small, -part.cost, part.field, part.value))


@dataclass(frozen=True)
class _Scored:
    """Scores of S slices: `tables` (S, 2 sides, 2 labels, 3 classes), all others (S,) each.

    `drawn` holds accuracy and MCC of every draw, (2, draws, S, 2 sides), `drawn_costs` the drawn
    costs of each slice that is not small, by its number.
    """

    members: SliceMembers
    tables: Floats
    challenges: NDArray[np.int64]
    images: NDArray[np.int64]
    small: Flags
    drawn: Floats
    costs: list[float]
    drawn_costs: dict[int, Floats]
    settings: SliceSettings

    def slice(self, number: int) -> Slice:
        """One of them, by its number."""
        table, small = self.tables[number], bool(self.small[number])
        accuracy, mcc = accuracy_of_tables(table), mcc_of_tables(table)
        drawn_accuracy, drawn_mcc = np.ascontiguousarray(self.drawn[:, :, number])
        labels = bool((table[MINER].sum(axis=1) > 0).all())
        named, value = self.members.values[number]
        cost = self.costs[number]
        return Slice(
            field=named,
            value=value,
            n=int(table[MINER].sum()),
            challenges=int(self.challenges[number]),
            images=int(self.images[number]),
            accuracy=float(accuracy[CANDIDATE]),
            miners_accuracy=float(accuracy[MINER]),
            own_accuracy_interval=None if small else self._own(accuracy, drawn_accuracy),
            accuracy_interval=None if small else self._difference(accuracy, drawn_accuracy),
            mcc=float(mcc[CANDIDATE]) if labels else None,
            miners_mcc=float(mcc[MINER]) if labels else None,
            own_mcc_interval=self._own(mcc, drawn_mcc) if labels and not small else None,
            mcc_interval=self._difference(mcc, drawn_mcc) if labels and not small else None,
            cost=cost,
            cost_interval=None if small else self._interval(cost, self.drawn_costs[number]),
            small=small,
        )

    def _own(self, points: Floats, draws: Floats) -> Interval:
        """Of the candidate's own score; `points` (2 sides,), `draws` (draws, 2 sides)."""
        return self._interval(points[CANDIDATE], draws[:, CANDIDATE])

    def _difference(self, points: Floats, draws: Floats) -> Interval:
        """Of the candidate's score minus the miners'; arguments as of `_own`."""
        difference = points[CANDIDATE] - points[MINER]
        return self._interval(difference, draws[:, CANDIDATE] - draws[:, MINER])

    def _interval(self, point: float, draws: Floats) -> Interval:
        level = self.settings.bootstrap.level
        low, high = centred_intervals(np.array([point]), draws[:, None], level)[0]
        return float(low), float(high)


def _challenges_asked(paired: PairedAnswers, members: SliceMembers) -> NDArray[np.int64]:
    """(S,), on how many challenges of each slice a miner was asked."""
    asked = np.zeros(paired.challenges.count, np.bool_)
    asked[paired.answers.challenge] = True
    return np.bincount(members.numbers[asked[members.challenge]], minlength=members.count)


def _drawn_scores(counts: ImageConfusion, images: int, settings: BootstrapSettings) -> Floats:
    """Accuracy and MCC of every draw, (2, draws, S, 2 sides)."""

    def scores(draw: int) -> Floats:
        tables = counts.summed(image_repeats(images, settings, draw))
        return np.stack([accuracy_of_tables(tables), mcc_of_tables(tables)])

    return np.stack(in_threads(scores, range(settings.draws), settings.threads), axis=1)


def _drawn_costs(
    paired: PairedAnswers, members: SliceMembers, chosen: Flags, settings: SliceSettings
) -> dict[int, Floats]:
    """The cost of every draw, (draws,), of each chosen slice, by its number."""
    if not chosen.any():
        return {}
    costs = SliceCosts(paired, members.only(chosen), settings.bootstrap)
    numbers = np.flatnonzero(chosen).tolist()
    return dict(zip(numbers, costs.drawn(settings.cost_draws), strict=True))
