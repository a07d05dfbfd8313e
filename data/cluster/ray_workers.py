"""Tasks done by Ray actors, each with a worker that was made once, on the nodes of a cluster."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from data.cluster.actor import Actor
from data.cluster.environment import check_environment
from data.cluster.ray_cluster import RayCluster, WorkerResources
from data.cluster.task_queue import Task, TaskQueue
from data.errors import RunError, StreetReplayError
from data.terminal import note

# Tasks that a worker has at a time: the next one lies there when it is done with the last.
_TASKS_AHEAD = 2
_MOST_FAILED_STARTS = 3
_POLL_SECONDS = 5.0
_PATIENT_POLLS = 6
_WORDS = 300
# Of a trace that Ray passes on as text: whose it is, and what was raised.
_ADDRESS = re.compile(r"\bip=([^,)\s]+)")
_RAISED = re.compile(r"^\w+(?:Error|Exception): .+", re.MULTILINE)


class Described(Protocol):
    """What a worker says of itself once it has started."""

    @property
    def host(self) -> str:
        """Where it runs, for a person."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Its `environment.environment`."""


D = TypeVar("D", bound=Described)
T = TypeVar("T", bound=Task)


@dataclass(frozen=True)
class WorkerKind(Generic[D]):
    """What workers are and what they have to be.

    `make` gives a worker, which `describe` describes, where Ray runs it; both are pickled. Each has
    to have an `environment` as expected; `check`, if any, then compares it with the first that
    started, and raises what is wrong. A worker does `threads` tasks at a time.
    """

    make: Callable[[], Any]
    describe: Callable[[Any], D]
    environment: Mapping[str, str]
    check: Callable[[D, D], None] | None = None
    threads: int = 1


@dataclass(eq=False)
class Worker(Generic[D]):
    """An actor that has started, on which node, and what it said of itself."""

    actor: Any
    node: str
    description: D


@dataclass(frozen=True)
class _Death:
    """A worker, or its node, is gone; `reason` in Ray's words."""

    reason: str


@contextmanager
def ray_workers(
    cluster: RayCluster, kind: WorkerKind[D], resources: WorkerResources, count: int
) -> Iterator["RayWorkers[D]"]:
    """So many workers, stopped at the end."""
    workers = RayWorkers(cluster, kind, resources, count)
    try:
        yield workers
    finally:
        workers.stop()


