"""Confusion counts of the pooled miners and the candidate, by slice, source image and label."""

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.image_confusion import (
    UNUSED,
    ImageConfusion,
    cell_rows,
    count_answer,
    empty_counts,
    image_cells,
)
from analytics.comparison.paired_answers import Integers, PairedAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats
from analytics.slices.members import SliceMembers


def slice_confusion(
    paired: PairedAnswers, members: SliceMembers, positive_shares: Floats
) -> ImageConfusion:
    """Count the answers to the challenges of each of S slices, which stand for answerers here.

    Args:
        paired: answers of miners and of the candidate.
        members: of the slices.
        positive_shares: (C,), the probability that the candidate's answer is of class 1.
    """
    challenges, answers = paired.challenges, paired.answers
    answered = np.zeros(challenges.count, np.bool_)
    answered[answers.challenge[answers.answered]] = True
    cells = np.where(answered, image_cells(challenges), np.int32(UNUSED))
    by_slice = np.argsort(members.numbers, kind="stable")
    starts = np.searchsorted(members.numbers[by_slice], np.arange(members.count + 1))
    rows = cell_rows(starts, cells[members.challenge[by_slice]], challenges.image_count)
    row = np.empty_like(rows.row)
    row[by_slice] = rows.row
    counts, candidate = empty_counts(rows)
    _count(
        answers.challenge,
        answers.prediction,
        answers.answered,
        positive_shares,
        members.starts,
        row,
        counts,
        candidate,
    )
    return ImageConfusion(rows.starts, rows.cells, counts, candidate)


@compiled
def _count(
    challenge: Integers,
    predictions: Floats,
    used: NDArray[np.bool_],
    shares: Floats,
    starts: NDArray[np.int64],
    rows: Integers,
    counts: Integers,
    candidate: Floats,
) -> None:
    for answer in range(len(challenge)):
        if used[answer]:
            asked = challenge[answer]
            for entry in range(starts[asked], starts[asked + 1]):
                count_answer(predictions[answer], shares[asked], rows[entry], counts, candidate)
