"""Loops that run as machine code, for what no array operation expresses: windows that slide."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

from analytics.numba_cache import sources_digest

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile at the first call, and keep the result beside the file for the next process.

    Runs without the interpreter's lock, so that threads can share the work: give each arrays of its
    own to write to. Without `fastmath`: nothing is fused or reordered, so that float32 bits equal
    NumPy's. Division by zero gives NaN or infinity, as in NumPy: guard where it can happen.
    """
    return cast(Callable[P, R], kept(numba.njit(nogil=True, error_model="numpy")(function)))


def kept(dispatcher: Any) -> Any:
    """Let Numba keep what it compiles, until any source changes that it was made of.

    Numba's own cache is renewed when the function's file changes, not when one that it calls into
    does: its stamp of the file, `numba.core.caching.Cache`, is replaced by one of all sources.
    """
    dispatcher.enable_caching()
    file = Path(dispatcher.py_func.__code__.co_filename)
    dispatcher._cache._cache_file._source_stamp = sources_digest(file)
    return dispatcher
