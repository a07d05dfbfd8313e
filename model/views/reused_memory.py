"""Memory of large arrays that is used again: fresh pages cost more than filling them.

On a busy machine the system takes several milliseconds to hand out the pages of 12 views, twice
what it takes to compute them.
"""

import weakref

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float32]

# At most so much stays allocated between two results; a larger buffer is freed.
_MOST_BYTES = 2**29


class ReusedMemory:
    """Makes float32 arrays, and takes their memory back when no tensor uses it any more."""

    def __init__(self) -> None:
        self._idle: list[Floats] = []

    def take(self, shape: tuple[int, ...]) -> Floats:
        """An array of any content; give it to `torch.from_numpy`, and keep no other view of it."""
        wanted = int(np.prod(shape))
        # At most one is idle; another thread may have taken it.
        buffer = self._idle.pop() if self._idle else None
        if buffer is None or buffer.size < wanted:
            # Not numpy's: it asks for huge pages, which take longest where memory is in pieces.
            buffer = torch.empty(wanted).numpy()
        array = buffer[:wanted].reshape(shape)
        # A tensor made of the array holds this object until its last view is gone.
        weakref.finalize(array, self._give_back, buffer).atexit = False
        return array

    def _give_back(self, buffer: Floats) -> None:
        if not self._idle and buffer.nbytes <= _MOST_BYTES:
            self._idle.append(buffer)
