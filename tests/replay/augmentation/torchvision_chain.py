"""The validator's chain of torchvision calls, its grid made by either arithmetic: an oracle."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import _functional_tensor
from torchvision.transforms import functional as F  # noqa: N812

from data.records.types import Augmentation, Geometry
from replay.settings import Arithmetic

Box = tuple[int, int, int, int]


Case = tuple[tuple[int, int], Box]


# Without vectors torch fuses nothing: then it is no oracle for the last bit, and the golden images
# are the only one.
TORCH_FUSES = torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")


arithmetics = st.sampled_from(list(Arithmetic))


def sum_rounded_once(left: Any, right: Any) -> Any:
    """The float32 nearest to a sum of float64, which holds products of float32 whole.

    The sum is first rounded to odd (Boldo and Melquiond 2008, "Emulation of FMA and correctly
    rounded sums"), else it would be rounded twice: at a right angle that shows.
    """
    left, right = np.broadcast_arrays(left.astype(np.float64), right.astype(np.float64))
    total = left + right
    part = total - left
    error = (left - (total - part)) + (right - part)
    even = total.view(np.int64) % 2 == 0
    towards = np.where(error > 0, np.inf, -np.inf)
    odd = np.where((error != 0) & even, np.nextafter(total, towards), total)
    return odd.astype(np.float32)


def grid_by(arithmetic: Arithmetic) -> Any:
    """torchvision's `_gen_affine_grid`, but for the product: in float64, rounded where told."""

    def make(theta: torch.Tensor, w: int, h: int, ow: int, oh: int) -> torch.Tensor:
        x, y = (torch.linspace(-n * 0.5 + 0.5, n * 0.5 + 0.5 - 1, n).numpy() for n in (ow, oh))
        scaled = (theta.transpose(1, 2) / torch.tensor([0.5 * w, 0.5 * h]))[0].numpy()
        across, down = x[None, :, None] * scaled[0], y[:, None, None].astype(np.float64) * scaled[1]
        if arithmetic is Arithmetic.AVX2:
            down = down.astype(np.float32)
        return torch.from_numpy(sum_rounded_once(across, down))[None]

    return make


@contextmanager
def with_grid_by(arithmetic: Arithmetic) -> Iterator[None]:
    with mock.patch.object(_functional_tensor, "_gen_affine_grid", grid_by(arithmetic)):
        yield


def torchvision_chain(
    image: Image.Image, angle: float, box: Box, side: int = 224
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    tensor = F.rotate(F.to_tensor(image.convert("RGB")), angle)
    tensor = F.resized_crop(tensor, *box, size=[side, side], antialias=True)
    return np.asarray(F.to_pil_image(tensor))


def assert_equal_images(found: Any, expected: Any) -> None:
    """The same bytes; where torch fuses nothing, about the same picture."""
    if TORCH_FUSES:
        assert found.tobytes() == expected.tobytes()
    elif min(found.shape[:2]) >= 100:
        assert np.abs(found.astype(int) - expected.astype(int)).mean() <= 8


def logged_crop(angle: float, box: Box) -> Augmentation:
    return Augmentation(
        geometry=Geometry.CROP,
        aug_level=1,
        angle=angle,
        crop_top=box[0],
        crop_left=box[1],
        crop_height=box[2],
        crop_width=box[3],
    )


angles = st.one_of(
    st.sampled_from([0.0, -0.0, 20.0, -20.0, 45.0, 90.0, 180.0, 1e-7]), st.floats(-180, 180)
)
