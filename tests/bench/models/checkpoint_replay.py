"""Speed of a checkpoint's replay from the feature cache, and with views pruned before the backbone.

What pruning costs in MCC is measured with a trained model: `demo_model`.
"""

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from analytics.warehouse.connection import reading
from data.terminal import print_table
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from model.checkpoint.predictor import CheckpointPredictor, PredictorSettings, load_predictor
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from replay.candidates.predictor import Batch
from replay.runs.run import replay
from tests.bench.simulated_log import SimulatedLog, simulate_log

BACKBONE = BackboneSettings("vit_small_patch16_dinov3", RANDOM, side=224)
KEEP = 6
TIMED = 48

Floats = npt.NDArray[np.float64]

_ANSWERS = """
SELECT probability
FROM replay_predictions
WHERE run_id = ? AND probability IS NOT NULL
ORDER BY challenge_id
"""


def timed(log: SimulatedLog, predictor: CheckpointPredictor) -> tuple[float, float, Floats]:
    """Wall-clock and processor seconds of a replay, and its answers."""
    # the same replay again would be the same run, and done already
    shutil.rmtree(log.store.runs, ignore_errors=True)
    start, used = time.perf_counter(), time.process_time()
    report = replay(log.store, predictor, log.planned, log.shards)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    with reading(log.store) as connection:
        answers = connection.execute(_ANSWERS, [report.run_id]).fetchnumpy()["probability"]
    return seconds, used, np.asarray(answers, np.float64)


def random_checkpoint(folder: Path) -> Path:
    """The full model on the small ViT, with random weights."""
    backbone = load_backbone(BACKBONE, "cpu")
    settings = ModelSettings(features=backbone.width)
    model = StreetModel(settings)
    with torch.no_grad():
        # a scorer with its first weights may not choose
        for parameter in model.scorer.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    save_checkpoint(folder, model, card_of(settings, backbone, {"trained": ["scorer"]}))
    return folder


def warmed(predictor: CheckpointPredictor) -> CheckpointPredictor:
    """A predictor after its first image, which compiles the views' kernel."""
    predictor.predict(Batch(["grey"], [np.full((224, 224, 3), 128, np.uint8)]))
    return predictor


def speed(root: Path) -> None:
    """Print the time of a replay from the cache and with pruning, beside one without either."""
    log = simulate_log(root / "speed", 40, TIMED)
    folder = random_checkpoint(root / "checkpoint")
    pruned = PredictorSettings(keep=KEEP)
    candidates = {
        "every view, no cache": load_predictor(folder),
        f"{KEEP} views, no cache": load_predictor(folder, settings=pruned),
        "every view, cache empty": load_predictor(folder, log.store),
        "every view, from the cache": load_predictor(folder, log.store),
        f"{KEEP} views, from the cache": load_predictor(folder, log.store, pruned),
    }
    measured = {name: timed(log, warmed(candidate)) for name, candidate in candidates.items()}
    first, first_used, plain = measured["every view, no cache"]
    print_table(
        f"replay of {TIMED} challenges with {BACKBONE.name} at {BACKBONE.side} px, random weights, "
        f"{torch.get_num_threads()} threads, end to end",
        ("candidate", "seconds", "x faster", "CPU s", "x less", "probability differs by at most"),
        [
            (
                name,
                seconds,
                first / seconds,
                used,
                first_used / used,
                _largest_difference(answers, plain),
            )
            for name, (seconds, used, answers) in measured.items()
        ],
    )


def _largest_difference(first: Floats, second: Floats) -> float:
    return float(np.abs(first - second).max())


def main() -> None:
    """Measure in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name))


if __name__ == "__main__":
    main()
