"""What runs on the nodes of a Ray cluster: an actor with a worker that was made once."""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from data.cluster.task_queue import RefusedTaskError, Task


class Refusal(NamedTuple):
    """The answer of a worker that cannot do a task, see `RefusedTaskError`."""

    found: str


class Actor:
    """What Ray runs: a worker, and what fails when it starts is an error of `start`."""

    def start(self, make: Callable[[], Any], describe: Callable[[Any], Any]) -> tuple[str, Any]:
        """Make the worker; returns the node that it is on, and its description."""
        import ray  # noqa: PLC0415  (an extra; and seconds to import)

        self._worker = make()
        return ray.get_runtime_context().get_node_id(), describe(self._worker)

    def do(self, task: Task) -> Any:
        """As `answer_of`."""
        return answer_of(task, self._worker)


def answer_of(task: Task, worker: Any) -> Any:
    """What a worker answers to a task: perhaps a `Refusal`, perhaps a list of pieces.

    One piece is in the list as it is; several are in Ray's store, which uses its node's disk where
    memory is short, and named there.
    """
    try:
        answer = task.done_by(worker)
        return _pieces(answer) if isinstance(answer, Iterator) else answer
    except RefusedTaskError as refused:
        return Refusal(refused.found)


def _pieces(answer: Iterator[Any]) -> list[Any]:
    import ray  # noqa: PLC0415

    first = list(islice(answer, 2))
    return [ray.put(piece) for piece in chain(first, answer)] if len(first) > 1 else first
