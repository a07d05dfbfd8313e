"""Which worker has which task; those of a worker that died are given to others."""

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from data.errors import RunError

# A task that was with so many workers when they died is taken for the cause.
_MOST_DEATHS = 3


class RefusedTaskError(Exception):
    """A worker cannot do a task; `found` on its machine is why.

    Empty where that is not to blame: then the task is for the process that asks.
    """

    def __init__(self, found: str = "") -> None:
        super().__init__(found)
        self.found = found


class Task(Protocol):
    """Something that any worker can do, with the same answer; it is sent to one, and pickled."""

    @property
    def name(self) -> str:
        """What it is, for a person; no other of the same work is called so."""

    def done_by(self, worker: Any) -> Any:
        """Do it where the worker is; what returns is sent back, an iterator as pieces.

        Raises:
            RefusedTaskError: it cannot be done there.
        """


W = TypeVar("W", bound=Hashable)
T = TypeVar("T", bound=Task)


class TaskQueue(Generic[W, T]):
    """Tasks that are waiting, and those that workers have; each is handed in once.

    Tasks are made when a worker takes one, so that millions of them are never in memory.
    """

    def __init__(self, tasks: Iterator[T]) -> None:
        """Take the tasks in the order in which they are given out."""
        self._tasks = tasks
        self._returned: deque[T] = deque()
        self._held: dict[W, deque[T]] = {}
        self._deaths: dict[str, int] = {}

    def take(self, worker: W) -> T | None:
        """The next task, now that worker's; None if none is waiting."""
        task = self._returned.popleft() if self._returned else next(self._tasks, None)
        if task is not None:
            self._held.setdefault(worker, deque()).append(task)
        return task

    def has_waiting(self) -> bool:
        """Whether a worker could take a task; the next one is made for that."""
        if not self._returned and (task := next(self._tasks, None)) is not None:
            self._returned.append(task)
        return bool(self._returned)

    def held(self, worker: W) -> int:
        """How many tasks a worker has."""
        return len(self._held.get(worker, ()))

    def hand_in(self, worker: W, task: T) -> None:
        """A worker has done a task."""
        self._held[worker].remove(task)

    def put_back(self, task: T) -> None:
        """Let another do a task that was handed in without an answer."""
        self._returned.appendleft(task)

    def give_back(self, worker: W) -> None:
        """Let others have what a worker had that works no more."""
        self._returned.extendleft(reversed(self._held.pop(worker, deque())))

    def give_back_of_dead(self, worker: W, reason: str) -> None:
        """Let others have what a worker had that died.

        Args:
            worker: which.
            reason: of its death, for the error.

        Raises:
            RunError: the task that it began first was with several workers when they died.
        """
        if held := self._held.get(worker):
            name = held[0].name
            self._deaths[name] = self._deaths.get(name, 0) + 1
            if self._deaths[name] >= _MOST_DEATHS:
                raise RunError(
                    name,
                    found=f"{_MOST_DEATHS} workers that died at it, the last: {reason}",
                    expected="workers that do it",
                    remedy="give each more memory (fewer --workers)",
                )
        self.give_back(worker)
