"""Full float32 precision on every device, and the name of the processor that computes it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def exact_float32() -> Iterator[None]:
    """Matrix products and convolutions in full float32, by deterministic algorithms.

    TF32, the default of convolutions on a GPU and of products where a container's environment asks
    for it, keeps 10 bits of a number. Nothing changes on a processor.
    """
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)


def processor_name(device: torch.device) -> str:
    """What computes on a device, as far as the last bits of its floats depend on it.

    The GPU's model, such as `NVIDIA H100 80GB HBM3`; of a processor the instructions that torch
    uses, such as `AVX2`.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return torch.backends.cpu.get_cpu_capability()