class RayWorkers(Generic[D]):
    """The workers of one command. One that dies is replaced, and what it had is done by others."""

    def __init__(
        self, cluster: RayCluster, kind: WorkerKind[D], resources: WorkerResources, count: int
    ) -> None:
        """Start `count` workers, which takes them a while that the caller may use."""
        self._cluster, self._ray, self._kind = cluster, cluster.ray, kind
        self._actor_class = self._ray.remote(
            num_cpus=resources.cpus, num_gpus=resources.gpus, max_concurrency=kind.threads
        )(Actor)
        self._ready: list[Worker[D]] = []
        self._first: D | None = None
        self._starting: dict[Any, Any] = {}
        self._left_out: set[str] = set()
        self._failed_starts = self._polls_without_worker = 0
        for _ in range(count):
            self._start_worker()

    def started(self, count: int = 1) -> list[D]:
        """What the first `count` workers that have started say of themselves.

        They are fewer where others were given up.

        Raises:
            RunError: none can start, or one is of another version.
        """
        while len(self._ready) < count and self._starting:
            if (reference := self._next_done(list(self._starting))) is not None:
                self._finish_start(reference)
        return [worker.description for worker in self._ready[:count]]

    def answers(self, queue: TaskQueue[Worker[D], T]) -> Iterator[tuple[Worker[D], T, Any]]:
        """Let workers do the tasks of a queue; yields who did which, in the order in which they do.

        A `Refusal` is an answer too. It ends where nothing is asked and no worker is left that
        could be: then tasks of the queue may be left. For no task no worker is waited for.

        Raises:
            RunError: a task fails, workers die again and again at one, or the cluster does not
                answer any more.
        """
        asked: dict[Any, tuple[Worker[D], T]] = {}
        while True:
            for worker in self._ready:
                while queue.held(worker) < _TASKS_AHEAD and (task := queue.take(worker)):
                    asked[worker.actor.do.remote(task)] = (worker, task)
            could_be_asked = not self._ready and self._starting and queue.has_waiting()
            if not asked and not could_be_asked:
                return
            reference = self._next_done([*asked, *self._starting])
            if reference in self._starting:
                self._finish_start(reference)
            elif reference in asked:
                worker, task = asked.pop(reference)
                answer = self._result(reference, worker.description.host)
                if isinstance(answer, _Death):
                    queue.give_back_of_dead(worker, answer.reason)
                    self._replace(worker)
                else:
                    queue.hand_in(worker, task)
                    yield worker, task, answer
                asked = {other: held for other, held in asked.items() if held[0] in self._ready}

    def pieces(self, worker: Worker[D], answer: Any) -> Iterator[Any]:
        """The pieces of an answer, one after another; None for one that is lost with its node."""
        for piece in answer:
            value = piece
            if isinstance(piece, self._ray.ObjectRef):
                value = self._result(piece, worker.description.host)
            yield None if isinstance(value, _Death) else value

    def leave_out(self, left: Worker[D], queue: TaskQueue[Worker[D], T]) -> None:
        """Ask no worker of this one's node any more; what they had is done by others."""
        self._left_out.add(left.node)
        for worker in [worker for worker in self._ready if worker.node == left.node]:
            queue.give_back(worker)
            self._ready.remove(worker)
            self._stop(worker.actor)

    def stop(self) -> None:
        """Stop all workers; a cluster that others use goes on."""
        for actor in [*(worker.actor for worker in self._ready), *self._starting.values()]:
            self._stop(actor)

    def _stop(self, actor: Any) -> None:
        """Stop a worker; of a cluster that is gone it is gone too."""
        if self._cluster.is_lost:
            return
        try:
            self._ray.kill(actor)
        except ConnectionError:
            self._cluster.is_lost = True

    def _start_worker(self) -> None:
        actor = self._actor_class.remote()
        self._starting[actor.start.remote(self._kind.make, self._kind.describe)] = actor

    def _finish_start(self, reference: Any) -> None:
        """Take in a worker that has started; one that died at its start is started again."""
        actor = self._starting.pop(reference)
        started = self._result(reference, "a node")
        if isinstance(started, _Death):
            self._restart(started.reason)
            return
        self._failed_starts = 0
        node, description = started
        if node in self._left_out:
            self._stop(actor)
            return
        self._check(description)
        self._ready.append(Worker(actor, node, description))

    def _restart(self, reason: str) -> None:
        """Start a worker anew that died at its start; not again and again."""
        self._failed_starts += 1
        if self._failed_starts < _MOST_FAILED_STARTS:
            self._start_worker()
        elif self._ready or self._starting:
            note(f"a worker does not start, others go on without it: {reason}")
        else:
            raise RunError(
                f"workers on {self._cluster.address}",
                found=f"{_MOST_FAILED_STARTS} that died at their start, the last: {reason}",
                expected="workers that start",
                remedy="is there memory for so many? see --workers",
            )

    def _check(self, description: D) -> None:
        """Refuse a worker that would answer otherwise than this process or the first worker."""
        check_environment(description.host, description.environment, self._kind.environment)
        # the first of all: later ones answer in its name, whoever is left
        self._first = self._first or description
        if self._kind.check is not None:
            self._kind.check(description, self._first)

    def _replace(self, worker: Worker[D]) -> None:
        self._ready.remove(worker)
        # one that only cannot be reached would hold its resources
        self._stop(worker.actor)
        if self._cluster.is_lost:
            raise self._cluster.lost()
        self._start_worker()

    def _next_done(self, references: Sequence[Any]) -> Any:
        """One that is done, or None after some seconds in which the cluster was looked after."""
        try:
            done, _ = self._ray.wait(references, num_returns=1, timeout=_POLL_SECONDS)
        except ConnectionError:
            raise self._cluster.lost() from None
        if done:
            return done[0]
        self._cluster.check_answers()
        if self._ready:
            self._polls_without_worker = 0
        else:
            self._polls_without_worker += 1
        if self._polls_without_worker == _PATIENT_POLLS:
            note("no worker has started yet; `ray status` shows what others have of the cluster")
        return None

    def _result(self, reference: Any, host: str) -> Any:
        """What a worker returned, or its death.

        Raises:
            RunError: what it was asked failed.
        """
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:  # also of its cause's type, such as ConnectionError
            if isinstance(error.cause, errors.RaySystemError):  # it cannot read what it was sent
                raise _not_installed(error) from None
            raise _failure(host, error.cause or error) from None
        except ConnectionError:
            raise self._cluster.lost() from None
        except errors.RuntimeEnvSetupError as error:
            raise _failure(host, error) from None
        except errors.RayError as error:
            if getattr(error, "actor_init_failed", False):  # there is no module of `Actor`
                raise _not_installed(error) from None
            return _Death(_words(error))


def _failure(host: str, cause: BaseException) -> RunError:
    """The error of a worker as one line that says where."""
    if isinstance(cause, StreetReplayError):
        return RunError(f"worker on {host}: {cause}")
    return RunError(
        f"worker on {host}",
        found=f"{type(cause).__name__}: {_words(cause)}",
        expected="answers",
        remedy="try --on local for the trace",
    )


def _not_installed(error: BaseException) -> RunError:
    """The error of a node where modules of this project, or what they import, are not."""
    text = str(error)
    address, raised = _ADDRESS.search(text), _RAISED.findall(text)
    return RunError(
        f"worker on {address[1] if address else 'a node'}",
        found=raised[-1][:_WORDS] if raised else _words(error),
        expected="StreetReplay as it is installed here",
        remedy="pip install 'streetreplay[cluster]' on every node, of the same version",
    )


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:_WORDS]
