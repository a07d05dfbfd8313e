"""Where torchvision's rotation takes each pixel from, bit for bit, for any part of a frame.

`torchvision.transforms.functional.rotate` multiplies a list of all positions by a matrix
(`_gen_affine_grid`, a bmm) and hands the float32 grid to `grid_sample`, which rounds to the nearest
source pixel. A position next to the middle between two pixels falls to one or the other with the
last bit of that arithmetic, so the same operations are done here in the same order and precision;
only, a product that is the same for a whole row or column is taken once.

Which products are rounded before they are added is up to the processor and the libraries. So the
sums and the rounding are held against the real functions: `grid_holds`.
"""

import math

import numpy as np
import torch

from replay.crop_loops import Floats, Grid, nearest


def frame_grid(angle: float, height: int, width: int) -> Grid:
    """The sampling grid of a whole frame turned counter-clockwise by `angle` degrees."""
    matrix = _scaled_inverse(angle, height, width)
    across, down = _centred(width) * matrix[0, :, None], _centred(height) * matrix[1, :, None]
    return Grid(across.numpy(), down.numpy())


def grid_holds() -> bool:
    """Whether the sums of shares and `nearest` are, on this machine, what torchvision computes."""
    height, width, angle = 61, 1023, 12.07
    grid = frame_grid(angle, height, width)
    sums = grid.columns[:, None, :] + grid.rows[:, :, None]
    if not np.array_equal(sums, by_bmm(angle, height, width)):
        return False
    # 97: a fused operation shows; 1023: any ratio; 1024: places exactly half-way between pixels
    return all(rounds_alike(length) for length in (97, 1023, 1024))


def by_bmm(angle: float, height: int, width: int) -> Floats:
    """torchvision's own way to the normalised places of a frame's pixels, (2, h, w)."""
    base = torch.ones(height, width, 3)
    base[..., 0] = _centred(width)
    base[..., 1] = _centred(height)[:, None]
    grid = base.view(1, -1, 3).bmm(_scaled_inverse(angle, height, width)[None])
    return grid.view(height, width, 2).permute(2, 0, 1).numpy()


def rounds_alike(length: int) -> bool:
    """Whether `nearest` is `grid_sample` within 4 float32 steps of all boundaries of pixels."""
    boundaries = 2 * torch.arange(1, length, dtype=torch.float64) / length - 1
    places = (boundaries + torch.arange(-4, 5)[:, None] * 2.0**-24).float().flatten()
    found = nearest(places.numpy(), np.float32(length / 2))
    return np.array_equal(found, _sampled(places, length))


def _sampled(places: torch.Tensor, length: int) -> Floats:
    """The pixel of a line that `grid_sample` takes for each normalised place: (n,) -> (n,)."""
    line = torch.arange(float(length))[None, None, None]
    grid = torch.stack((places, torch.zeros_like(places)), dim=-1)[None, None]
    found = torch.nn.functional.grid_sample(line, grid, mode="nearest", align_corners=False)
    return found.flatten().numpy()


def _centred(length: int) -> torch.Tensor:
    """The positions of pixels about the middle of a side, as `_gen_affine_grid` makes them."""
    return torch.linspace(-length * 0.5 + 0.5, length * 0.5 + 0.5 - 1, steps=length)


def _scaled_inverse(angle: float, height: int, width: int) -> torch.Tensor:
    """`_get_inverse_affine_matrix` for -angle about the origin, over half the sides: (3, 2)."""
    turn = math.radians(-angle)
    inverse = [math.cos(turn), math.sin(turn), 0.0, -math.sin(turn), math.cos(turn), 0.0]
    theta = torch.tensor(inverse, dtype=torch.float32).reshape(2, 3)
    return theta.T / torch.tensor([0.5 * width, 0.5 * height])
