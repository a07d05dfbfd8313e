"""Which worker answers which part; parts of a worker that died are given to others."""

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from data.errors import RunError
from replay.answering.part_work import PartWork

# A part that was with so many workers when they died is taken for the cause.
_MOST_DEATHS = 3

W = TypeVar("W", bound=Hashable)


class PartQueue(Generic[W]):
    """Parts that are waiting, and those that workers have; each is handed in once.

    Parts are made when a worker takes one, so that a plan of millions is never in memory.
    """

    def __init__(self, work: Iterator[PartWork]) -> None:
        """Take the parts in the order in which they are given out."""
        self._work = work
        self._returned: deque[PartWork] = deque()
        self._held: dict[W, deque[PartWork]] = {}
        self._deaths: dict[int, int] = {}

    def take(self, worker: W) -> PartWork | None:
        """The next part, now that worker's; None if no part is waiting."""
        part = self._returned.popleft() if self._returned else next(self._work, None)
        if part is not None:
            self._held.setdefault(worker, deque()).append(part)
        return part

    def held(self, worker: W) -> int:
        """How many parts a worker has."""
        return len(self._held.get(worker, ()))

    def hand_in(self, worker: W, part: PartWork) -> None:
        """A worker has answered a part."""
        self._held[worker].remove(part)

    def give_back(self, worker: W, reason: str) -> None:
        """Let others have what a worker had that died.

        Args:
            worker: which.
            reason: of its death, for the error.

        Raises:
            RunError: the part that it began first was with several workers when they died.
        """
        held = self._held.pop(worker, deque())
        if held:
            index = held[0].index
            self._deaths[index] = self._deaths.get(index, 0) + 1
            if self._deaths[index] >= _MOST_DEATHS:
                raise RunError(
                    f"part {index}",
                    found=f"{_MOST_DEATHS} workers that died at it, the last: {reason}",
                    expected="workers that answer it",
                    remedy="give each more memory (fewer --workers); what was done is kept",
                )
        self._returned.extendleft(reversed(held))
