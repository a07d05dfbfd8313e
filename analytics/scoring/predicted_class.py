"""Which class a probability counts as: the validator's rounding."""

import numpy as np
from numpy.typing import NDArray

CLASS_THRESHOLD = 0.5
"""Probabilities above it, up to 1.5, are class 1 (roadwork); 0.5 itself is class 0."""


def predicted_class(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The class that the validator reads from each probability: `numpy.round`, half to even.

    So 0.5 is class 0, 1.5 and 1.7 are class 2, -0.7 is class -1; NaN and infinities stay.
    """
    return np.round(probabilities)
