"""How long work takes on the device, and the rate of its matrix products."""

import time
from collections.abc import Callable

import torch

from tests.gpu.check import Target

TERA = 1e12


def product_rate(target: Target) -> float:
    """Operations a second of a bf16 product of random square matrices, the fastest of some."""
    return max(_product_rate(target, side) for side in ((256,) if target.quick else (4096, 8192)))


def _product_rate(target: Target, side: int) -> float:
    first, second = (
        torch.randn(side, side, device=target.device, dtype=torch.bfloat16) for _ in range(2)
    )
    return float(2 * side**3 / seconds_of(target, lambda: first @ second))


def seconds_of(target: Target, work: Callable[[], object], times: int = 5) -> float:
    """The median of some runs, after two that warm up."""
    seconds = []
    for _ in range(2 + times):
        wait(target)
        start = time.perf_counter()
        work()
        wait(target)
        seconds.append(time.perf_counter() - start)
    return sorted(seconds[2:])[times // 2]


def wait(target: Target) -> None:
    """Until the device has done all that it was given."""
    if target.device.type == "cuda":
        torch.cuda.synchronize(target.device)
