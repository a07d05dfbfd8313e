"""A checkpoint's replay from the feature cache, and with views pruned before the backbone.

`python -m tests.bench.model_replay [CHECKPOINT]`: with a trained checkpoint also what pruning costs
in MCC, on simulated challenges of scenes that no demo draws.
"""

import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from analytics.bootstrap import BootstrapSettings, drawn_images
from analytics.challenges import stored_challenges
from analytics.ingest import ingest
from analytics.intervals import centred_intervals
from analytics.metrics import mcc_of_tables
from analytics.simulated_sources import sources_of_shard
from analytics.simulated_validator import SimulationSettings, simulate
from analytics.warehouse import reading
from data.scene_plan import SceneSettings
from data.scene_rows import write_shards
from data.sources import Shards
from data.store import Store
from data.terminal import note, print_table, say
from model.backbone import RANDOM, BackboneSettings, load_backbone
from model.checkpoint import save_checkpoint
from model.checkpoint_backbone import card_of
from model.model_settings import ModelSettings
from model.predictor import CheckpointPredictor, PredictorSettings, load_predictor
from model.street_model import StreetModel
from replay.plan import Planned, plan
from replay.predictor import Batch
from replay.runner import replay
from replay.settings import VariantSettings

BACKBONE = BackboneSettings("vit_small_patch16_dinov3", RANDOM, side=224)
KEEP = 6
TIMED = 48
SEED, SCENES, CHALLENGES = 4172, 600, 2000

Floats = npt.NDArray[np.float64]

_ANSWERS = """
SELECT coalesce(parquet || ':' || row, challenge_id), label, probability, positive_share
FROM replay_predictions INNER JOIN media USING (challenge_id)
WHERE replay_predictions.run_id = ? AND probability IS NOT NULL
ORDER BY challenge_id
"""


@dataclass(frozen=True)
class World:
    """A simulated log, what can be rebuilt of it, and the shards."""

    store: Store
    planned: list[Planned]
    shards: Shards


@dataclass(frozen=True)
class Answers:
    """A replay's answers in order of challenge: images (n,) by name, the others float64 (n,)."""

    images: list[str]
    labels: Floats
    probabilities: Floats
    shares: Floats


def make_world(root: Path, scenes: int, challenges: int) -> World:
    """Challenges of all levels on drawn scenes, one possible image each."""
    store = Store(root)
    written = write_shards(store.sources, SceneSettings(seed=SEED, rows=scenes, split="bench"))
    sources = [source for shard in written for source in sources_of_shard(shard)]
    simulation = SimulationSettings(seed=SEED, challenges=challenges, uids=40, validators=3)
    log = root / "log.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in simulate(simulation, sources)))
    ingest(store, [log])
    shards = Shards(store.sources)
    with reading(store) as connection:
        return World(store, plan(stored_challenges(connection), shards, VariantSettings(1)), shards)


def timed(world: World, predictor: CheckpointPredictor) -> tuple[float, float, Answers]:
    """Seconds by the clock and of processors, to the published run, and its answers."""
    # the same replay again would be the same run, and done already
    shutil.rmtree(world.store.runs, ignore_errors=True)
    start, used = time.perf_counter(), time.process_time()
    report = replay(world.store, predictor, world.planned, world.shards)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    with reading(world.store) as connection:
        rows = connection.execute(_ANSWERS, [report.run_id]).fetchall()
    images, *numbers = zip(*rows, strict=True)
    answers = Answers([str(name) for name in images], *np.array(numbers, np.float64))
    return seconds, used, answers


def random_checkpoint(folder: Path) -> Path:
    """The full model on the small ViT, with weights that nobody trained."""
    backbone = load_backbone(BACKBONE, "cpu")
    settings = ModelSettings(features=backbone.width)
    model = StreetModel(settings)
    with torch.no_grad():
        # a scorer with its first weights may not choose
        for parameter in model.scorer.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    save_checkpoint(folder, model, card_of(settings, backbone))
    return folder


