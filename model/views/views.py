"""The twelve views of an image: the global view, a 3 x 3 grid, the centre, the right-side view.

Each is a crop resized to a square by antialiased bilinear interpolation, which is linear and
separable: a matrix on the rows, another on the columns. Views share ranges of rows (five, of
which the grid's three serve three views each), so their rows are summed once.

Ranges are fractions of a side, rounded outwards to whole pixels. So the grid covers every pixel
of every image, each view holds at least one, and an image of one pixel has 12 views. Tiles overlap
by a quarter of a tile, or up to two pixels more.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
import torch

from data.errors import RunError
from model.views.device_matrices import DeviceMatrices
from model.views.kernel import Floats, Ints, extract_band
from model.views.resize_weights import PixelRange, resize_weights
from model.views.reused_memory import ReusedMemory
from replay.candidates.device_copies import to_device
from replay.candidates.float32 import exact_float32
from replay.candidates.predictor import Image

# Raised when the same image would give other views: cached features are then not reused.
VIEWS_VERSION = 1

VIEW_NAMES = (
    "global",
    *(f"grid {row},{column}" for row, column in product((1, 2, 3), repeat=2)),
    "centre",
    "right",
)
VIEWS = len(VIEW_NAMES)

Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels; bottom and right are excluded."""

RANGES = ((0, 1, 1), (0, 4, 10), (3, 7, 10), (6, 10, 10), (1, 3, 4), (1, 2, 2))
"""A side's six ranges: all of it, three tiles, the middle half, the second half.

(first, end, parts) is the range from floor(size * first / parts) to ceil(size * end / parts). A
tile is size / 2.5, at a stride of 0.75 of it: tenths 0 to 4, 3 to 7 and 6 to 10.
"""

ROW_RANGES = (0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 0)
"""The range of rows of each view: an index into RANGES."""

COLUMN_RANGES = (0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 4, 5)
"""Likewise the range of columns."""

_CHANNELS = 3

# Images that a device holds as float32 at once; a photograph of 12 megapixels is 146 MB.
_FLOAT_BYTES = 2**28


