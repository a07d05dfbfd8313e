"""A small simulated world, and the whole job done on it: ingest, train, replay, compare.

Nothing in it is a real log or a real photograph; it says so wherever it prints.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from analytics.challenges import stored_challenges
from analytics.ingest import ingest
from analytics.simulated_sources import sources_of_shard
from analytics.simulated_validator import SimulationSettings, simulate
from analytics.warehouse import TABLES, reading, writing
from data.errors import StoreError
from data.logs import file_digest
from data.scene_plan import SceneSettings
from data.scene_rows import write_shards
from data.sources import Shards
from data.store import Store
from data.whole_files import written_aside
from model.demo_training import DemoTraining, draw_training_rows, fit_orange, train_demo
from model.predictor import load_predictor
from model.training import Progress, TrainReport, silent
from replay.against import Against, against
from replay.compare import compare
from replay.comparison import Comparison
from replay.plan import Planned, plan
from replay.predictor import Predictor
from replay.runner import Replay
from replay.settings import VariantSettings
from replay.trained_on import trained_on

MODEL = "demo"
"""The checkpoint's folder below the store's `models`."""

_LOG = "demo-validator.jsonl"


@dataclass(frozen=True)
class DemoSettings:
    """How large the world is: source scenes, challenges, uids of the simulated subnet, possible
    images of a level 2 or 3 challenge, and what the candidates learn from."""

    seed: int = 72
    scenes: int = 144
    challenges: int = 720
    uids: int = 40
    validators: int = 3
    synthetic_share: float = 1 / 3
    variants: int = 4
    training: DemoTraining = field(default_factory=DemoTraining)


@dataclass(frozen=True)
class DemoReport:
    """What came of the demo: the training, the model among the miners, and against the baseline."""

    training: TrainReport
    model: Comparison
    against: Against


def check_free(store: Store) -> None:
    """Refuse a store that holds anything but an earlier demo.

    Raises:
        StoreError: it holds other logs or shards.
    """
    others = [path.name for path in store.sources.glob("*.parquet") if not _is_ours(path)]
    if store.warehouse.exists():
        with reading(store) as connection:
            logs = connection.execute("SELECT file, path FROM logs").fetchall()
        others += [file for file, path in logs if Path(path) != (store.logs / _LOG).resolve()]
    if others:
        raise StoreError(
            f"store {store.root}",
            found=f"other data ({others[0]})",
            expected="an empty store, or one of an earlier demo",
            remedy="name another with --store",
        )


def _is_ours(shard: Path) -> bool:
    return shard.name.startswith("demo-")


def run_demo(
    store: Store,
    say: Callable[[str], None],
    settings: DemoSettings = DemoSettings(),
    progress: Progress = silent,
) -> DemoReport:
    """Draw the world into `store`, ingest its log, train a model, replay and compare it.

    Args:
        store: made if it does not exist; an earlier demo's files are written again, the same.
        say: takes a line for a person before each step.
        settings: the size of the world.
        progress: shows long work.
    """
    _make_log(store, say, settings)
    learned = settings.training
    say(f"drawing {learned.scenes} other scenes to learn from, each with works and without")
    rows = draw_training_rows(store.training, learned)
    say("training the model on them: every part of it, on a tiny backbone")
    out = store.models / MODEL
    training = train_demo(store, rows, out, learned, progress=progress, note=say)
    say("rebuilding what the miners saw, and asking the safety-orange baseline and the model")
    with reading(store) as connection:
        challenges = stored_challenges(connection)
    planned = plan(challenges, Shards(store.sources), VariantSettings(settings.variants))
    orange = _replayed(store, fit_orange(rows, learned), planned, progress)
    model = _replayed(store, load_predictor(out, store), planned, progress)
    learned_from = trained_on(store, model).rows
    with reading(store) as connection:
        return DemoReport(
            training=training,
            model=compare(connection, model, training=learned_from),
            against=against(connection, model, orange, training=learned_from),
        )


def _make_log(store: Store, say: Callable[[str], None], settings: DemoSettings) -> None:
    say(f"drawing {settings.scenes} road scenes into {store.sources}")
    shards = write_shards(
        store.sources, SceneSettings(seed=settings.seed, rows=settings.scenes, split="demo")
    )
    say(f"simulating a validator that sends {settings.challenges} challenges to its miners")
    log = _write_log(store, shards, settings)
    say(f"ingesting {log}")
    _forget_another_world(store, log)
    ingest(store, [log])


def _replayed(
    store: Store, candidate: Predictor, planned: list[Planned], progress: Progress
) -> str:
    """The id of the finished run."""
    opened = Replay(store, candidate, planned, Shards(store.sources))
    with progress(candidate.name, len(planned)) as tell:
        return opened.run(tell=tell).run_id


def _forget_another_world(store: Store, log: Path) -> None:
    """Empty the warehouse of an earlier demo whose log was not this one: worlds do not mix."""
    if not store.warehouse.exists():
        return
    with writing(store) as writer:
        known = writer.connection.execute("SELECT path, sha256 FROM logs").fetchall()
        writer.changed = known != [(str(log.resolve()), file_digest(log))] and len(known) == 1
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
    with written_aside(log) as aside, aside.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(record) + "\n" for record in simulate(simulation, sources))
    return log
