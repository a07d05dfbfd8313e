"""How many images fit: what a forward needs, what the machine has, and smaller parts if need be."""

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from data.errors import RunError
from model.backbone.free_memory import available_bytes


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
    """Bytes of tensors alive at the peak of a forward without gradients, input and output included.

    `fixed` comes once, `per_image` for each image of the batch; weights are not counted.
    """

    fixed: int
    per_image: int

    def peak(self, images: int) -> int:
        """Bytes at the peak of a forward of so many images."""
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
    one_image, three_images = (_peak(module, (images, *shape)) for images in (1, 3))
    per_image = max(1, (three_images - one_image) // 2)
    return ForwardCost(max(0, one_image - per_image), per_image)


def _peak(module: nn.Module, shape: tuple[int, ...]) -> int:
    device = next(module.parameters()).device
    # Finalizers of an earlier model's garbage would otherwise run in the middle.
    gc.collect()
    live = _LiveStorages()
    with torch.no_grad(), FakeTensorMode(allow_non_fake_inputs=True), live:
        live.count(images := torch.empty(shape, device=device))
        module(images)
    return live.peak


def batch_that_fits(
    cost: ForwardCost, device: torch.device, settings: MemorySettings = MemorySettings()
) -> int:
    """How many images to run at once, from 1 to `settings.most`.

    Raises:
        RunError: not even one image fits into all the free memory.
    """
    free = available_bytes(device)
    if cost.peak(1) > free:
        raise RunError(
            f"one image on {device}",
            found=f"{free / 2**20:.0f} MiB of free memory",
            expected=f"{cost.peak(1) / 2**20:.0f} MiB",
            remedy="free some, or choose a smaller backbone or side",
        )
    fitting = int((settings.share * free - cost.fixed) // cost.per_image)
    return max(1, min(fitting, settings.most))


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
            if not _is_out_of_memory(error):
                raise
            size = _smaller(min(size, len(images) - start), error)
        else:
            start += size
    return torch.cat(features)


def _is_out_of_memory(error: RuntimeError) -> bool:
    # The allocator of the processor has no type of its own for it.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


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
