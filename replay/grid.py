"""Where torchvision's rotation takes each pixel from, bit for bit, for any part of a frame.

`torchvision.transforms.functional.rotate` multiplies a list of all positions by a matrix
(`_gen_affine_grid`, a bmm) and hands the float32 grid to `grid_sample`, which rounds to the nearest
source pixel. A position next to the middle between two pixels falls to one or the other with the
last bit of that arithmetic, so the same operations are done here in the same order and precision;
only, a product that is the same for a whole row or column is taken once.

Which products are rounded before they are added is up to the processor and the libraries. So both
shortcuts are held against the real functions once a process; where either differs, the real
functions are used on the part that is wanted, which takes several times as long.
"""

import functools
import math

import torch

_HALF = torch.tensor(-0.5)


class FrameGrid:
    """The sampling grid of a frame turned counter-clockwise by `angle` degrees."""

    def __init__(self, angle: float, height: int, width: int) -> None:
        self._height, self._width = height, width
        self._rows, self._columns = _centred(height), _centred(width)
        self._matrix = _scaled_inverse(angle, height, width)

    def sources(self, rows: slice, columns: slice) -> torch.Tensor:
        """Where a part of the turned frame comes from.

        Args:
            rows: which rows of the frame.
            columns: which columns of the frame.

        Returns:
            Source columns and source rows, (2, h, w), whole numbers in float32. A pixel comes from
            outside, and is black, where one is below 0, or not below the width or height.
        """
        if shortcuts_hold():
            return self.roughly(rows, columns)
        grid = by_bmm(self._rows[rows], self._columns[columns], self._matrix)
        return sampled(grid, self._height, self._width)

    def roughly(self, rows: slice, columns: slice) -> torch.Tensor:
        """The same by the shortcuts: a pixel off at most where they do not hold.

        Unlike `sampled`, this tells how far outside a place lies.
        """
        places = by_sums(self._rows[rows], self._columns[columns], self._matrix)
        nearest_(places[0], self._width)
        nearest_(places[1], self._height)
        return places


def by_bmm(rows: torch.Tensor, columns: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """torchvision's own way to the normalised grid: (h,), (w,), (3, 2) -> (2, h, w)."""
    base = torch.ones(len(rows), len(columns), 3)
    base[..., 0] = columns
    base[..., 1] = rows[:, None]
    grid = base.view(1, -1, 3).bmm(matrix[None])
    return grid.view(len(rows), len(columns), 2).permute(2, 0, 1)


def by_sums(rows: torch.Tensor, columns: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """The same from both products of each row and column, rounded, then added; the shift is 0."""
    return (columns * matrix[0, :, None])[:, None] + (rows * matrix[1, :, None])[:, :, None]


def sampled(grid: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """`grid_sample`'s own rounding, (2, h, w) -> (2, h, w); both -1 where outside.

    Not a picture is sampled but two ramps, each one line long in memory. They start at 1, as
    `grid_sample` gives 0 outside.
    """
    ramps = (
        torch.arange(1.0, width + 1).expand(height, width),
        torch.arange(1.0, height + 1)[:, None].expand(height, width),
    )
    found = (
        torch.nn.functional.grid_sample(
            ramp[None, None],
            grid.permute(1, 2, 0)[None],
            mode="nearest",
            padding_mode="zeros",
            align_corners=False,
        )
        for ramp in ramps
    )
    return torch.cat([ramp[0] for ramp in found]).sub_(1)


def nearest_(places: torch.Tensor, length: int) -> None:
    """`grid_sample`'s rounding of normalised places along a side of `length` pixels, in place.

    ATen/native/cpu/GridSamplerKernel.cpp, `ComputeLocation::unnormalize`: a multiplication and a
    subtraction that compile to one fused operation, as an add with `alpha` does. Halves then go to
    the even neighbour.
    """
    places.add_(1)
    torch.add(_HALF, places, alpha=length / 2, out=places)
    places.round_()


@functools.cache
def shortcuts_hold() -> bool:
    """Whether `by_sums` and `nearest_` give, on this machine, what torchvision's steps give."""
    rows, columns, matrix = _centred(61), _centred(1023), _scaled_inverse(12.07, 61, 1023)
    if not torch.equal(by_sums(rows, columns, matrix), by_bmm(rows, columns, matrix)):
        return False
    # 97: a fused operation shows; 1023: any ratio; 1024: places exactly half-way between pixels
    return all(_rounds_alike(length) for length in (97, 1023, 1024))


def _rounds_alike(length: int) -> bool:
    """Whether `nearest_` is `grid_sample` within 4 float32 steps of all boundaries of pixels."""
    boundaries = 2 * torch.arange(1, length, dtype=torch.float64) / length - 1
    places = (boundaries + torch.arange(-4, 5)[:, None] * 2.0**-24).float()
    expected = sampled(torch.stack((places, torch.zeros_like(places))), 1, length)[0]
    nearest_(places, length)
    return torch.equal(places, expected)


def _centred(length: int) -> torch.Tensor:
    """The positions of pixels about the middle of a side, as `_gen_affine_grid` makes them."""
    return torch.linspace(-length * 0.5 + 0.5, length * 0.5 + 0.5 - 1, steps=length)


def _scaled_inverse(angle: float, height: int, width: int) -> torch.Tensor:
    """`_get_inverse_affine_matrix` for -angle about the origin, over half the sides: (3, 2)."""
    turn = math.radians(-angle)
    inverse = [math.cos(turn), math.sin(turn), 0.0, -math.sin(turn), math.cos(turn), 0.0]
    theta = torch.tensor(inverse, dtype=torch.float32).reshape(2, 3)
    return theta.T / torch.tensor([0.5 * width, 0.5 * height])
