"""Parts answered by Ray actors, each with a loaded candidate, on the nodes of a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from data.errors import RunError, StreetReplayError
from data.sources.shards import Shards
from data.terminal import note
from replay.answering.part_work import PartAnswer, PartWork
from replay.cluster.environment import check_environment, environment
from replay.cluster.part_queue import PartQueue
from replay.cluster.ray_cluster import RayCluster, WorkerResources
from replay.cluster.worker import (
    PartWorker,
    WorkerDescription,
    WorkerSettings,
    source_rows,
)

# Parts that a worker has at a time: the next one lies there when it is done with the last.
_PARTS_AHEAD = 2
_MOST_FAILED_STARTS = 3
_POLL_SECONDS = 5.0
_PATIENT_POLLS = 6
_WORDS, _DIGITS = 300, 12


class PartActor:
    """A `PartWorker` that Ray runs; what fails when it starts is an error of `start`."""

    def start(self, settings: WorkerSettings) -> WorkerDescription:
        """Load the candidate."""
        self._worker = PartWorker(settings)
        return self._worker.description()

    def answer(self, work: PartWork, sources: Mapping[str, str]) -> bytes:
        """As `PartWorker.answer`."""
        return self._worker.answer(work, sources)


@dataclass(eq=False)
class _Worker:
    """An actor that has started, and what it said of itself."""

    actor: Any
    description: WorkerDescription


@dataclass(frozen=True)
class _Death:
    """A worker, or its node, is gone; `reason` in Ray's words."""

    reason: str


@contextmanager
def ray_workers(
    cluster: RayCluster, settings: WorkerSettings, resources: WorkerResources, count: int
) -> Iterator["RayWorkers"]:
    """So many workers, stopped at the end."""
    workers = RayWorkers(cluster, settings, resources, count)
    try:
        yield workers
    finally:
        workers.stop()


class RayWorkers:
    """The workers of one run. One that dies is replaced, and what it had is done by others."""

    def __init__(
        self,
        cluster: RayCluster,
        settings: WorkerSettings,
        resources: WorkerResources,
        count: int,
    ) -> None:
        """Start `count` workers; their candidates load while this process plans."""
        self._cluster, self._ray = cluster, cluster.ray
        # as many rebuild as there are cores beside the one that asks the candidate
        self._settings = replace(settings, processes=max(1, resources.cpus - 1))
        # by a second thread the next part is rebuilt while the candidate answers
        threads = 2 if self._settings.processes > 1 else 1
        self._actor_class = self._ray.remote(
            num_cpus=resources.cpus, num_gpus=resources.gpus, max_concurrency=threads
        )(PartActor)
        self._ready: list[_Worker] = []
        self._first: WorkerDescription | None = None
        self._starting: dict[Any, Any] = {}
        self._failed_starts = self._polls_without_worker = 0
        for _ in range(count):
            self._start_worker()

    def started(self, count: int = 1) -> list[WorkerDescription]:
        """What the first `count` workers that have started say of themselves and their candidate.

        Raises:
            RunError: one cannot start: the candidate or the sources are not there, or another
                version is.
        """
        while len(self._ready) < count:
            if (reference := self._next_done(list(self._starting))) is not None:
                self._finish_start(reference)
        return [worker.description for worker in self._ready[:count]]

    def answers(self, parts: Iterator[PartWork], shards: Shards) -> Iterator[PartAnswer]:
        """Answer parts, in the order in which workers finish them.

        Args:
            parts: taken one after another, as workers have time for them.
            shards: the sources of the plan, which every node must have alike.

        Raises:
            RunError: a worker cannot answer, workers die again and again at one part, or the
                cluster does not answer any more.
        """
        queue: PartQueue[_Worker] = PartQueue(parts)
        asked: dict[Any, tuple[_Worker, PartWork]] = {}
        while True:
            for worker in self._ready:
                while queue.held(worker) < _PARTS_AHEAD and (part := queue.take(worker)):
                    sources = shards.fingerprints(source_rows(part))
                    asked[worker.actor.answer.remote(part, sources)] = (worker, part)
            if self._ready and not asked:
                return
            reference = self._next_done([*asked, *self._starting])
            if reference in self._starting:
                self._finish_start(reference)
            elif reference in asked:
                worker, part = asked.pop(reference)
                answer = self._result(reference, worker.description.host)
                if isinstance(answer, _Death):
                    queue.give_back(worker, answer.reason)
                    asked = {other: held for other, held in asked.items() if held[0] != worker}
                    self._replace(worker)
                else:
                    queue.hand_in(worker, part)
                    yield PartAnswer(part.index, answer)

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
        self._starting[actor.start.remote(self._settings)] = actor

    def _finish_start(self, reference: Any) -> None:
        """Take in a worker that has started; one that died at its start is started again."""
        actor = self._starting.pop(reference)
        description = self._result(reference, "a node")
        if isinstance(description, _Death):
            self._restart(description.reason)
            return
        self._failed_starts = 0
        self._check(description)
        self._ready.append(_Worker(actor, description))

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
                found=f"{_MOST_FAILED_STARTS} that died while they loaded the candidate, the "
                f"last: {reason}",
                expected="workers that start",
                remedy="is StreetReplay installed there, and memory for so many? see --workers",
            )

    def _check(self, description: WorkerDescription) -> None:
        """Refuse a worker that would answer otherwise than this process or the first worker."""
        check_environment(description.host, description.environment, environment())
        # the first of all: later ones answer in its name, whoever is left
        self._first = first = self._first or description
        theirs, expected = description.candidate, first.candidate
        if theirs.fingerprint != expected.fingerprint:
            raise RunError(
                f"candidate {theirs.name} on {description.host}",
                found=f"fingerprint {theirs.fingerprint[:_DIGITS]}",
                expected=f"{expected.fingerprint[:_DIGITS]}, as on {first.host}",
                remedy="the same files and kind of device on every node",
            )

    def _replace(self, worker: _Worker) -> None:
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
            raise _failure(host, error.cause or error) from None
        except ConnectionError:
            raise self._cluster.lost() from None
        except errors.RuntimeEnvSetupError as error:
            raise _failure(host, error) from None
        except errors.RayError as error:
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


def _words(error: BaseException) -> str:
    return " ".join(str(error).split())[:_WORDS]
