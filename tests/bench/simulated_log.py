"""A simulated log on drawn scenes, for benchmarks of replays."""

import json
from dataclasses import dataclass
from pathlib import Path

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import stored_challenges
from analytics.simulation.sources import sources_of_shard
from analytics.simulation.validator import SimulationSettings, simulate
from analytics.warehouse.connection import reading
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.store import Store
from replay.plans.plan import Plan, plan
from replay.settings import VariantSettings

SEED = 4172
"""No demo draws or trains on scenes of this seed."""


@dataclass(frozen=True)
class SimulatedLog:
    """The store of an ingested log, the plan of its challenges, and the shards."""

    store: Store
    planned: Plan
    shards: Shards


def simulate_log(root: Path, scenes: int, challenges: int) -> SimulatedLog:
    """Simulate and ingest challenges of all levels on drawn scenes; one variant of each."""
    store = Store(root)
    written = write_shards(store.sources, SceneSettings(seed=SEED, rows=scenes, split="bench"))
    sources = [source for shard in written for source in sources_of_shard(shard)]
    simulation = SimulationSettings(seed=SEED, challenges=challenges, uids=40, validators=3)
    log = root / "log.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in simulate(simulation, sources)))
    ingest(store, [log])
    shards = Shards(store.sources)
    with reading(store) as connection:
        return SimulatedLog(
            store, plan(stored_challenges(connection), shards, VariantSettings(1)), shards
        )
