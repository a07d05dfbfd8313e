"""A transformer's blocks compiled by torch: on a GPU in bf16, where products are not all the time.

Norms, rotations, gates and residual sums then cost two thirds of a forward pass that is run
operation by operation. Blocks are alike, so one is compiled for all of them (regional compilation),
in seconds. In fp32 products take nearly all of the time, and nothing is compiled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import torch
from torch import nn

from model.network.settings import Precision

_compiling = ContextVar("compiling", default=True)


def compiles_blocks(precision: Precision, device: torch.device) -> bool:
    """Whether a backbone's blocks are compiled on a device: on a GPU in bf16, if it can be done.

    All of training, validation and replay on one machine so compute alike.
    """
    return precision == "bf16" and device.type == "cuda" and _can_compile(device)


@cache
def _can_compile(device: torch.device) -> bool:
    """Try on a few numbers: a compiler, headers or Triton may be missing, each in its own way."""
    try:
        torch.compile(torch.neg)(torch.ones(2, device=device))
    except Exception:  # noqa: BLE001  a machine that cannot, for whatever reason, does without
        return False
    return True


def compile_blocks(model: Any, precision: Precision, device: torch.device) -> None:
    """Compile the blocks of a timm transformer, where `compiles_blocks` says so and they are not.

    They stay the same modules, with the same names of their tensors; copies are not compiled.
    Nothing is done to a model without a sequence of like blocks, or inside of a whole that is being
    compiled. Sizes stay open: the same code computes batches of any size.
    """
    if torch.compiler.is_compiling() or not _compiling.get():
        return
    blocks = getattr(model, "blocks", None)
    if not isinstance(blocks, (nn.ModuleList, nn.Sequential)) or len(set(map(type, blocks))) != 1:
        return
    if not compiles_blocks(precision, device):
        return
    for block in blocks:
        if block._compiled_call_impl is None:
            block.compile(dynamic=True)


@contextmanager
def uncompiled() -> Iterator[None]:
    """A context in which no block is compiled, and those that are run as their source says."""
    before = _compiling.set(False)
    try:
        with torch.compiler.set_stance("force_eager"):
            yield
    finally:
        _compiling.reset(before)
