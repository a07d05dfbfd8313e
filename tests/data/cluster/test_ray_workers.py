"""How workers are watched over, with a Ray that runs what it is asked in this process."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import ray.exceptions

from data.cluster.actor import Refusal
from data.cluster.ray_cluster import RayCluster, WorkerResources
from data.cluster.ray_workers import RayWorkers, Worker, WorkerKind
from data.cluster.task_queue import TaskQueue
from data.errors import RunError
from tests.data.cluster.fake_ray import DEATH, Behaviour, FakeRay, raising
from tests.data.cluster.numbered_tasks import Numbered, tasks


@dataclass(frozen=True)
class Description:
    """What a worker without work says of itself."""

    host: str = "host"
    environment: Mapping[str, str] = field(default_factory=lambda: {"python": "3.11"})
    content: str = "1"


def _check(description: Description, first: Description) -> None:
    if description.content != first.content:
        raise RunError(f"content {description.content}, not {first.content}")


KIND = WorkerKind(
    make=dict, describe=lambda _: Description(), environment={"python": "3.11"}, check=_check
)


def starts(node: str = "node", **changes: Any) -> Behaviour:
    return lambda *_arguments: (node, Description(**changes))


def answers_its_number(task: Numbered) -> int:
    return task.number


def workers_of(count: int, *behaviours: tuple[Behaviour, Behaviour]) -> RayWorkers[Description]:
    cluster = RayCluster(FakeRay(iter(behaviours)), ("127.0.0.1", 1))  # type: ignore[arg-type]
    return RayWorkers(cluster, KIND, WorkerResources(), count)


def done(count: int, *behaviours: tuple[Behaviour, Behaviour]) -> list[int]:
    """The answers to four tasks, in the order in which they are done."""
    queue: TaskQueue[Worker[Description], Numbered] = TaskQueue(iter(tasks(4)))
    return [answer for _, _, answer in workers_of(count, *behaviours).answers(queue)]


WORKS = (starts(), answers_its_number)
DIES = (starts(), raising(DEATH))
NEVER = (raising(DEATH), raising(DEATH))


def test_a_workers_tasks_are_done_by_the_one_in_its_place() -> None:
    assert sorted(done(1, DIES, WORKS)) == [0, 1, 2, 3]


def test_the_one_in_its_place_has_to_be_like_the_first() -> None:
    with pytest.raises(RunError, match="content 2, not 1"):
        done(1, DIES, (starts(content="2"), answers_its_number))


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(RunError, match=r"worker on host: found python 3.12; expected 3.11, as he"):
        done(1, (starts(environment={"python": "3.12"}), answers_its_number))


def test_a_task_that_cannot_connect_is_no_lost_cluster() -> None:
    refused = ConnectionRefusedError("port 8000")
    errors: Any = ray.exceptions
    error = errors.RayTaskError("do", "trace", refused).as_instanceof_cause()
    assert isinstance(error, ConnectionError)
    with pytest.raises(RunError, match=r"worker on host: found ConnectionRefusedError: port 8000"):
        done(1, (starts(), raising(error)))


def test_a_node_without_the_modules_is_told_at_once() -> None:
    errors: Any = ray.exceptions
    trace = (
        "ray::Actor.__init__() (pid=7, ip=192.0.2.7, repr=<Actor>)\nRuntimeError: The actor with "
        "name Actor failed to import\n ^^^\nModuleNotFoundError: No module named 'data'\n"
    )
    line = (
        r"worker on 192\.0\.2\.7: found ModuleNotFoundError: No module named 'data'; expected "
        "StreetReplay as it is installed here"
    )
    lacking = errors.ActorDiedError(errors.RayTaskError("__init__", trace, RuntimeError()))
    with pytest.raises(RunError, match=line):
        done(1, (raising(lacking), answers_its_number))
    # where modules of this project are, but not all that they import
    system_error = errors.RaySystemError(ModuleNotFoundError("No module named 'data'"), "")
    lacking = errors.RayTaskError("start", trace, system_error)
    with pytest.raises(RunError, match=line):
        done(1, (raising(lacking.as_instanceof_cause()), answers_its_number))


def test_a_worker_that_never_starts_does_not_stop_the_others() -> None:
    assert sorted(done(2, NEVER, WORKS, NEVER, NEVER)) == [0, 1, 2, 3]
    with pytest.raises(RunError, match=r"found 3 that died at their start, .*out of memory"):
        done(1, NEVER, NEVER, NEVER)


def test_without_a_task_no_worker_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRay, "wait", lambda *_, **__: pytest.fail("it waits"))
    queue: TaskQueue[Worker[Description], Numbered] = TaskQueue(iter([]))
    assert list(workers_of(1, WORKS).answers(queue)) == []


def test_those_that_have_started_are_fewer_where_one_was_given_up() -> None:
    assert workers_of(2, WORKS, NEVER, NEVER, NEVER).started(2) == [Description()]


def test_a_task_that_kills_its_workers_ends_the_work() -> None:
    with pytest.raises(RunError, match="part 0: found 3 workers that died at it"):
        done(1, DIES, DIES, DIES, DIES)


def test_a_cluster_that_is_gone_when_a_worker_dies_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FakeRay, "is_gone", True)
    with pytest.raises(RunError, match="found no answer any more"):
        done(1, DIES)


def without_lacking_nodes(count: int, *behaviours: tuple[Behaviour, Behaviour]) -> list[int]:
    """The same where a node that refuses a task is left out."""
    workers = workers_of(count, *behaviours)
    queue: TaskQueue[Worker[Description], Numbered] = TaskQueue(iter(tasks(4)))
    answers = []
    for worker, task, answer in workers.answers(queue):
        if isinstance(answer, Refusal):
            queue.put_back(task)
            workers.leave_out(worker, queue)
        else:
            answers.append(answer)
    return answers


def test_a_node_that_is_left_out_is_asked_no_more() -> None:
    lacking = (starts("lacking"), lambda _task: Refusal("nothing"))
    assert sorted(without_lacking_nodes(3, lacking, lacking, WORKS)) == [0, 1, 2, 3]
    # also where the one that dies is replaced there
    assert without_lacking_nodes(3, lacking, lacking, DIES, lacking) == []
