"""What tests of exports share: checkpoints to export, and the answers that an export must give."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from model.backbone.backbone import Backbone
from model.checkpoint.backbone_in_card import card_of
from model.checkpoint.checkpoint import save_checkpoint
from model.checkpoint.predictor import load_predictor
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel
from replay.candidates.predictor import Batch, Image

TRAINING: dict[str, Any] = {
    "run_id": "train-0123456789ab",
    "trained": ["model", "scorer"],
    "metadata": True,
    "training_rows": 40,
    "validation_rows": 10,
    "epoch": {"epoch": 3, "mcc": 0.625, "n": 20, "loss": 0.1},
}

Floats = npt.NDArray[np.float64]


def save_on(folder: Path, backbone: Backbone, **settings: Any) -> Path:
    """A checkpoint of random weights on any backbone."""
    chosen = ModelSettings(
        features=backbone.width, width=32, heads=4, layers=2, prune_after=1, seed=1, **settings
    )
    model = StreetModel(chosen).eval()
    backbone.freeze()
    save_checkpoint(folder, model, card_of(chosen, backbone), backbone.trained_tensors())
    return folder


def shifted_answers(folder: Path, images: list[Image], shift: float) -> Floats:
    """What a checkpoint answers to images, its logits moved: the truth of its export."""
    answers = load_predictor(folder).predict(Batch([""] * len(images), images))
    moved: Floats = expit(logit(answers.probability) + shift)
    return moved


def rewrite_card(folder: Path, **changed: Any) -> None:
    """Change parts of an export's card, and nothing else in the folder."""
    path = folder / "export.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
