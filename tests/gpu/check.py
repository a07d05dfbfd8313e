"""A check: a function that gives the worst difference from a reference, with its bounds."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import torch

from model.network.settings import Precision

TERA = 1e12


@dataclass(frozen=True)
class Target:
    """The device that is checked against the CPU; `quick` takes the smallest models and sizes."""

    device: torch.device
    quick: bool = False

    @property
    def images(self) -> int:
        """How many images a check uses."""
        return 4 if self.quick else 48

    @property
    def backbones(self) -> tuple[str, ...]:
        """A tiny transformer and a tiny convolutional network; unless quick, one in real use."""
        tiny = ("test_vit", "test_resnet")
        return tiny if self.quick else (*tiny, "vit_small_patch16_dinov3")


@contextmanager
def lowered_precision(target: Target) -> Iterator[None]:
    """What a careless program around a call may have set: autocast, and products in TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast(target.device.type, torch.bfloat16):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


Compared = Callable[[Target, Precision], float]


@dataclass(frozen=True)
class Check:
    """A comparison with a reference, and the largest difference allowed in each precision.

    `compare` gives the worst difference in a precision; a bound of 0 means the very same bits.
    """

    name: str
    bounds: dict[Precision, float]
    compare: Compared
    cuda_only: bool = False


def check(name: str, *, cuda_only: bool = False, **bounds: float) -> Callable[[Compared], Check]:
    """Decorator that makes a check of a function; `bounds` are fp32, bf16 or both."""
    given: dict[Precision, float] = {
        precision: bounds.pop(precision) for precision in ("fp32", "bf16") if precision in bounds
    }
    if bounds or not given:
        raise TypeError(f"bounds of {name}: fp32 and bf16, not {sorted(bounds)}")
    return lambda compare: Check(name, given, compare, cuda_only)


@dataclass(frozen=True)
class CheckResult:
    """The result of a check in one precision; `worst` is None where it raised `error`."""

    name: str
    precision: Precision
    bound: float
    worst: float | None
    seconds: float
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bound holds; a NaN breaks every bound."""
        return self.worst is not None and self.worst <= self.bound


def run(checks: Iterable[Check], target: Target) -> Iterator[CheckResult]:
    """Run every check in each precision that it has a bound for; an error stops no other check."""
    for check in checks:
        if check.cuda_only and target.device.type != "cuda":
            continue
        for precision, bound in check.bounds.items():
            start = time.perf_counter()
            worst, error = None, ""
            try:
                worst = check.compare(target, precision)
            except Exception as raised:  # noqa: BLE001  (device time is scarce: the others go on)
                error = " ".join(f"{type(raised).__name__}: {raised}".split())
            yield CheckResult(
                check.name, precision, bound, worst, time.perf_counter() - start, error
            )


def table(results: Iterable[CheckResult]) -> str:
    """A table of text: check, precision, worst difference, bound, verdict and seconds."""
    cells = [("check", "precision", "worst", "bound", "verdict", "s")]
    cells += [
        (
            result.name,
            result.precision,
            "-" if result.worst is None else f"{result.worst:.1e}",
            f"{result.bound:.0e}" if result.bound else "equal",
            "ok" if result.holds else "BROKEN",
            f"{result.seconds:.1f}",
        )
        for result in results
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return "\n".join(lines)


def worst_of(pairs: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """The largest absolute difference over pairs of tensors of one shape, on any devices.

    Infinite where one holds NaN.
    """
    return max(chain((0.0,), (_difference(found, expected) for found, expected in pairs)))


def _difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    if found.shape != expected.shape:
        raise ValueError(f"shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    apart = (found.detach().cpu().double() - expected.detach().cpu().double()).abs()
    if not apart.numel():
        return 0.0
    return float(apart.max()) if bool(apart.isfinite().all()) else float("inf")


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The norm of the difference as a share of the reference's norm; infinite for NaN."""
    apart = found.detach().cpu().double() - expected.detach().cpu().double()
    share = float(apart.norm() / expected.detach().cpu().double().norm())
    return share if share == share else float("inf")  # noqa: PLR0124  (NaN)


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
