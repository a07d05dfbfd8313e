"""The fused multiply-add of float32, for compiled loops: rounded once, on every processor."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import types
from numba.extending import intrinsic


def _generate_fma(_context: Any, _a: Any, _b: Any, _c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float32(types.float32, types.float32, types.float32), generate


fma = cast(Callable[[Any, Any, Any], np.float32], intrinsic(_generate_fma))
"""a * b + c."""
