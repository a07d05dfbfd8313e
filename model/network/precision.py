"""The precision that a model computes in, the same in training, validation and replay."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from model.network.settings import Precision
from replay.candidates.float32 import exact_float32


@contextmanager
def computing_in(precision: Precision, device: torch.device | str) -> Iterator[None]:
    """A context in which products and convolutions are computed in a precision.

    `fp32` is whole float32, whatever autocast or TF32 there is around it. `bf16` is autocast's:
    weights and sums stay in float32, products are rounded to bfloat16; a processor without it
    emulates it. Algorithms are those that repeat themselves, see `exact_float32`.

    It is opened inside a module's `forward`, and there, in a bf16 model, again as `fp32` by the
    parts whose outputs need their full resolution. A backward pass runs outside of it: products in
    the types of the forward's, in whole float32 if `exact_float32` is open around it.

    A network that is being exported has no such switches: it computes in its tensors' own type.

    Args:
        precision: of the model.
        device: where it computes.
    """
    if torch.compiler.is_exporting():
        yield
        return
    kind = torch.device(device).type
    with exact_float32(), torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16"):
        yield
