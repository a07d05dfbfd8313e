"""A small checkpoint of random weights; the backbone that its card names is never made."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import nn

from model.checkpoint.card import ModelCard
from model.checkpoint.checkpoint import save_checkpoint
from model.network.settings import ModelSettings
from model.network.street_model import StreetModel

SETTINGS = ModelSettings(features=8, width=32, heads=4, layers=1, prune_after=1, seed=1)
VIEWS = {"side": 160, "mean": [0.5, 0.5, 0.5]}
CARD = ModelCard(SETTINGS, "test_convnext.r160_in1k", "abc", VIEWS, {"rows": 5, "mcc": 0.5})


def a_model(seed: int = 1) -> StreetModel:
    """With every weight drawn from the seed."""
    torch.manual_seed(seed)
    model = StreetModel(SETTINGS)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return model


def rows(number: int) -> pl.DataFrame:
    """Training rows, other ones for each number."""
    return pl.DataFrame({"parquet": ["a.parquet"], "row": [number]})


def a_checkpoint(folder: Path) -> Path:
    """The folder, with a checkpoint in it."""
    save_checkpoint(folder, a_model(), CARD)
    return folder


def rewrite_card(folder: Path, **changed: Any) -> None:
    """Change parts of the card, and nothing else in the folder."""
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
