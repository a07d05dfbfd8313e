"""Measurements of a device, made in stages that end in time, and their table."""

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch

from tests.gpu.check import TERA, Target


@dataclass(frozen=True)
class Measurement:
    """How fast something is.

    `images` a second, of `count` that were measured; `alone`: as a share of the model alone on
    inputs that lie on the device; `product`: its operations as a share of the rate of a bf16
    product. None where there is no such share.
    """

    name: str
    count: int
    images: float
    alone: float | None = None
    product: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Stage:
    """Some measurements, each given as soon as it is made, and how many seconds they may take."""

    name: str
    seconds: float
    measure: Callable[[Target, float], Iterator[Measurement]]


class _OutOfTimeError(Exception):
    pass


def run_stages(
    stages: Sequence[Stage], target: Target, rate: float, seconds: float
) -> Iterator[Measurement | str]:
    """Measurements, and lines about stages that failed or were stopped; the others go on.

    Args:
        stages: the most wanted first.
        target: the device.
        rate: operations a second of a bf16 product.
        seconds: that all may take.
    """
    end = time.monotonic() + seconds
    for stage in stages:
        left = min(stage.seconds, end - time.monotonic())
        if left <= 0:
            yield f"{stage.name}: not measured, no time was left"
            continue
        try:
            with _time_limit(left):
                yield from stage.measure(target, rate)
        except _OutOfTimeError:
            yield f"{stage.name}: stopped after {left:.0f} s"
        except Exception as error:  # noqa: BLE001  (device time is scarce: the others go on)
            yield " ".join(f"{stage.name}: not measured: {type(error).__name__}: {error}".split())
        # what a failed measurement held is free for the next
        with suppress(RuntimeError):
            torch.cuda.empty_cache()


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise in the block after so many seconds, as soon as it is back from the device."""

    def stop(*_: object) -> None:
        raise _OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def table(measured: Iterable[Measurement], rate: float) -> str:
    """A table of text."""
    cells = [("", "n", "images/s", "of the model alone", "of a bf16 product", "")]
    cells += [
        (
            each.name,
            f"{each.count}",
            f"{each.images:.1f}",
            _share(each.alone),
            _share(each.product),
            each.note,
        )
        for each in measured
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    return "\n".join([*lines, f"a bf16 product, the fastest measured: {rate / TERA:.1f} TFLOP/s"])


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
