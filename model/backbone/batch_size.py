"""How many images fit: what a forward or a training step needs, and what the machine has."""

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from data.errors import RunError
from model.backbone.compiled_blocks import uncompiled
from model.backbone.free_memory import available_bytes
from replay.candidates.out_of_memory import is_out_of_memory

_LESS_OF_A_STEP = (
    "choose a smaller backbone or side, fewer --views, or --grad-checkpointing for a trained one"
)


@dataclass(frozen=True)
class MemorySettings:
    """`share` of the free memory that a forward may take, and the `most` images at once.

    The rest of it is for what is not counted (a library's own scratch, other programs). Beyond
    `most` nothing gets faster.
    """

    share: float = 0.5
    most: int = 192


@dataclass(frozen=True)
class ForwardCost:
    """Bytes of tensors alive at the peak of a forward or a training step, input included.

    `fixed` comes once, `per_image` for each image of the batch. Weights are not counted; in a step
    their gradients are. It is what torch's own operations hold: a library's scratch is not counted.
    """

    fixed: int
    per_image: int

    def peak(self, images: int) -> int:
        """Bytes at the peak with so many images."""
        return self.fixed + images * self.per_image


class _LiveStorages(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums the bytes of all live storages: each from its first operation until it is freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = self.peak = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        outputs = func(*args, **(kwargs or {}))
        for tensor in tree_iter(outputs):
            if isinstance(tensor, torch.Tensor):
                self.count(tensor)
        return outputs

    def leave_out(self, tensors: Iterable[torch.Tensor]) -> None:
        """Never count these tensors, which are to live as long as anything is counted."""
        self._known.update(tensor.untyped_storage()._cdata for tensor in tensors)

    def count(self, tensor: torch.Tensor) -> None:
        """Count a tensor's storage, if it is a new one, until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self._freed, key, size)

    def _freed(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.bytes -= size


def forward_cost(module: nn.Module, shape: tuple[int, ...]) -> ForwardCost:
    """Peak memory of a forward of images of `shape` (3, H, W); nothing is computed or allocated."""
    device = next(module.parameters()).device

    def forward(images: int) -> None:
        with torch.no_grad():
            module(torch.empty((images, *shape), device=device))

    return step_cost(forward, [module])


def step_cost(step: Callable[[int], object], modules: Iterable[nn.Module]) -> ForwardCost:
    """Peak memory of a training step, activations and gradients included; nothing is computed.

    Weights, gradients, buffers and random generators are afterwards as they were. An optimiser's
    own state is not part of a step: it comes once, at the first (AdamW: two numbers a weight).

    Args:
        step: runs forward and backward on so many images (or challenges), whose tensors it makes
            itself, of any values. It is run on fake tensors, so it may not look at numbers.
        modules: all modules that it runs.

    Returns:
        The cost of an image (or challenge), by steps of one and of three.
    """
    kept = list(modules)
    one_image, three_images = (_peak(step, images, kept) for images in (1, 3))
    per_image = max(1, (three_images - one_image) // 2)
    return ForwardCost(max(0, one_image - per_image), per_image)


def _peak(step: Callable[[int], object], images: int, modules: list[nn.Module]) -> int:
    # Finalizers of an earlier model's garbage would otherwise run in the middle.
    gc.collect()
    live = _LiveStorages()
    with _as_before(modules), FakeTensorMode(allow_non_fake_inputs=True) as mode:
        weights = [
            mode.from_tensor(tensor)
            for module in modules
            for tensor in chain(module.parameters(), module.buffers())
        ]
        live.leave_out(weights)
        # a compiler would run fake tensors; what it fuses needs less memory, not more
        with uncompiled(), live:
            step(images)
    return live.peak


@contextmanager
def _as_before(modules: list[nn.Module]) -> Iterator[None]:
    """No weight has a gradient, whose place a fake one could take; they and buffers come back.

    Fake tensors leave numbers alone, but for counters (`num_batches_tracked`).
    """
    gradients = [(weight, weight.grad) for module in modules for weight in module.parameters()]
    buffers = [(buffer, buffer.clone()) for module in modules for buffer in module.buffers()]
    for weight, _ in gradients:
        weight.grad = None
    try:
        yield
    finally:
        for weight, gradient in gradients:
            weight.grad = gradient
        for buffer, values in buffers:
            buffer.copy_(values)


def batch_that_fits(
    cost: ForwardCost, device: torch.device, settings: MemorySettings = MemorySettings()
) -> int:
    """How many images to run at once, from 1 to `settings.most`.

    Raises:
        RunError: not even one image fits into all the free memory.
    """
    free = _free_for("image", cost, device, "choose a smaller backbone or side")
    fitting = int((settings.share * free - cost.fixed) // cost.per_image)
    return max(1, min(fitting, settings.most))


def halvings_that_fit(
    batch: int,
    cost: ForwardCost,
    device: torch.device,
    settings: MemorySettings = MemorySettings(),
) -> int:
    """How often a training's batch is to be halved, rounding up, until a step of a part fits.

    As many times is the number of steps that are accumulated to be doubled.

    Args:
        batch: challenges of a whole batch.
        cost: of a step, by challenges (`step_cost`).
        device: that the step runs on.
        settings: `share` of the free memory that a step may take; `most` does not matter.

    Raises:
        RunError: not even one challenge fits into all the free memory.
    """
    free = _free_for("challenge", cost, device, _LESS_OF_A_STEP)
    part, halvings = batch, 0
    while part > 1 and cost.peak(part) > settings.share * free:
        part, halvings = -(-part // 2), halvings + 1
    return halvings


def _free_for(item: str, cost: ForwardCost, device: torch.device, remedy: str) -> int:
    """The free bytes, if they hold one item."""
    free = available_bytes(device)
    if cost.peak(1) > free:
        raise RunError(
            f"one {item} on {device}",
            found=f"{free / 2**20:.0f} MiB of free memory",
            expected=f"{cost.peak(1) / 2**20:.0f} MiB",
            remedy=f"free some, or {remedy}",
        )
    return free


def in_parts(
    forward: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, size: int
) -> torch.Tensor:
    """`forward` on parts of at most `size` images, concatenated; out of memory halves the parts.

    Raises:
        RunError: memory does not hold even one image.
    """
    features: list[torch.Tensor] = []
    start = 0
    while start < len(images):
        try:
            features.append(forward(images[start : start + size]))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            size = _smaller(min(size, len(images) - start), error)
        else:
            start += size
    return torch.cat(features)


def _smaller(size: int, error: RuntimeError) -> int:
    if size == 1:
        raise RunError(
            "one image",
            found="out of memory",
            expected="room for it",
            remedy="free some, or choose a smaller backbone or side",
        ) from error
    # A GPU's allocator has given back what it held before it said so.
    return size // 2
