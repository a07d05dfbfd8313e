"""The precision that a model computes in, the same in training, validation and replay."""

from contextlib import AbstractContextManager

import torch

from model.network.settings import Precision


def computing_in(
    precision: Precision, device: torch.device | str
) -> AbstractContextManager[object]:
    """A context in which products and convolutions are computed in a precision.

    `fp32` switches off any autocast around it. `bf16` is autocast's: weights and sums stay in
    float32, products are rounded to bfloat16; a processor without it emulates it.

    Args:
        precision: of the model.
        device: where it computes.
    """
    kind = torch.device(device).type
    return torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16")
