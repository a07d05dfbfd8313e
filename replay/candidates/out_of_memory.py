"""Whether an error of torch means that memory ran out."""

import torch


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out, on any device."""
    # The allocator of the processor has no type of its own for it.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
