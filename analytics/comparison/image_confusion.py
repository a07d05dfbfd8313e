"""Confusion counts of miners and a candidate by source image: what accuracy and MCC resample."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Integers, PairedAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

_COLUMNS = 8
"""By label 0, then 1: answers, the candidate's of class 1, the miner's of class 1, of neither."""


@dataclass(frozen=True)
class ImageConfusion:
    """Counts of M answerers on the images of the challenges that each answered, sorted by answerer.

    Attributes:
        starts: (M + 1,), where each one's images start.
        images: (P,), numbers of images.
        counts: (P, 8), answers counted; the candidate's are expected counts over possible images.
    """

    starts: NDArray[np.int64]
    images: Integers
    counts: Floats

    @property
    def image_counts(self) -> NDArray[np.int64]:
        """(M,), on how many source images each one answered."""
        return np.diff(self.starts)

    def summed(self, repeats: NDArray[np.uint8] | None = None) -> Floats:
        """Confusion tables with every image as often as drawn, once for None.

        Args:
            repeats: (I,), by number of image.

        Returns:
            (M, 2 sides: miner, candidate; 2 labels; 3 classes: 0, 1, neither).
        """
        sums = np.zeros((len(self.starts) - 1, _COLUMNS))
        drawn = np.ones(int(self.images.max(initial=-1)) + 1, np.uint8)
        _sum(self.starts, self.images, self.counts, drawn if repeats is None else repeats, sums)
        return _tables(sums)


def image_confusion(paired: PairedAnswers, positive_shares: Floats) -> ImageConfusion:
    """Count the answers that metrics can use, neither silent nor NaN.

    Args:
        paired: who answered what.
        positive_shares: (C,), the probability that the candidate's answer is of class 1.
    """
    challenges, answers = paired.challenges, paired.answers
    used = answers.answered
    challenge, classes = answers.challenge[used], answers.classes[used]
    label, owner = challenges.labels[challenge], answers.owner[used]
    values = (
        np.ones(len(challenge)),
        positive_shares[challenge],
        (classes == 1).astype(float),
        ((classes != 0) & (classes != 1)).astype(float),
    )
    columns = {
        f"{index}": np.where(label == of_label, value, 0.0)
        for index, (of_label, value) in enumerate((of, v) for of in (0, 1) for v in values)
    }
    keys = {"owner": owner, "image": challenges.images[challenge]}
    grouped = (
        pl.DataFrame(keys | columns)
        .group_by("owner", "image")
        .agg(pl.col(list(columns)).sum())
        .sort("owner", "image")
    )
    ends = np.searchsorted(grouped["owner"].to_numpy(), np.arange(answers.count + 1))
    return ImageConfusion(
        ends.astype(np.int64),
        grouped["image"].to_numpy(),
        np.ascontiguousarray(grouped.select(list(columns)).to_numpy()),
    )


def _tables(sums: Floats) -> Floats:
    answers, candidate, miner, neither = np.moveaxis(sums.reshape(-1, 2, 4), -1, 0)
    nothing = np.zeros_like(answers)
    sides = (
        np.stack([answers - miner - neither, miner, neither], axis=-1),
        np.stack([answers - candidate, candidate, nothing], axis=-1),
    )
    return np.stack(sides, axis=1)


@compiled
def _sum(
    starts: NDArray[np.int64],
    images: Integers,
    counts: Floats,
    repeats: NDArray[np.uint8],
    sums: Floats,
) -> None:
    for one in range(len(starts) - 1):
        for place in range(starts[one], starts[one + 1]):
            times = repeats[images[place]]
            for column in range(_COLUMNS):
                sums[one, column] += times * counts[place, column]
