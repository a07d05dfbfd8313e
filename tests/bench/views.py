"""Views of images against torch's own crop and antialiased resize, view by view."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from data.terminal import print_table, say
from model.views.views import ViewExtractor, ViewSettings, view_boxes
from replay.candidates.predictor import Image

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDES = (64, 224)
REPEATS = 7


@dataclass(frozen=True)
class Case:
    """A batch of images of one size."""

    width: int
    height: int
    images: int


CASES = (
    Case(224, 224, 32),
    Case(224, 224, 64),
    Case(640, 480, 4),
    Case(1920, 1080, 2),
    Case(4032, 3024, 1),
)


def by_torch(images: torch.Tensor, side: int, *, in_bytes: bool) -> torch.Tensor:
    """Crop and resize each view of the batch in a loop, as float32 or, rounding, as uint8."""
    pixels = images if in_bytes else images.float()
    height, width = images.shape[-2:]
    views = [
        F.interpolate(
            pixels[..., top:bottom, left:right], (side, side), mode="bilinear", antialias=True
        )
        for top, left, bottom, right in view_boxes(height, width)
    ]
    mean, std = (torch.tensor(channels)[:, None, None] for channels in (MEAN, STD))
    return torch.stack(views, 1).float().div_(255).sub_(mean).div_(std)


def milliseconds(works: Sequence[Callable[[], object]]) -> list[float]:
    """Medians over rounds in which each is done once, so that all see the same machine.

    On one thread of processor time, which other work on the machine disturbs less.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    times: list[list[float]] = [[] for _ in works]
    for _ in range(REPEATS):
        for work, work_times in zip(works, times, strict=True):
            start = clock()
            work()
            work_times.append(1000 * (clock() - start))
    return [float(np.median(work_times[1:])) for work_times in times]


def _row(case: Case, side: int) -> tuple[object, ...]:
    rng = np.random.default_rng(0)
    size = (case.images, case.height, case.width, 3)
    images: list[Image] = list(rng.integers(0, 256, size, dtype=np.uint8))
    # as a stack of images lies in memory, and as torch prefers a batch
    stacked = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    planes = stacked.contiguous()
    extractor = ViewExtractor(ViewSettings(side, MEAN, STD))
    difference = extractor.of_images(images) - by_torch(planes, side, in_bytes=False)
    worst = float(difference.abs().max()) * max(STD) * 255
    medians = milliseconds(
        [
            partial(extractor.of_images, images),
            partial(by_torch, stacked, side, in_bytes=False),
            partial(by_torch, planes, side, in_bytes=False),
            partial(by_torch, stacked, side, in_bytes=True),
            partial(extractor.of_batch, planes),
        ]
    )
    ours, interleaved, planar, rounded, batch = (ms / case.images for ms in medians)
    name = f"{case.images} of {case.width} x {case.height}"
    best = min(interleaved, planar)
    return (
        name,
        side,
        ours,
        best,
        best / ours,
        rounded,
        rounded / ours,
        batch,
        planar / batch,
        worst,
    )


def main() -> None:
    """Print milliseconds an image and the ratios, on one thread and on all."""
    threads = torch.get_num_threads()
    say("torch: the faster of images and planes, float32; in bytes: the same loop, rounding twice")
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        print_table(
            f"12 views, {count} threads, milliseconds an image, medians of {REPEATS - 1}",
            (
                "images",
                "side",
                "ours",
                "torch",
                "ratio",
                "in bytes",
                "ratio",
                "ours, planes",
                "to torch's",
                "differs by /255",
            ),
            [_row(case, side) for case in CASES for side in SIDES],
        )
    torch.set_num_threads(threads)