@dataclass(frozen=True)
class ViewSettings:
    """Side of the square views in pixels, and the mean and standard deviation of each channel.

    `mean` and `std` are of values in 0..1, as a backbone's settings give them.
    """

    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def _pixel_ranges(size: int) -> tuple[PixelRange, ...]:
    """The six ranges of a side in pixels."""
    return tuple((size * first // parts, -(-size * end // parts)) for first, end, parts in RANGES)


def view_boxes(height: int, width: int) -> tuple[Box, ...]:
    """The 12 views of an image as (top, left, bottom, right) in pixels, ends excluded."""
    rows, columns = _pixel_ranges(height), _pixel_ranges(width)
    return tuple(
        (rows[r][0], columns[c][0], rows[r][1], columns[c][1])
        for r, c in zip(ROW_RANGES, COLUMN_RANGES, strict=True)
    )


@dataclass(frozen=True)
class _Band:
    """The views that share a range of rows; `low` and `high` bound the columns they need."""

    views: Ints
    row_starts: Ints
    row_weights: Floats
    low: int
    high: int
    column_starts: Ints
    column_weights: Floats
    column_counts: Ints


_Job = tuple[npt.NDArray[np.uint8], tuple[_Band, ...], Floats]


@lru_cache(maxsize=32)
def _bands(height: int, width: int, side: int) -> tuple[_Band, ...]:
    rows, columns = _pixel_ranges(height), _pixel_ranges(width)
    resized = [resize_weights(pixel_range, side) for pixel_range in columns]
    most_weights = max(weights.shape[1] for _, weights in resized)
    padded = np.stack(
        [np.pad(weights, ((0, 0), (0, most_weights - weights.shape[1]))) for _, weights in resized]
    )
    column_starts = np.stack([starts for starts, _ in resized])
    counts = np.array([weights.shape[1] for _, weights in resized])
    of_view = np.array(COLUMN_RANGES)
    bands = []
    for index in sorted(set(ROW_RANGES)):
        views = np.flatnonzero(np.array(ROW_RANGES) == index)
        needed = [columns[c] for c in of_view[views]]
        low, high = min(first for first, _ in needed), max(end for _, end in needed)
        row_starts, row_weights = resize_weights(rows[index], side)
        bands.append(
            _Band(
                views=views,
                row_starts=row_starts,
                row_weights=row_weights,
                low=low,
                high=high,
                column_starts=column_starts[of_view] - low,
                column_weights=padded[of_view],
                column_counts=counts[of_view],
            )
        )
    return tuple(bands)


class ViewExtractor:
    """Computes the views of images, in as many threads as torch may use."""

    def __init__(self, settings: ViewSettings) -> None:
        if settings.side < 1:
            raise RunError("side of the views", found=settings.side, expected="at least 1 pixel")
        self.settings = settings
        self._memory = ReusedMemory()
        std = np.array(settings.std)
        self._scale = (1 / (255 * std)).astype(np.float32)
        self._shift = (-np.array(settings.mean) / std).astype(np.float32)
        self._matrices = DeviceMatrices(settings.side, self._scale, self._shift)

    def of_images(self, images: Sequence[Image]) -> torch.Tensor:
        """The views of images of any sizes, on the CPU.

        Args:
            images: uint8, (H, W, 3) RGB each.

        Returns:
            float32, (images, 12, 3, side, side), normalised.

        Raises:
            RunError: an array of another form.
        """
        side = self.settings.side
        out = self._memory.take((len(images), VIEWS, _CHANNELS, side, side))
        threads = torch.get_num_threads()
        jobs: list[_Job] = []
        # Images are decoded here, one after the other: lazy ones are rebuilt with shared state.
        for image, views in zip(images, out, strict=True):
            pixels, bands = _byte_rows(image), _bands(*image.shape[:2], side)
            parts = [bands] if len(images) >= threads else [(band,) for band in bands]
            jobs += [(pixels, part, views) for part in parts]
        if threads == 1:
            for job in jobs:
                self._extract(job)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(self._extract, jobs))
        return torch.from_numpy(out)

    def of_images_on(self, images: Sequence[Image], device: torch.device) -> torch.Tensor:
        """As `of_images`, with the result on a device; an accelerator does the work itself.

        Raises:
            RunError: as `of_images`.
        """
        if device.type == "cpu":
            return self.of_images(images)
        by_size: dict[tuple[int, ...], list[tuple[int, Image]]] = {}
        for index, image in enumerate(images):
            _check_image(image)
            by_size.setdefault(image.shape, []).append((index, image))
        side = self.settings.side
        out = torch.empty((len(images), VIEWS, _CHANNELS, side, side), device=device)
        for group in by_size.values():
            # bytes travel, not floats: a quarter, and of the image, not of its 12 views
            stacked = to_device(torch.from_numpy(np.stack([image for _, image in group])), device)
            views = self.of_batch(stacked.permute(0, 3, 1, 2))
            if len(by_size) == 1:
                return views
            places = to_device(torch.tensor([index for index, _ in group]), device)
            out.index_copy_(0, places, views)
        return out

    def of_batch(self, images: torch.Tensor) -> torch.Tensor:
        """The views of equal-sized images, on the device where they are.

        Args:
            images: uint8, (B, 3, H, W) RGB.

        Returns:
            float32, (B, 12, 3, side, side), normalised.

        Raises:
            RunError: a tensor of another form.
        """
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != _CHANNELS:  # noqa: PLR2004
            raise RunError(
                "batch of images",
                found=f"{images.dtype} {tuple(images.shape)}",
                expected="torch.uint8 (B, 3, H, W)",
            )
        if images.device.type == "cpu":
            return self.of_images(list(images.permute(0, 2, 3, 1).contiguous().numpy()))
        return self.by_matrices(images)

    def by_matrices(self, images: torch.Tensor) -> torch.Tensor:
        """As `of_batch`, by dense matrix products: what accelerators are fast at.

        In float32, also where a training step runs all else in bfloat16.
        """
        with torch.autocast(images.device.type, enabled=False), exact_float32():
            return self._by_matrices(images)

    def _by_matrices(self, images: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = images.shape
        side, device = self.settings.side, images.device
        out = torch.empty((batch, VIEWS, _CHANNELS, side, side), device=device)
        row_ranges, column_ranges = _pixel_ranges(height), _pixel_ranges(width)
        matrices = self._matrices.of_size(row_ranges, column_ranges, device)
        step = max(1, _FLOAT_BYTES // (4 * _CHANNELS * height * width))
        for start in range(0, batch, step):
            part = slice(start, start + step)
            pixels = images[part].float().mul_(matrices.scale).add_(matrices.shift)
            for index in sorted(set(ROW_RANGES)):
                top, bottom = row_ranges[index]
                band = matrices.rows[index] @ pixels[:, :, top:bottom]  # (b, 3, side, W)
                for view in (view for view in range(VIEWS) if ROW_RANGES[view] == index):
                    left, right = column_ranges[COLUMN_RANGES[view]]
                    columns = matrices.columns[COLUMN_RANGES[view]]
                    out[part, view] = band[..., left:right] @ columns
        return out

    def _extract(self, job: _Job) -> None:
        pixels, bands, out = job
        for band in bands:
            extract_band(
                pixels,
                band.row_starts,
                band.row_weights,
                band.low,
                band.high,
                band.views,
                band.column_starts,
                band.column_weights,
                band.column_counts,
                self._scale,
                self._shift,
                out,
            )


def _byte_rows(image: Image) -> npt.NDArray[np.uint8]:
    """The image as contiguous rows of bytes (H, 3 * W)."""
    _check_image(image)
    rows = np.ascontiguousarray(image).reshape(image.shape[0], -1)
    # Writable and read-only arrays are two types, and each would be compiled for.
    rows.flags.writeable = False
    return rows


def _check_image(image: Image) -> None:
    is_rgb = image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == _CHANNELS  # noqa: PLR2004
    if not is_rgb or not image.size:
        raise RunError(
            "image", found=f"{image.dtype} {image.shape}", expected="uint8 (H, W, 3), not empty"
        )
