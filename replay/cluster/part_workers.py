"""Parts answered by workers on the nodes of a Ray cluster, each with a loaded candidate."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import methodcaller

from data.cluster.ray_cluster import RayCluster, WorkerResources
from data.cluster.ray_workers import RayWorkers, Worker, WorkerKind, ray_workers
from data.cluster.task_queue import TaskQueue
from data.errors import RunError
from data.sources.shards import Shards
from replay.answering.part_work import PartAnswer, PartWork
from replay.candidates.description import CandidateDescription
from replay.cluster.worker import (
    PartWorker,
    WorkerDescription,
    WorkerSettings,
    replay_environment,
    source_rows,
)

_DIGITS = 12
_Worker = Worker[WorkerDescription]


@dataclass(frozen=True)
class _AnswerPart:
    """The task of answering a part; `sources` as `PartWorker.answer`."""

    work: PartWork
    sources: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"part {self.work.index}"

    def done_by(self, worker: PartWorker) -> bytes:
        return worker.answer(self.work, self.sources)


@dataclass(frozen=True)
class _DescribeCandidate:
    """The task of describing a candidate with its training rows, which are sent once a run."""

    name: str = "what the candidate was trained on"

    def done_by(self, worker: PartWorker) -> CandidateDescription:
        return worker.candidate()


@contextmanager
def part_workers(
    cluster: RayCluster, settings: WorkerSettings, resources: WorkerResources, count: int
) -> Iterator["PartWorkers"]:
    """So many workers, stopped at the end; their candidates load while the caller plans."""
    # as many rebuild as there are cores beside the one that asks the candidate
    settings = replace(settings, processes=max(1, resources.cpus - 1))
    kind = WorkerKind(
        make=partial(PartWorker, settings),
        describe=methodcaller("description"),
        environment=replay_environment(),
        check=check_candidate,
        # by a second thread the next part is rebuilt while the candidate answers
        threads=2 if settings.processes > 1 or resources.gpus else 1,
    )
    with ray_workers(cluster, kind, resources, count) as workers:
        yield PartWorkers(workers)


class PartWorkers:
    """The workers of one run."""

    def __init__(self, workers: RayWorkers[WorkerDescription]) -> None:
        """Take workers that start."""
        self._workers = workers

    def started(self, count: int = 1) -> list[WorkerDescription]:
        """What the first `count` workers that have started say of themselves.

        Raises:
            RunError: one cannot start: the candidate or the sources are not there, or another
                version is.
        """
        return self._workers.started(count)

    def candidate(self) -> CandidateDescription:
        """All that the run needs to know of the candidate.

        Raises:
            RunError: as `started`, or its training rows cannot be read.
        """
        queue: TaskQueue[_Worker, _DescribeCandidate] = TaskQueue(iter([_DescribeCandidate()]))
        ((_, _, candidate),) = self._workers.answers(queue)
        described: CandidateDescription = candidate
        return described

    def answers(self, parts: Iterator[PartWork], shards: Shards) -> Iterator[PartAnswer]:
        """Answer parts, in the order in which workers finish them.

        Args:
            parts: taken one after another, as workers have time for them.
            shards: the sources of the plan, which every node must have alike.

        Raises:
            RunError: a worker cannot answer, workers die again and again at one part, or the
                cluster does not answer any more.
        """
        tasks = (_AnswerPart(part, shards.fingerprints(source_rows(part))) for part in parts)
        queue: TaskQueue[_Worker, _AnswerPart] = TaskQueue(tasks)
        for _, task, parquet in self._workers.answers(queue):
            yield PartAnswer(task.work.index, parquet)


def check_candidate(worker: WorkerDescription, first: WorkerDescription) -> None:
    """Refuse a worker whose candidate is another than that of the first worker.

    Raises:
        RunError: its fingerprint differs.
    """
    theirs, expected = worker.candidate, first.candidate
    if theirs.fingerprint != expected.fingerprint:
        raise RunError(
            f"candidate {theirs.name} on {worker.host}",
            found=f"fingerprint {theirs.fingerprint[:_DIGITS]}",
            expected=f"{expected.fingerprint[:_DIGITS]}, as on {first.host}",
            remedy="the same files and kind of device on every node",
        )
