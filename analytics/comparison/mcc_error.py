"""The interval of an MCC from sums of counts alone, clustered by source image.

MCC is the correlation of labels and classes, as indicators (Gorodkin's R_K), so an answer moves it
by its influence: with deviations x of the label's and y of the class's indicators from their means,
x.y / sqrt(X Y) - MCC / 2 (x.x / X + y.y / Y), where X and Y are the means of x.x and y.y (Devlin,
Gnanadesikan and Kettenring 1975, for a correlation). Answers to one image are not independent: the
variance sums the squares of each image's total influence. An answer's influence depends on its cell
alone, so images' second moments of cell counts are all that is needed: no list of answers.

The interval is symmetric on Fisher's scale (atanh), which keeps it within -1..1. Its width is that
of the counts with half an answer, of an image of its own, added to each cell of the two classes:
else all right would have none. It holds the intervals about both MCCs, with and without these, for
either alone holds the truth too seldom where nearly all is right.
"""

import math

import numpy as np
from scipy import stats

from analytics.comparison.intervals import Interval
from analytics.scoring.metrics import Floats, mcc_of_tables

LABELS, CLASSES = 2, 3
"""Labels 0 and 1; classes 0, 1 and any other."""
CELLS = LABELS * CLASSES
_ADDED = 0.5
_FEWEST_IMAGES = 10


def mcc_interval(
    counts: Floats, products: Floats, images: int, level: float = 0.95
) -> Interval | None:
    """The interval of an MCC; None for fewer than 10 images, or labels or classes all of one kind.

    Args:
        counts: (6,), answers by label and class: label 0 of class 0, 1, other, then label 1.
        products: (6, 6), the sum over images of the outer product of each one's counts.
        images: answered source images.
        level: 0..1.
    """
    table = counts.reshape(LABELS, CLASSES)
    mcc = float(mcc_of_tables(table))
    if images < _FEWEST_IMAGES or min(_kinds(table.sum(axis=1)), _kinds(table.sum(axis=0))) < 2:  # noqa: PLR2004
        return None
    counts, products = counts.copy(), products.copy()
    for cell in (0, 1, CLASSES, CLASSES + 1):
        counts[cell] += _ADDED
        products[cell, cell] += _ADDED**2
    centre, influence = _influence(counts.reshape(LABELS, CLASSES))
    spread = float(influence @ products @ influence) * images / (images - 1)
    error = math.sqrt(spread) / counts.sum() / (1 - centre**2)
    half = float(stats.t.ppf((1 + level) / 2, images - 1)) * error
    centres = np.clip([centre, mcc], -1, 1)
    with np.errstate(divide="ignore"):  # all right is infinitely far on Fisher's scale
        ends = np.tanh(np.arctanh(centres) + np.array([[-half], [half]]))
    return float(ends.min()), float(ends.max())


def _kinds(margin: Floats) -> int:
    return int(np.count_nonzero(margin))


def _influence(table: Floats) -> tuple[float, Floats]:
    """The MCC of a table without an empty label or class 0 or 1, and each cell's influence."""
    shares = table / table.sum()
    labels = np.append(shares.sum(axis=1), 0.0)  # no label is of the other class
    classes = shares.sum(axis=0)
    label_variance, class_variance = 1 - (labels**2).sum(), 1 - (classes**2).sum()
    spread = math.sqrt(label_variance * class_variance)
    identity = np.eye(CLASSES)
    x = identity[:LABELS] - labels
    y = identity - classes
    mcc = float(mcc_of_tables(table))
    influence = (
        x @ y.T / spread
        - mcc / 2 * ((x**2).sum(axis=1)[:, None] / label_variance)
        - mcc / 2 * ((y**2).sum(axis=1)[None, :] / class_variance)
    )
    return mcc, influence.ravel()
