"""What a check is: a function that gives its worst difference from a reference, and its bounds."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Setting:
    """Where checks run: `device` against the CPU; `quick` with the smallest models and sizes."""

    device: torch.device
    quick: bool = False

    @property
    def images(self) -> int:
        """How many images a check looks at."""
        return 4 if self.quick else 48

    @property
    def backbones(self) -> tuple[str, ...]:
        """A transformer and a convolutional network, tiny ones; and one that people use."""
        return ("test_vit", "test_resnet", *(() if self.quick else ("vit_small_patch16_dinov3",)))

    def lowered(self, precision: Precision) -> torch.autocast:
        """bfloat16 as a training step takes it: products, not sums and weights."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bfloat16")


Compared = Callable[[Setting, Precision], float]


@dataclass(frozen=True)
class Check:
    """`compare` gives the worst difference from the reference that `name` tells, in a precision.

    `bounds` says for each precision what it may be at most; 0 means: the very same bits.
    """

    name: str
    bounds: dict[Precision, float]
    compare: Compared
    cuda_only: bool = False


def check(name: str, *, cuda_only: bool = False, **bounds: float) -> Callable[[Compared], Check]:
    """Make a check of a function; `float32` and `bfloat16` are its bounds, one of them at least."""
    known: dict[Precision, float] = {
        precision: bounds.pop(precision)
        for precision in ("float32", "bfloat16")
        if precision in bounds
    }
    if bounds or not known:
        raise TypeError(f"bounds of {name}: float32 and bfloat16, not {sorted(bounds)}")
    return lambda compare: Check(name, known, compare, cuda_only)


@dataclass(frozen=True)
class Row:
    """What came of a check in one precision; `worst` is None where it raised `error`."""

    name: str
    precision: Precision
    bound: float
    worst: float | None
    seconds: float
    error: str = ""

    @property
    def holds(self) -> bool:
        """True if the bound does; a NaN breaks every bound."""
        return self.worst is not None and self.worst <= self.bound


def run(checks: Iterable[Check], setting: Setting) -> Iterator[Row]:
    """Every check in every precision that it has a bound for; one that raises stops no other."""
    for one in checks:
        if one.cuda_only and setting.device.type != "cuda":
            continue
        for precision, bound in one.bounds.items():
            start = time.perf_counter()
            worst, error = None, ""
            try:
                worst = one.compare(setting, precision)
            except Exception as raised:  # noqa: BLE001  (device time is scarce: the others go on)
                error = " ".join(f"{type(raised).__name__}: {raised}".split())
            yield Row(one.name, precision, bound, worst, time.perf_counter() - start, error)


def table(rows: Iterable[Row]) -> str:
    """Check, precision, worst difference, bound, verdict and seconds, for a person."""
    cells = [("check", "precision", "worst", "bound", "verdict", "s")]
    cells += [
        (
            row.name,
            row.precision,
            "-" if row.worst is None else f"{row.worst:.1e}",
            f"{row.bound:.0e}" if row.bound else "equal",
            "ok" if row.holds else "BROKEN",
            f"{row.seconds:.1f}",
        )
        for row in rows
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
