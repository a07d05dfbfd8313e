"""Loops that run as machine code, for what no array operation expresses: windows that slide."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call, and keep the result beside the file for the next process.

    What is kept is renewed when that file changes, not when one that it calls into does: after an
    edit, `make clean-compiled` (`make check` does it too).

    Runs without the interpreter's lock, so that threads can share the work: give each arrays of its
    own to write to. Without `fastmath`: nothing is fused or reordered, so that float32 bits equal
    NumPy's. Division by zero gives NaN or infinity, as in NumPy: guard where it can happen.
    """
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy")(function))
