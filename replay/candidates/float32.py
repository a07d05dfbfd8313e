"""Full float32 precision on every device, and the name of the processor that computes it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock

import torch


@dataclass
class _Switches:
    """How many contexts are open in all threads, and what gives the process its own back."""

    open: int = 0
    restoring: ExitStack = field(default_factory=ExitStack)
    lock: Lock = field(default_factory=Lock)


_switches = _Switches()


@contextmanager
def exact_float32() -> Iterator[None]:
    """Matrix products and convolutions in full float32, by deterministic algorithms.

    TF32, the default of convolutions on a GPU and of products where a container's environment asks
    for it, keeps 10 bits of a number; a processor asked for `medium` products takes bfloat16.

    Torch has no such switch for an operation or a thread, only for the process (torch 2.15,
    `torch.backends`). It is switched while at least one context is open in any thread, and then
    set back to what it was before the first; another thread meanwhile computes in full float32 too.
    Inside of `torch.compile` nothing is switched: open it around the compiled call.
    """
    if torch.compiler.is_compiling():
        yield
        return
    _open()
    try:
        yield
    finally:
        _close()


def _open() -> None:
    with _switches.lock:
        if not _switches.open:
            _switches.restoring.callback(
                torch.set_float32_matmul_precision, torch.get_float32_matmul_precision()
            )
            torch.set_float32_matmul_precision("highest")
            _switches.restoring.enter_context(
                torch.backends.cudnn.flags(
                    enabled=True, benchmark=False, deterministic=True, allow_tf32=False
                )
            )
        _switches.open += 1


def _close() -> None:
    with _switches.lock:
        _switches.open -= 1
        if not _switches.open:
            _switches.restoring.close()


def processor_name(device: torch.device) -> str:
    """What computes on a device, as far as the last bits of its floats depend on it.

    The GPU's model, such as `NVIDIA H100 80GB HBM3`; of a processor the instructions that torch
    uses, such as `AVX2`.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return torch.backends.cpu.get_cpu_capability()
