"""torchvision's rotation of a whole frame, computed for the pixels of a crop alone.

`torchvision.transforms.functional.rotate` on a tensor samples the source at a grid of float32
coordinates. The same grid, cut to the crop before it is used, gives the same bytes.
"""

import math

import numpy as np
import numpy.typing as npt
import torch

Box = tuple[int, int, int, int]
"""Top, left, height and width in pixels."""


def rotated(
    pixels: npt.NDArray[np.uint8], angle: float, box: Box | None = None
) -> npt.NDArray[np.uint8]:
    """Rotate counter-clockwise about the centre: nearest pixel, same size, black outside.

    Args:
        pixels: (H, W, 3).
        angle: degrees.
        box: the part of the rotated frame that is wanted; None for all of it.

    Returns:
        (height, width, 3) of the box.
    """
    height, width = pixels.shape[:2]
    grid = _grid(angle, height, width, box or (0, 0, height, width))
    # Not the picture is sampled but where each pixel comes from: two ramps, each one line long in
    # memory. Row numbers start at 1, so that outside is 0.
    rows = _sampled(torch.arange(1.0, height + 1).view(1, 1, height, 1), grid, height, width)
    columns = _sampled(torch.arange(0.0, width).view(1, 1, 1, width), grid, height, width)
    found: npt.NDArray[np.uint8] = pixels[np.maximum(rows, 1) - 1, columns]
    found[rows == 0] = 0
    return found


def _sampled(
    ramp: torch.Tensor, grid: torch.Tensor, height: int, width: int
) -> npt.NDArray[np.int64]:
    sampled = torch.nn.functional.grid_sample(
        ramp.expand(1, 1, height, width),
        grid,
        mode="nearest",
        padding_mode="zeros",
        align_corners=False,
    )
    return sampled[0, 0].to(torch.int64).numpy()


def _grid(angle: float, height: int, width: int, box: Box) -> torch.Tensor:
    """The sampling grid of torchvision's `_gen_affine_grid`, (1, h, w, 2), cut to the box."""
    top, left, box_height, box_width = box
    columns = torch.linspace(-width * 0.5 + 0.5, width * 0.5 + 0.5 - 1, steps=width)
    rows = torch.linspace(-height * 0.5 + 0.5, height * 0.5 + 0.5 - 1, steps=height)
    base = torch.ones(1, box_height, box_width, 3)
    base[..., 0] = columns[left : left + box_width]
    base[..., 1] = rows[top : top + box_height, None]
    theta = torch.tensor(_inverse_rotation(angle), dtype=torch.float32).reshape(1, 2, 3)
    scaled = theta.transpose(1, 2) / torch.tensor([0.5 * width, 0.5 * height])
    return base.view(1, -1, 3).bmm(scaled).view(1, box_height, box_width, 2)


def _inverse_rotation(angle: float) -> list[float]:
    """torchvision's `_get_inverse_affine_matrix` for a rotation by -angle about the origin."""
    turn = math.radians(-angle)
    return [math.cos(turn), math.sin(turn), 0.0, -math.sin(turn), math.cos(turn), 0.0]