def warmed(predictor: CheckpointPredictor) -> CheckpointPredictor:
    """After what is paid once a process: the views' kernel, the memory of a forward."""
    predictor.predict(Batch(["grey"], [np.full((224, 224, 3), 128, np.uint8)]))
    return predictor


def speed(root: Path) -> None:
    """Print the time of a replay from the cache and with pruning, beside one without either."""
    world = make_world(root / "speed", 40, TIMED)
    folder = random_checkpoint(root / "checkpoint")
    pruned = PredictorSettings(keep=KEEP)
    candidates = {
        "every view, no cache": load_predictor(folder),
        f"{KEEP} views, no cache": load_predictor(folder, settings=pruned),
        "every view, cache empty": load_predictor(folder, world.store),
        "every view, from the cache": load_predictor(folder, world.store),
        f"{KEEP} views, from the cache": load_predictor(folder, world.store, pruned),
    }
    found = {name: timed(world, warmed(one)) for name, one in candidates.items()}
    first, first_used, plain = found["every view, no cache"]
    print_table(
        f"replay of {TIMED} challenges with {BACKBONE.name} at {BACKBONE.side} px, random weights, "
        f"{torch.get_num_threads()} threads, end to end",
        ("candidate", "seconds", "x faster", "CPU s", "x less", "probability differs by at most"),
        [
            (name, seconds, first / seconds, used, first_used / used, _largest(answers, plain))
            for name, (seconds, used, answers) in found.items()
        ],
    )


def _largest(one: Answers, other: Answers) -> float:
    return float(np.abs(one.probabilities - other.probabilities).max())


def loss_of_mcc(folder: Path, root: Path, settings: BootstrapSettings) -> None:
    """Print what pruning before the backbone costs a trained checkpoint, paired by challenge."""
    world = make_world(root / "loss", SCENES, CHALLENGES)
    note(f"replaying {len(world.planned)} challenges on {SCENES} scenes")
    pruned = PredictorSettings(keep=KEEP)
    whole_seconds, _, whole = timed(world, warmed(load_predictor(folder)))
    few_seconds, _, few = timed(world, warmed(load_predictor(folder, settings=pruned)))
    numbers = np.unique(whole.images, return_inverse=True)[1]
    tables = np.stack([_tables(answers, numbers) for answers in (whole, few)])
    every = np.ones(numbers.max() + 1, np.uint8)
    points = _mcc(tables, every)
    draws = [
        _mcc(tables, drawn_images(len(every), settings, draw)) for draw in range(settings.draws)
    ]
    losses = np.array([draw[0] - draw[1] for draw in draws])[:, None]
    loss = points[:1] - points[1:]
    [(low, high)] = centred_intervals(loss, losses, settings.level)
    say(
        f"n = {len(whole.labels)} challenges on {len(every)} source images; MCC {points[0]:.4f} "
        f"with 12 views, {points[1]:.4f} with {KEEP}: loss {loss[0]:+.4f}, {settings.level:.0%} "
        f"interval {low:+.4f} to {high:+.4f}; {whole_seconds / few_seconds:.2f} x faster"
    )


def _tables(answers: Answers, images: npt.NDArray[np.int64]) -> Floats:
    """(images, 2 labels, 2 classes), expected counts."""
    places, count = 2 * images + answers.labels.astype(np.int64), 2 * (images.max() + 1)
    of_class = [np.bincount(places, w, count) for w in (1 - answers.shares, answers.shares)]
    tables: Floats = np.stack(of_class, axis=1).reshape(-1, 2, 2).astype(np.float64)
    return tables


def _mcc(tables: Floats, repeats: npt.NDArray[np.uint8]) -> Floats:
    """(sides,) of tables (sides, images, 2, 2), each image as often as drawn."""
    return mcc_of_tables(np.einsum("i,silc->slc", repeats.astype(np.float64), tables))


def main(checkpoint: Path | None = None) -> None:
    """Measure speed, and with a trained checkpoint the loss of MCC."""
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name))
        if checkpoint is not None:
            loss_of_mcc(checkpoint, Path(name), BootstrapSettings())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
