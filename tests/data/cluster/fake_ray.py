"""A Ray that runs what it is asked in this process, as behaviours say that it goes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import ray.exceptions

DEATH = ray.exceptions.ActorUnavailableError("out of memory", None)

Behaviour = Callable[..., Any]


@dataclass(eq=False)
class _Reference:
    result: Behaviour
    arguments: tuple[object, ...]


class _Method:
    def __init__(self, result: Behaviour) -> None:
        self._result = result

    def remote(self, *arguments: object) -> _Reference:
        return _Reference(self._result, arguments)


class FakeRay:
    """Each worker that is started takes the next pair of behaviours: at its start, at a task.

    That at its start takes what `Actor.start` takes, that at a task the task.
    """

    exceptions = ray.exceptions
    ObjectRef = _Reference
    is_gone = False

    def __init__(self, behaviours: Iterator[tuple[Behaviour, Behaviour]]) -> None:
        self._behaviours = behaviours
        self.killed = 0

    def remote(self, **_options: object) -> Callable[[type], Any]:
        def actor() -> Any:
            start, do = next(self._behaviours)
            return SimpleNamespace(start=_Method(start), do=_Method(do))

        return lambda _class: SimpleNamespace(remote=actor)

    def wait(self, references: list[_Reference], **_options: object) -> Any:
        return references[:1], references[1:]

    def get(self, reference: _Reference) -> Any:
        return reference.result(*reference.arguments)

    def kill(self, _actor: Any) -> None:
        if self.is_gone:
            raise ConnectionError("closed")
        self.killed += 1


def raising(error: Exception) -> Behaviour:
    def behave(*_arguments: object) -> Any:
        raise error

    return behave
