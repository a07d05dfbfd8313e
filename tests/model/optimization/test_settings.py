"""Settings of a training's loop, optimiser and losses: their ranges."""

from typing import Any

import pytest

from data.errors import RunError
from model.optimization.settings import LossSettings, OptimizerSettings, TrainSettings

NAN = float("nan")


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        *(
            (TrainSettings, wrong)
            for wrong in (
                {"epochs": 0},
                {"patience": 0},
                {"batch_size": 0},
                {"accumulation_steps": 0},
                {"views": 0},
                {"views": 13},
                {"compile": "yes"},
                {"seed": -1},
                {"seed": 2**32},
            )
        ),
        *(
            (OptimizerSettings, wrong)
            for wrong in (
                {"opt": None},
                {"opt_betas": (0.9, 1.0)},
                {"opt_betas": 0.9},
                {"lr": 0.0},
                {"lr": NAN},
                {"backbone_lr": 0},
                {"layer_decay": 0},
                {"layer_decay": 1.1},
                {"weight_decay": -1.0},
                {"warmup_steps": -1},
                {"warmup_steps": 0.1},
                {"clip_grad": 0},
                {"ema_decay": 1.0},
            )
        ),
        *(
            (LossSettings, wrong)
            for wrong in (
                {"gamma": -1},
                {"smoothing": 1},
                {"label": 0},
                {"views": -0.1},
                {"consistency": NAN},
                {"weather": -0.1},
                {"scorer": float("inf")},
            )
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings: Any, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(RunError, match=f"^[a-z]+ setting {name}: found .*; expected "):
        settings(**wrong)
