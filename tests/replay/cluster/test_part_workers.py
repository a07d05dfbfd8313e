"""Parts, and what the run needs of the candidate, with a Ray that runs all in this process."""

from dataclasses import replace

import polars as pl
import pytest

from data.cluster.ray_cluster import RayCluster, WorkerResources
from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from replay.answering.part_work import PartWork
from replay.candidates.description import CandidateDescription
from replay.candidates.registry import LoadSettings
from replay.cluster.part_workers import check_candidate, part_workers
from replay.cluster.worker import WorkerDescription, WorkerSettings, replay_environment
from replay.settings import Arithmetic
from tests.data.cluster.fake_ray import DEATH, FakeRay, raising

SETTINGS = WorkerSettings("any", LoadSettings(), "nowhere", "/", 0, Arithmetic.AVX2)
CANDIDATE = CandidateDescription("mine", "1", False)
DESCRIBED = WorkerDescription("node", {}, replay_environment(), CANDIDATE)
ROWS = pl.DataFrame({"parquet": ["a"], "row": [1]})


class Worker:
    """Stands for a `PartWorker` without a candidate."""

    def __init__(self) -> None:
        self.described = 0

    def answer(self, work: PartWork, _sources: object) -> bytes:
        return b"%d" % work.index

    def candidate(self) -> CandidateDescription:
        self.described += 1
        return replace(CANDIDATE, training_rows=ROWS)


def test_parts_are_answered_and_training_rows_sent_once(store: Store) -> None:
    worker = Worker()
    behaviours = (
        (lambda *_: ("node", DESCRIBED), raising(DEATH)),
        (lambda *_: ("node", DESCRIBED), lambda task: task.done_by(worker)),
    )
    cluster = RayCluster(FakeRay(iter(behaviours)), ("127.0.0.1", 1))  # type: ignore[arg-type]
    with part_workers(cluster, SETTINGS, WorkerResources(), 1) as workers:
        assert workers.started() == [DESCRIBED]
        assert workers.candidate().training_rows is ROWS
        parts = (PartWork(index, []) for index in range(3))
        answers = {a.index: a.parquet for a in workers.answers(parts, Shards(store.sources))}
    assert answers == {0: b"0", 1: b"1", 2: b"2"}
    assert worker.described == 1


def test_every_worker_has_to_hold_the_same_candidate() -> None:
    other = replace(DESCRIBED, candidate=replace(CANDIDATE, fingerprint="2"))
    check_candidate(DESCRIBED, DESCRIBED)
    with pytest.raises(RunError, match="candidate mine on node: found fingerprint 2; expected 1"):
        check_candidate(other, DESCRIBED)
