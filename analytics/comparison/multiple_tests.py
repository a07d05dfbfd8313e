"""Many tests at once: Holm's step-down adjustment (Holm 1979)."""

import numpy as np

from analytics.scoring.metrics import Floats


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values, (n,): below a level, all of those are right with that family-wise error.

    Holds whatever the tests' dependence. Shape (n,), each 0..1.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    stepped = np.minimum(1.0, p_values[order] * np.arange(count, 0, -1))
    adjusted = np.empty(count)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted
