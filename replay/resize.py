"""The weights of torch's antialiased resize, and the order in which it rounds: to the bit.

`_upsample_bilinear2d_aa` makes each place of a resized side a weighted sum over a window of the
side (ATen/native/cpu/UpSampleKernel.cpp, `_compute_indices_min_size_weights_aa`). Windows and
weights are not computed again here but seen in what torch makes of probes.

The sum, `interpolate_aa_single_dim`, runs in order. Yet compilers let vectors multiply most of it,
a group at a time, so that these products are rounded before they are added, one after the other;
what is left behind the last whole group is fused, each product with its sum.
"""

import functools

import numpy as np
import torch

from replay.crop_loops import Floats, Taps

# A window is at most 2 * scale + 3 long; the guess of its start may be 3 places early.
_SLACK = 6


@functools.lru_cache(maxsize=8)
def taps(length: int, resized: int, group: int) -> Taps:
    """What the places of a side count for.

    Args:
        length: of the side.
        resized: its length afterwards.
        group: how many products are rounded at a time; the first of a window is by itself.
    """
    scale = max(length / resized, 1.0)
    period = min(length, int(2 * scale) + _SLACK)
    centres = (np.arange(resized) + 0.5) * length / resized
    guess = np.clip((centres - scale).astype(int) - 2, 0, length - period)
    places = guess + np.arange(period)[:, None]
    touched = np.isnan(_probed(length, resized, period, torch.nan))
    inside = np.take_along_axis(touched, places % period, axis=0)
    start, size = guess + inside.argmax(axis=0), inside.sum(axis=0)
    every = np.arange(length)
    return Taps(
        first=np.searchsorted(start + size, every, side="right"),
        end=np.searchsorted(start, every, side="right"),
        fused_from=start + 1 + (size - 1) // group * group,
        weights=_probed(length, resized, period, 1.0),
    )


def _probed(length: int, resized: int, period: int, value: float) -> Floats:
    """What torch makes of a line that holds the value at every `period`-th place, and else 0.

    No window holds two of them, so a 1 leaves its weight; a NaN marks even a window of weight 0.

    Returns:
        (period, resized), of the lines whose first value is at 0, 1, ...
    """
    held = torch.arange(length) % period == torch.arange(period)[:, None]
    found: Floats = resize(torch.where(held, value, 0.0)[None], period, resized)[0]
    return found


def resize(values: torch.Tensor, height: int, width: int) -> Floats:
    """(c, h, w) -> (c, height, width), as torchvision resizes float32 with antialiasing."""
    resized: torch.Tensor = torch.nn.functional.interpolate(
        values[None], (height, width), mode="bilinear", align_corners=False, antialias=True
    )
    found: Floats = resized[0].contiguous().numpy()
    return found
