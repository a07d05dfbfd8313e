"""Copies between the processor and a device that neither of them waits for.

A GPU works through what it is given in order, and the processor goes on meanwhile, unless a copy
makes it wait: one of memory that may be paged out waits for all that was given before.
"""

from collections.abc import Sequence

import torch


def to_device(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor of the processor, on a device; a GPU copies it while this process goes on."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class CopiesFromDevice:
    """Tensors of one device on their way to the processor.

    They are copied after all that the device was given before, and before all that it is given
    later: who waits for them does not wait for that.
    """

    def __init__(self, tensors: Sequence[torch.Tensor]) -> None:
        """Begin to copy; on a processor they are there."""
        device = tensors[0].device
        self._event: torch.cuda.Event | None = None
        if device.type == "cuda":
            with torch.cuda.device(device):
                # torch takes memory that is not paged out for them
                self._tensors = [tensor.to("cpu", non_blocking=True) for tensor in tensors]
                self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
                self._event.record()
        else:
            self._tensors = [tensor.cpu() for tensor in tensors]

    def done(self) -> bool:
        """Whether `tensors` would not wait."""
        return self._event is None or bool(self._event.query())  # type: ignore[no-untyped-call]

    def tensors(self) -> list[torch.Tensor]:
        """The tensors on the processor, waited for."""
        if self._event is not None:
            self._event.synchronize()
        return self._tensors
