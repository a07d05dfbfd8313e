"""A small world that a tiny model learns in a second: what shows roadwork is orange, else grey."""

import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from analytics.ingest.ingest import ingest
from analytics.simulation.sources import sources_of_shard
from analytics.simulation.validator import simulate
from data.scenes.parquet import SCHEMA, scene_columns
from data.scenes.plan import SceneSettings, plan_scene
from data.sources.shards import Shards
from data.store import Store
from model.champion.champion import Champion, champion
from model.champion.promotions import Entry, read_promotions
from model.champion.succession import set_champion
from model.optimization.config import TrainingConfig
from model.optimization.settings import LossSettings
from model.promotion_gate.settings import GateSettings, PowerSettings
from model.retraining.champion_training import training_of
from model.retraining.retrain import RetrainSettings, retrain
from model.retraining.retrain_report import RetrainReport
from model.retraining.settings import DecisionSettings
from model.training.train import train
from model.weighting.policy import WeightPolicy
from tests.model.training.tiny import FROZEN
from tests.worlds.audit_logs import write_lines
from tests.worlds.simulated_logs import small_settings

GATE = GateSettings(draws=100)
TRAINING = replace(
    FROZEN,
    training=replace(FROZEN.training, epochs=2),
    optimizer=replace(FROZEN.optimizer, lr=1e-2, ema_decay=0.0),
    loss=LossSettings(gamma=1.0, label=1.0, views=1.0, consistency=0.0, smoothing=0.0),
)
"""Two epochs teach the colours."""

_GREY, _ORANGE = (80, 90, 100), (240, 110, 20)
_ROWS = 48


@dataclass(frozen=True)
class ColouredWorld:
    """A store with a log of coloured pictures, whose champion was trained on shuffled labels.

    `rows` are other pictures to train on; `shuffled` the same rows with shuffled pictures, so that
    labels say nothing of them.
    """

    store: Store
    rows: Path
    shuffled: Path

    def copied(self, folder: Path) -> Store:
        """A copy of the store that a test may change."""
        shutil.copytree(self.store.root, folder)
        return Store(folder)


def coloured_world_in(folder: Path) -> ColouredWorld:
    """The one that `make_coloured_world` left in a folder."""
    return ColouredWorld(Store(folder / "store"), folder / "rows", folder / "shuffled")


def make_coloured_world(folder: Path) -> None:
    """Make it in a folder."""
    world = coloured_world_in(folder)
    store = world.store
    shard = write_coloured(store.sources, seed=4, split="train")
    write_coloured(world.rows, seed=9, split="rows")
    write_coloured(world.shuffled, seed=9, split="rows", shuffled=True)
    sent = simulate(small_settings(challenges=160), sources_of_shard(shard))
    # the others have several possible images each, which would take their time
    records = [record for record in sent if record["data_aug_level"] < 2]
    ingest(store, [write_lines(folder / "log.jsonl", records)])
    train(store, Shards(world.shuffled), store.models / "first", TRAINING)
    set_champion(store, store.models / "first")


def write_coloured(
    folder: Path, seed: int, split: str, *, shuffled: bool = False, with_gps: bool = True
) -> Path:
    """A shard of coloured pictures in the public data set's form."""
    settings = SceneSettings(seed=seed, rows=_ROWS, split=split, size_mix=(((320, 240), 1.0),))
    rows = [scene_columns(plan_scene(settings, row)) for row in range(_ROWS)]
    rng = np.random.default_rng(seed)
    shown = [row["label"] == 1 for row in rows]
    pictures = [
        _picture(rng, orange=orange) for orange in (rng.permutation(shown) if shuffled else shown)
    ]
    images = [{"bytes": picture, "path": "x.jpg"} for picture in pictures]
    table = [{"image": image} | row for image, row in zip(images, rows, strict=True)]
    if not with_gps:
        table = [row | {"gps": None} for row in table]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{split}-00000-of-00001.parquet"
    pq.write_table(pa.Table.from_pylist(table, schema=SCHEMA), path, row_group_size=10)
    return path


def _picture(rng: np.random.Generator, *, orange: bool) -> bytes:
    noise = rng.normal(0, 25, (24, 32, 3))
    pixels = np.clip(np.array(_ORANGE if orange else _GREY) + noise, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((320, 240)).save(stream, "JPEG")
    return stream.getvalue()


def ask(store: Store, rows: Path, **options: Any) -> RetrainReport:
    """Retrain, with the settings that the command has; `training` and `policy` replace them."""
    training: TrainingConfig | None = options.pop("training", None)
    settings = RetrainSettings(
        policy=options.pop("policy", WeightPolicy()),
        decision=DecisionSettings(),
        gate=GATE,
        power=PowerSettings(),
        training=training or training_of(store),
    )
    return retrain(store, Shards(store.sources), settings, rows=Shards(rows), **options)


def present(store: Store) -> Champion:
    """The champion, of which there has to be one."""
    found = champion(store)
    assert found is not None
    return found


def judged(store: Store) -> Sequence[Entry]:
    """What gates wrote into the promotions log."""
    return [entry for entry in read_promotions(store) if entry.gate is not None]


def written_report(folder: Path) -> dict[str, Any]:
    """A retraining's report, without what no two runs have in common: times and places."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    del report["minutes"], report["folder"], report["weights"]["out"]
    return report
