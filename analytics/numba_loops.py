"""Compile loops to machine code with Numba, where no array operation says the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

from analytics.numba_cache import sources_digest

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, and cache the result on disk for later processes.

    It runs without the interpreter's lock, so that threads can share the work: give each thread its
    own arrays to write to. Without `fastmath` nothing is fused or reordered, so that float32 bits
    equal NumPy's. Division by zero gives NaN or infinity, as in NumPy: guard where it can happen.
    """
    return cast(Callable[P, R], kept(numba.njit(nogil=True, error_model="numpy")(function)))


def kept(dispatcher: Any) -> Any:
    """Cache a Numba dispatcher on disk until one of the project files that it depends on changes.

    Numba itself looks at the function's own file only, not at files it calls into. So the file
    stamp in its cache (`numba.core.caching.Cache`) is replaced by a digest of all these files.
    """
    dispatcher.enable_caching()
    file = Path(dispatcher.py_func.__code__.co_filename)
    dispatcher._cache._cache_file._source_stamp = sources_digest(file)
    return dispatcher
