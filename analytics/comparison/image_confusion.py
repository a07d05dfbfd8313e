"""Confusion counts of miners and a candidate by source image, which the bootstrap resamples."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Integers, PairedAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

_COLUMNS = 8
"""Of label 0, then of label 1: answers; the candidate's of class 1; the miner's of class 1; the
miner's of neither class."""


@dataclass(frozen=True)
class ImageConfusion:
    """Confusion counts of M answerers by source image; a row for each pair, sorted by answerer.

    Attributes:
        starts: (M + 1,), where each answerer's rows start.
        images: (P,), the number of each row's source image.
        counts: (P, 8), counts of answers; the candidate's are expected counts over variants.
    """

    starts: NDArray[np.int64]
    images: Integers
    counts: Floats

    @property
    def image_counts(self) -> NDArray[np.int64]:
        """(M,), on how many source images each answerer answered."""
        return np.diff(self.starts)

    def summed(self, repeats: NDArray[np.uint8] | None = None) -> Floats:
        """Confusion tables over resampled source images.

        Args:
            repeats: (I,), how often each source image counts; once for None.

        Returns:
            (M, 2 sides: miner, candidate; 2 labels; 3 classes: 0, 1, neither).
        """
        sums = np.zeros((len(self.starts) - 1, _COLUMNS))
        once = np.ones(int(self.images.max(initial=-1)) + 1, np.uint8)
        _sum(self.starts, self.images, self.counts, once if repeats is None else repeats, sums)
        return _tables(sums)


def image_confusion(paired: PairedAnswers, positive_shares: Floats) -> ImageConfusion:
    """Count the answers that metrics can use, neither missing nor NaN.

    Args:
        paired: answers of miners and of the candidate.
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
        for index, (of_label, value) in enumerate(product((0, 1), values))
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
    for answerer in range(len(starts) - 1):
        for row in range(starts[answerer], starts[answerer + 1]):
            times = repeats[images[row]]
            for column in range(_COLUMNS):
                sums[answerer, column] += times * counts[row, column]
