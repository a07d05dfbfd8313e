"""P-values of many tests at once, by Holm's step-down adjustment (Holm 1979)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values, (n,), each 0..1.

    Rejecting those below a level keeps the family-wise error at that level, however the tests
    depend on each other.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    stepped = np.minimum(1.0, p_values[order] * np.arange(count, 0, -1))
    adjusted = np.empty(count)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
