"""Which exponents of the reward fit many records, as `data.records.eras` finds them for one."""

from itertools import compress, product

import numpy as np
from numpy.typing import NDArray

from data.records.accuracy_of_ten import FRACTION_TOLERANCE, SHORT_WINDOW
from data.records.eras import ALL_EXPONENTS, exponent_fits

# NumPy's powers may differ in the last bit: so near to the tolerance Python decides.
_DOUBT = 1e-12

_EXPONENTS = sorted(ALL_EXPONENTS)
_SETS = {
    flags: frozenset(compress(_EXPONENTS, flags))
    for flags in product((False, True), repeat=len(_EXPONENTS))
}

_Floats = NDArray[np.float64]


def fitting_exponents(
    rewards: _Floats, mccs: _Floats, starts: NDArray[np.int64]
) -> list[frozenset[int]]:
    """The exponents that fit each record.

    Args:
        rewards: of all records, one after another.
        mccs: beside them.
        starts: where each record's begin, and their number at the end.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        fits = [_records_that_fit(e, rewards, mccs, starts).tolist() for e in _EXPONENTS]
    return [_SETS[flags] for flags in zip(*fits, strict=True)]


def _records_that_fit(
    exponent: int, rewards: _Floats, mccs: _Floats, starts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    paid = rewards > 0
    accuracy = 2 * np.where(paid, rewards, 1.0) ** (1 / exponent) - mccs
    outside = np.maximum(-accuracy, accuracy - 1) - FRACTION_TOLERANCE
    # how far from k/n, above the tolerance, for the n that fits best
    beyond = np.full(len(accuracy), np.inf)
    for n in range(1, SHORT_WINDOW + 1):
        scaled = accuracy * n
        np.minimum(beyond, np.abs(scaled - np.rint(scaled)) - FRACTION_TOLERANCE * n, out=beyond)
    worst = np.where(paid, np.maximum(outside, beyond), -np.inf)
    by_record = np.maximum.reduceat(worst, starts[:-1])
    fits: NDArray[np.bool_] = by_record < 0
    for record in np.flatnonzero(np.abs(by_record) < _DOUBT):
        span = slice(starts[record], starts[record + 1])
        pairs = zip(rewards[span].tolist(), mccs[span].tolist(), strict=True)
        fits[record] = exponent_fits(exponent, [pair for pair in pairs if pair[0] > 0])
    return fits
