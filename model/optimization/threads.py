"""How many threads torch computes in beside the processes of a loader."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads_beside(workers: int, device: torch.device) -> Iterator[None]:
    """While the block lasts, torch leaves a core to each process that rebuilds images.

    On a processor all threads of an operation wait for the last of them, so one that shares its
    core slows every operation down. A GPU computes by itself: nothing is changed.

    Args:
        workers: processes of the loader.
        device: of the model.
    """
    threads = torch.get_num_threads()
    if device.type == "cpu" and workers:
        torch.set_num_threads(max(1, threads - workers))
    try:
        yield
    finally:
        torch.set_num_threads(threads)
