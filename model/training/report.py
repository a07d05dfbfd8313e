"""The result of a training."""

from dataclasses import dataclass
from typing import Any

from model.optimization.metrics import EpochMetrics


@dataclass(frozen=True)
class TrainReport:
    """The result of a training.

    `training`, `validation` and `holdout` count rows of the three parts, and `streets` what no two
    parts share; `left_out` counts the other rows by reason. `epochs` has the metrics of all epochs;
    `best` is the epoch whose model was kept, by MCC on the validation images: the best of several,
    so it flatters a little.
    """

    run_id: str
    out: str
    backbone: str
    image_only: bool
    training: int
    validation: int
    holdout: int
    streets: int
    left_out: dict[str, int]
    epochs: list[EpochMetrics]
    best: EpochMetrics

    @classmethod
    def read(cls, outcome: dict[str, Any], out: str) -> "TrainReport":
        """The report that a `run.json` holds under `outcome`, for a checkpoint in `out`.

        Raises:
            TypeError: it is of another form.
            KeyError: likewise.
        """
        epochs = [EpochMetrics(**epoch) for epoch in outcome["epochs"]]
        best = EpochMetrics(**outcome["best"])
        return cls(**outcome | {"epochs": epochs, "best": best, "out": out})
