"""How good the demo's model is on scenes it never saw, and what pruning its views costs.

Not a speed: MCC against the safety-orange baseline, and with 6 views before the backbone against
all 12, each paired by challenge with its interval over source images. The model is trained anew, as
the demo trains it, and for twice as long; or `python -m tests.bench.demo_model_mcc EPOCHS...`.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from analytics.leaks.training_rows import read_training_rows
from analytics.warehouse.connection import reading
from data.store import Store
from data.terminal import note, print_table
from model.baselines.orange import OrangeBaseline
from model.checkpoint.predictor import PredictorSettings, load_predictor
from model.demo.settings import DemoTraining
from model.demo.training import draw_training_rows, train_demo
from replay.candidates.predictor import TRAINING_ROWS, Predictor
from replay.comparing.with_another_run import RunComparison, compare_with_another_run
from replay.runs.run import replay
from tests.bench.simulated_log import SimulatedLog, simulate_log

KEEP = 6
SCENES, CHALLENGES = 1000, 3000


def trained(root: Path, settings: DemoTraining) -> tuple[Predictor, Predictor, Predictor, Path]:
    """The demo's model with 12 views and with 6, the baseline, and the file of training rows."""
    shards = draw_training_rows(root / "training", settings)
    folder = root / "model"
    start = time.perf_counter()
    report = train_demo(Store(root / "store"), shards, folder, settings)
    note(
        f"{settings.epochs} epochs of {report.training} rows in "
        f"{time.perf_counter() - start:.0f} s with {torch.get_num_threads()} threads, "
        f"MCC {report.best.mcc:.3f} on its own {report.best.n} validation images"
    )
    pruned = load_predictor(folder, settings=PredictorSettings(keep=KEEP))
    return load_predictor(folder), pruned, OrangeBaseline(), folder / TRAINING_ROWS


def measured(log: SimulatedLog, root: Path, settings: DemoTraining) -> list[tuple[object, ...]]:
    """One row of the table for each comparison."""
    *candidates, rows = trained(root, settings)
    runs = [
        replay(log.store, candidate, log.planned, log.shards).run_id for candidate in candidates
    ]
    training = read_training_rows(rows)
    with reading(log.store) as connection:
        model, pruned, orange = runs
        pairs = ((model, orange), (model, pruned))
        comparisons = [
            compare_with_another_run(connection, run, other, training=training)
            for run, other in pairs
        ]
    return [_row(settings.epochs, comparison) for comparison in comparisons]


def _row(epochs: int, comparison: RunComparison) -> tuple[object, ...]:
    difference = comparison.differences["mcc"]
    low, high = difference.interval or (float("nan"), float("nan"))
    return (
        epochs,
        comparison.other.model,
        comparison.n,
        comparison.images,
        sum(comparison.left_out.values()),
        comparison.run.mcc,
        comparison.other.mcc,
        difference.value,
        f"{low:+.3f} to {high:+.3f}",
    )


def main(lengths: tuple[int, ...] = ()) -> None:
    """Train and measure, for each number of epochs; for none, the demo's own and twice that."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        log = simulate_log(root / "world", SCENES, CHALLENGES)
        rows = []
        own = DemoTraining().epochs
        for epochs in lengths or (own, 2 * own):
            settings = replace(DemoTraining(), epochs=epochs)
            rows += measured(log, root / str(epochs), settings)
    print_table(
        f"the demo's model with 12 views, image-only, on challenges of {SCENES} unseen scenes",
        (
            "epochs",
            "against",
            "n",
            "images",
            "left out",
            "MCC",
            "theirs",
            "difference",
            "95% interval",
        ),
        rows,
    )


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])))
