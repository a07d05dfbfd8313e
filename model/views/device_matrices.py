"""Resizes as dense matrices on a device, made once for images of a size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.views.kernel import Floats
from model.views.resize_weights import PixelRange, resize_weights

# Sizes of images whose matrices stay on a device: some MB each, of photographs some tens.
_KEPT_SIZES = 8


@dataclass(frozen=True)
class SizeMatrices:
    """Of images of one size: `rows` (side, pixels) and `columns` (pixels, side) of each range.

    `scale` and `shift` of the colours are (3, 1, 1).
    """

    rows: Sequence[torch.Tensor]
    columns: Sequence[torch.Tensor]
    scale: torch.Tensor
    shift: torch.Tensor


class DeviceMatrices:
    """Makes them, and keeps those of the last sizes: a copy to a GPU waits for all before it."""

    def __init__(self, side: int, scale: Floats, shift: Floats) -> None:
        """Take the side that ranges are resized to, in pixels, and what colours are scaled by."""
        self._side, self._scale, self._shift = side, scale, shift
        self._kept: dict[tuple[object, ...], SizeMatrices] = {}

    def of_size(
        self, rows: Sequence[PixelRange], columns: Sequence[PixelRange], device: torch.device
    ) -> SizeMatrices:
        """The matrices of ranges of rows and of columns."""
        key = (*rows, *columns, device)
        if key in self._kept:
            return self._kept[key]
        # a training uses them too, and refuses tensors of inference
        with torch.inference_mode(False):
            made = SizeMatrices(
                [self._matrix(pixel_range, device) for pixel_range in rows],
                [self._matrix(pixel_range, device).T for pixel_range in columns],
                torch.from_numpy(self._scale).to(device)[:, None, None],
                torch.from_numpy(self._shift).to(device)[:, None, None],
            )
        # fake ones are an estimate's of memory, or a compiler's
        if type(made.rows[0]) is torch.Tensor and not torch.compiler.is_compiling():
            if len(self._kept) == _KEPT_SIZES:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = made
        return made

    def _matrix(self, pixel_range: PixelRange, device: torch.device) -> torch.Tensor:
        """The resize of a range as a matrix (side, pixels)."""
        starts, weights = resize_weights(pixel_range, self._side)
        first, end = pixel_range
        dense = np.zeros((self._side, end - first), np.float32)
        columns = starts[:, None] - first + np.arange(weights.shape[1])
        dense[np.arange(self._side)[:, None], columns] = weights
        return torch.from_numpy(dense).to(device)
