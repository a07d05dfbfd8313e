"""The verdict of a gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analytics.comparison.intervals import Interval


@dataclass(frozen=True)
class SliceVerdict:
    """Accuracy of `champion` and `challenger` in one guarded slice, 0..1, and their difference.

    `interval`, of the difference, is simultaneous: the intervals of all slices hold at once. The
    slice `fails` where it lies wholly below minus the `bound`. `n` challenges, of `images` source
    images.
    """

    field: str
    value: str
    n: int
    images: int
    champion: float
    challenger: float
    difference: float
    interval: Interval
    bound: float

    @property
    def fails(self) -> bool:
        """Whether the challenger is shown to lose more here than it may."""
        return self.interval[1] < -self.bound


@dataclass(frozen=True)
class Verdict:
    """Whether a challenger is promoted, and why, in sentences.

    Attributes:
        promoted: whether it is.
        reasons: sentences for a person.
        statistic: what was compared, reward (0..1, mean over miners' places) or mcc (-1..1).
        champion: its score.
        challenger: its score.
        difference: challenger minus champion.
        interval: of the difference, over source images; None for too few of them.
        level: of the interval, 0..1; it rises with each attempt.
        attempt: the challenger's number on this gate set, from 1.
        n: challenges.
        images: source images, or streets where places are not logged.
        answers: asked of miners, in whose places both were scored; 0 where none was.
        left_out: counts of other challenges by reason.
        slices: guarded ones, worst first.
        slices_left_out: guarded slices of too few images, by field.
        gate_set: the hash of which challenges these were.
        champion_id: of the evidence.
        challenger_id: of the evidence.
    """

    promoted: bool
    reasons: Sequence[str]
    statistic: str
    champion: float
    challenger: float
    difference: float
    interval: Interval | None
    level: float
    attempt: int
    n: int
    images: int
    answers: int
    left_out: Mapping[str, int]
    slices: Sequence[SliceVerdict]
    slices_left_out: Mapping[str, int]
    gate_set: str
    champion_id: str
    challenger_id: str
