"""Confusion counts of miners and a candidate by source image, which the bootstrap resamples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.comparison.paired_answers import Challenges, Integers, PairedAnswers
from analytics.numba_loops import compiled
from analytics.scoring.metrics import Floats

UNUSED = -1
"""In place of the cell of an answer that metrics cannot use."""

_LABELS = 2
_ANSWERS, _POSITIVE, _NEITHER = range(3)
_COLUMNS = 4
"""Of each label: answers; the candidate's of class 1; the miner's of class 1; of neither class."""


@dataclass(frozen=True)
class ImageConfusion:
    """Confusion counts of M answerers by source image and label, sorted by answerer, then by cell.

    A cell is an image's number, doubled, plus the label.

    Attributes:
        starts: (M + 1,), where each answerer's rows start.
        cells: (P,), the cell of each row.
        counts: (P, 3), answers; those of the miner of class 1; those of it of neither class.
        candidate: (P,), the candidate's expected answers of class 1, over variants. They are added
            up in the order of answers, so that no number of threads decides a last bit.
    """

    starts: NDArray[np.int64]
    cells: Integers
    counts: Integers
    candidate: Floats

    @property
    def image_counts(self) -> NDArray[np.int64]:
        """(M,), on how many source images each answerer answered."""
        images = self.cells // _LABELS
        first = np.diff(images, prepend=-1) != 0
        first[self.starts[:-1][np.diff(self.starts) > 0]] = True
        return np.diff(np.concatenate([[0], np.cumsum(first)])[self.starts])

    def summed(self, repeats: NDArray[np.uint8] | None = None) -> Floats:
        """Confusion tables over resampled source images.

        Args:
            repeats: (I,), how often each source image counts; once for None.

        Returns:
            (M, 2 sides: miner, candidate; 2 labels; 3 classes: 0, 1, neither).
        """
        sums = np.zeros((len(self.starts) - 1, _LABELS, _COLUMNS))
        once = np.ones(int(self.cells.max(initial=-1)) // _LABELS + 1, np.uint8)
        times = once if repeats is None else repeats
        _sum(self.starts, self.cells, self.counts, self.candidate, times, sums)
        return _tables(sums)


@dataclass(frozen=True)
class CellRows:
    """Which of P rows, one for each group and cell in it, each of n entries is counted in.

    `row` is (n,), -1 for an entry without a cell; `starts` (groups + 1,) and `cells` (P,) are of
    the rows, sorted by group, then by cell.
    """

    row: Integers
    starts: NDArray[np.int64]
    cells: Integers


def image_confusion(paired: PairedAnswers, positive_shares: Floats) -> ImageConfusion:
    """Count the answers that metrics can use, neither missing nor NaN.

    Args:
        paired: answers of miners and of the candidate.
        positive_shares: (C,), the probability that the candidate's answer is of class 1.
    """
    challenges, answers = paired.challenges, paired.answers
    cells = image_cells(challenges)[answers.challenge]
    cells[~answers.answered] = UNUSED
    rows = cell_rows(answers.starts, cells, challenges.image_count)
    counts, candidate = empty_counts(rows)
    shares = positive_shares[answers.challenge]
    _count(answers.prediction, shares, rows.row, counts, candidate)
    return ImageConfusion(rows.starts, rows.cells, counts, candidate)


def image_cells(challenges: Challenges) -> Integers:
    """(C,), the cell of each challenge's image and label."""
    return challenges.images * np.int32(_LABELS) + challenges.labels


def cell_rows(starts: NDArray[np.int64], cells: Integers, images: int) -> CellRows:
    """A row for each cell of each group of entries.

    Args:
        starts: (groups + 1,), where each group's entries start.
        cells: (n,), of each entry; `UNUSED` for none.
        images: number of source images.
    """
    row = np.full(len(cells), UNUSED, np.int32)
    row_starts, row_cells = np.zeros_like(starts), np.empty(len(cells), np.int32)
    unseen = np.full(images * _LABELS, UNUSED, np.int32)
    _number_rows(starts, cells, unseen, row, row_starts, row_cells)
    return CellRows(row, row_starts, row_cells[: row_starts[-1]].copy())


def empty_counts(rows: CellRows) -> tuple[Integers, Floats]:
    """`counts` and `candidate` of an `ImageConfusion` before any answer is counted."""
    return np.zeros((len(rows.cells), 3), np.int32), np.zeros(len(rows.cells))


@compiled
def count_answer(
    prediction: float, share: float, row: int, counts: Integers, candidate: Floats
) -> None:
    """Count an answer that metrics can use, and the `share` of the candidate's of class 1."""
    counts[row, _ANSWERS] += 1
    candidate[row] += share
    predicted = np.rint(prediction)  # half to even, as numpy.round
    if predicted == 1.0:
        counts[row, _POSITIVE] += 1
    elif predicted != 0.0:
        counts[row, _NEITHER] += 1


@compiled
def _count(
    predictions: Floats, shares: Floats, rows: Integers, counts: Integers, candidate: Floats
) -> None:
    for answer in range(len(rows)):
        if rows[answer] != UNUSED:
            count_answer(predictions[answer], shares[answer], rows[answer], counts, candidate)


@compiled
def _number_rows(
    starts: NDArray[np.int64],
    cells: Integers,
    unseen: Integers,
    row: Integers,
    row_starts: NDArray[np.int64],
    row_cells: Integers,
) -> None:
    """Fill `row`, `row_starts` and `row_cells`; `unseen`, by cell, is -1 before and after."""
    row_of, filled = unseen, 0
    for group in range(len(starts) - 1):
        first = filled
        for entry in range(starts[group], starts[group + 1]):
            if cells[entry] != UNUSED and row_of[cells[entry]] == UNUSED:
                row_of[cells[entry]] = filled
                row_cells[filled] = cells[entry]
                filled += 1
        row_cells[first:filled].sort()
        for number in range(first, filled):
            row_of[row_cells[number]] = number
        for entry in range(starts[group], starts[group + 1]):
            if cells[entry] != UNUSED:
                row[entry] = row_of[cells[entry]]
        for number in range(first, filled):
            row_of[row_cells[number]] = UNUSED
        row_starts[group + 1] = filled


def _tables(sums: Floats) -> Floats:
    answers, candidate, miner, neither = np.moveaxis(sums, -1, 0)
    nothing = np.zeros_like(answers)
    sides = (
        np.stack([answers - miner - neither, miner, neither], axis=-1),
        np.stack([answers - candidate, candidate, nothing], axis=-1),
    )
    return np.stack(sides, axis=1)


@compiled
def _sum(
    starts: NDArray[np.int64],
    cells: Integers,
    counts: Integers,
    candidate: Floats,
    repeats: NDArray[np.uint8],
    sums: Floats,
) -> None:
    """Add up `sums`, (M, 2 labels, 4 columns)."""
    for answerer in range(len(starts) - 1):
        for row in range(starts[answerer], starts[answerer + 1]):
            times, label = repeats[cells[row] // _LABELS], cells[row] % _LABELS
            sums[answerer, label, 0] += times * counts[row, _ANSWERS]
            sums[answerer, label, 1] += times * candidate[row]
            sums[answerer, label, 2] += times * counts[row, _POSITIVE]
            sums[answerer, label, 3] += times * counts[row, _NEITHER]
