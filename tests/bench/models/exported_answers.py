"""An exported network's answer to one image beside its checkpoint's, for the default backbone.

Weights are random: they cost as much as trained ones. A miner answers one image at a time.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from data.store import Store
from data.terminal import print_table, say
from model.backbone.backbone import load_backbone
from model.backbone.settings import RANDOM, BackboneSettings
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from model.checkpoint.predictor import load_predictor
from model.export.agreement import drawn_picture
from model.export.export import export
from model.export.predictor import load_export
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from replay.candidates.predictor import Batch, Predictor

SIZES = ((224, 224), (1080, 1920), (3024, 4032))
REPEATS = 3


def _seconds(predictors: tuple[Predictor, ...], size: tuple[int, int]) -> list[float]:
    """Medians over rounds in which each answers once, so that all see the same machine."""
    batch = Batch([""], [drawn_picture(size, seed=0)])
    times: list[list[float]] = [[] for _ in predictors]
    for _ in range(REPEATS):
        for predictor, own in zip(predictors, times, strict=True):
            start = time.perf_counter()
            predictor.predict(batch)
            own.append(time.perf_counter() - start)
    return [float(np.median(own)) for own in times]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        backbone = load_backbone(BackboneSettings(weights=RANDOM), "cpu")
        settings = ModelSettings(features=backbone.width)
        save_checkpoint(folder / "mine", StreetModel(settings), card_of(settings, backbone))
        start = time.perf_counter()
        report = export(Store(folder / "store"), folder / "mine", folder / "out")
        took = time.perf_counter() - start
        predictors = (load_predictor(folder / "mine"), load_export(folder / "out"))
        rows = []
        for height, width in SIZES:
            checkpoint, exported = _seconds(predictors, (height, width))
            rows.append((f"{width} x {height}", checkpoint, exported, checkpoint / exported))
    network, agreement = report.card.network, report.card.agreement
    print_table(
        f"one image on {backbone.settings.name} at {backbone.side} pixels, seconds",
        ("image", "checkpoint", "export", "times as fast"),
        rows,
    )
    say(
        f"exported in {took:.0f} s: {network['bytes'] / 2**20:.0f} MiB; probabilities differ by at "
        f"most {agreement['probability']:.1e} over {agreement['images']} drawn pictures"
    )


if __name__ == "__main__":
    main()
