"""Two workers of a Ray cluster against one, with a candidate that only computes.

Workers are counted from when all have started: what a cluster costs at its start is printed beside.
"""

import tempfile
import time
from operator import itemgetter
from pathlib import Path

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import ChallengeSelection
from data.cluster.ray_cluster import HERE, RayCluster, ray_cluster
from data.store import Store
from data.terminal import print_table
from replay.candidates.registry import LoadSettings
from replay.cluster.part_workers import part_workers
from replay.cluster.worker import WorkerSettings
from replay.plans.store_plan import plan_of_store
from replay.runs.open_run import OpenRun
from replay.runs.planned_run import PlannedRun
from replay.settings import ReplaySettings, VariantSettings
from tests.conftest import GOLDEN, ROOT

WORKERS = (1, 2)
ROUNDS = 2
VARIANTS = 48
# smaller than a user's, so that the last ones end together
SETTINGS = ReplaySettings(challenges=8)


def seconds(cluster: RayCluster, store: Store, count: int) -> tuple[float, float, int]:
    """Seconds to start so many workers, seconds to answer all, and images a second."""
    sources = str(GOLDEN / "e7" / "sources")
    settings = WorkerSettings(
        candidate="orange",
        load=LoadSettings(),
        sources=sources,
        working_folder=str(ROOT),
        seed=SETTINGS.seed,
        arithmetic=SETTINGS.arithmetic,
    )
    resources = cluster.worker_resources(1, 0)
    began = time.perf_counter()
    with part_workers(cluster, settings, resources, count) as workers:
        plan, shards = plan_of_store(
            store, sources, ChallengeSelection(), VariantSettings(VARIANTS), ordered=False
        )
        candidate = workers.started(count)[0].candidate
        started = time.perf_counter()
        with OpenRun(store, candidate, PlannedRun(plan, shards, SETTINGS, fresh=True)) as opened:
            for answer in workers.answers(opened.work(), shards):
                opened.keep(answer)
        return started - began, time.perf_counter() - started, int(plan.image_counts.sum())


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder, ray_cluster(HERE) as cluster:
        store = Store(Path(folder))
        ingest(store, [GOLDEN / "e7" / "challenges.jsonl"])
        runs = [(count, seconds(cluster, store, count)) for _ in range(ROUNDS) for count in WORKERS]
    # the least of each: what else the machine does only adds
    measured = {
        count: min((run for number, run in runs if number == count), key=itemgetter(1))
        for count in WORKERS
    }
    for count, (starting, answering, images) in measured.items():
        ratio = measured[WORKERS[0]][1] / answering
        rows.append((count, images, f"{starting:.1f}", f"{answering:.1f}", f"{ratio:.2f}"))
    columns = ("workers", "images", "seconds to start", "seconds to answer", "times one")
    print_table("replay on Ray", columns, rows)


if __name__ == "__main__":
    main()
