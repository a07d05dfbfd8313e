"""Makes the demo's simulated world in a store: drawn source scenes and a validator's log."""

import json
from collections.abc import Callable
from pathlib import Path

from analytics.ingest.ingest import ingest
from analytics.simulation.sources import sources_of_shard
from analytics.simulation.validator import SimulationSettings, simulate
from analytics.warehouse.connection import reading, writing
from analytics.warehouse.relations import TABLES
from data.atomic_files import atomic_file
from data.digests import file_digest
from data.errors import StoreError
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.store import Store
from model.demo.settings import DemoSettings

_LOG = "demo-validator.jsonl"
_SPLIT = "demo"


def check_free(store: Store) -> None:
    """Check that a store holds nothing but an earlier demo.

    Raises:
        StoreError: it holds other logs or shards.
    """
    others = [path.name for path in store.sources.glob("*.parquet") if not _is_demo_shard(path)]
    if store.warehouse.exists():
        with reading(store) as connection:
            logs = connection.execute("SELECT file, path FROM logs").fetchall()
        others += [file for file, path in logs if Path(path) != (store.logs / _LOG).resolve()]
    if others:
        raise StoreError(
            f"store {store}",
            found=f"other data ({others[0]})",
            expected="an empty store, or one of an earlier demo",
            remedy="name another with --store",
        )


def _is_demo_shard(shard: Path) -> bool:
    return shard.name.startswith(f"{_SPLIT}-")


def draw_sources(
    store: Store, settings: DemoSettings, on_progress: Callable[[int], object] = lambda _: None
) -> list[Path]:
    """Shards of source scenes in the store, drawn if they are not there; see `write_shards`."""
    scenes = SceneSettings(seed=settings.seed, rows=settings.scenes, split=_SPLIT)
    return write_shards(store.sources, scenes, on_progress=on_progress)


def simulate_and_ingest_log(store: Store, shards: list[Path], settings: DemoSettings) -> None:
    """Simulate a validator that sends challenges of the shards' rows, and ingest its log."""
    log = _write_log(store, shards, settings)
    _empty_of_another_demo(store, log)
    ingest(store, [log])


def _empty_of_another_demo(store: Store, log: Path) -> None:
    """Empty the warehouse if an earlier demo ingested another log: the two would mix."""
    if not store.warehouse.exists():
        return
    with writing(store) as writer:
        logs = writer.connection.execute("SELECT path, sha256 FROM logs").fetchall()
        is_this_log = logs == [(str(log.resolve()), file_digest(log))]
        writer.changed = len(logs) == 1 and not is_this_log
        if writer.changed:
            for table in TABLES:
                writer.connection.execute(f"DELETE FROM {table}")  # noqa: S608


def _write_log(store: Store, shards: list[Path], settings: DemoSettings) -> Path:
    simulation = SimulationSettings(
        seed=settings.seed,
        challenges=settings.challenges,
        uids=settings.uids,
        validators=settings.validators,
        synthetic_share=settings.synthetic_share,
    )
    sources = [source for shard in shards for source in sources_of_shard(shard)]
    log = store.logs / _LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(log) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in simulate(simulation, sources))
    return log
