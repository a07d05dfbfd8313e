"""How workers are watched over, with a Ray that runs what it is asked in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
import ray.exceptions

from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from replay.answering.part_work import PartWork
from replay.candidates.description import CandidateDescription
from replay.candidates.registry import LoadSettings
from replay.cluster.environment import environment
from replay.cluster.ray_cluster import RayCluster, WorkerResources
from replay.cluster.ray_workers import RayWorkers
from replay.cluster.worker import WorkerDescription, WorkerSettings
from replay.settings import Arithmetic

SETTINGS = WorkerSettings("any", LoadSettings(), "nowhere", "/", 0, Arithmetic.AVX2)
DESCRIBED = WorkerDescription("node", {}, environment(), CandidateDescription("mine", "1", False))
DEATH = ray.exceptions.ActorUnavailableError("out of memory", None)

Behaviour = Callable[[], Any]


@dataclass(eq=False)
class _Reference:
    result: Behaviour


class _Method:
    def __init__(self, result: Behaviour) -> None:
        self._result = result

    def remote(self, *_arguments: object) -> _Reference:
        return _Reference(self._result)


class _Ray:
    """Each worker that is started takes the next pair of behaviours: at its start, at a part."""

    exceptions = ray.exceptions
    is_gone = False

    def __init__(self, behaviours: Iterator[tuple[Behaviour, Behaviour]]) -> None:
        self._behaviours = behaviours

    def remote(self, **_options: object) -> Callable[[type], Any]:
        def actor() -> Any:
            start, answer = next(self._behaviours)
            return SimpleNamespace(start=_Method(start), answer=_Method(answer))

        return lambda _class: SimpleNamespace(remote=actor)

    def wait(self, references: list[_Reference], **_options: object) -> Any:
        return references[:1], references[1:]

    def get(self, reference: _Reference) -> Any:
        return reference.result()

    def kill(self, _actor: Any) -> None:
        if self.is_gone:
            raise ConnectionError("closed")


def raising(error: Exception) -> Behaviour:
    def behave() -> Any:
        raise error

    return behave


def described(**changes: Any) -> Behaviour:
    candidate = replace(DESCRIBED.candidate, **changes)
    return lambda: replace(DESCRIBED, candidate=candidate)


def answers(store: Store, count: int, *behaviours: tuple[Behaviour, Behaviour]) -> list[int]:
    """The indices of four parts in the order in which they are answered."""
    cluster = RayCluster(_Ray(iter(behaviours)), ("127.0.0.1", 1))  # type: ignore[arg-type]
    workers = RayWorkers(cluster, SETTINGS, WorkerResources(), count)
    parts = (PartWork(index, []) for index in range(4))
    return [answer.index for answer in workers.answers(parts, Shards(store.sources))]


def test_a_workers_parts_are_done_by_the_one_in_its_place(store: Store) -> None:
    dying = (described(), raising(DEATH))
    done = answers(store, 1, dying, (described(), lambda: b"parquet"))
    assert sorted(done) == [0, 1, 2, 3]


def test_the_one_in_its_place_has_to_hold_the_same_candidate(store: Store) -> None:
    dying = (described(), raising(DEATH))
    with pytest.raises(RunError, match="candidate mine on node: found fingerprint 2; expected 1"):
        answers(store, 1, dying, (described(fingerprint="2"), lambda: b"parquet"))


def test_a_candidate_that_cannot_connect_is_no_lost_cluster(store: Store) -> None:
    refused = ConnectionRefusedError("port 8000")
    errors: Any = ray.exceptions
    error = errors.RayTaskError("answer", "trace", refused).as_instanceof_cause()
    assert isinstance(error, ConnectionError)
    with pytest.raises(RunError, match=r"worker on node: found ConnectionRefusedError: port 8000"):
        answers(store, 1, (described(), raising(error)))


def test_a_worker_that_never_starts_does_not_stop_the_others(store: Store) -> None:
    never = (raising(DEATH), raising(DEATH))
    works = (described(), lambda: b"parquet")
    done = answers(store, 2, never, works, never, never)
    assert sorted(done) == [0, 1, 2, 3]
    with pytest.raises(RunError, match=r"found 3 that died while they loaded .*out of memory"):
        answers(store, 1, never, never, never)


def test_a_part_that_kills_its_workers_ends_the_run(store: Store) -> None:
    dying = (described(), raising(DEATH))
    with pytest.raises(RunError, match="part 0: found 3 workers that died at it"):
        answers(store, 1, dying, dying, dying, dying)


def test_a_cluster_that_is_gone_when_a_worker_dies_is_one_line(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Ray, "is_gone", True)
    with pytest.raises(RunError, match="found no answer any more"):
        answers(store, 1, (described(), raising(DEATH)))
