"""The result of a fine-tuning."""

from dataclasses import dataclass
from typing import Any

from model.fine_tuning.out_of_fold import Estimate, OutOfFoldScores
from model.optimization.metrics import EpochMetrics

NO_OWN_SCORE = (
    "the average has no out-of-fold score of its own: its folds together saw every row; the scores "
    "are those of the folds' models, each on rows that it was not trained on"
)
OPTIMISM = "slightly optimistic, as each fold's epoch was chosen on the rows that score it"


@dataclass(frozen=True)
class FoldReport:
    """A fold: its number from 1, and how many rows its model was trained and validated on.

    `left_out` counts rows to validate on that have no image, by reason; `base_mcc` is that of the
    base model on the images of `best`.
    """

    fold: int
    training: int
    validation: int
    left_out: dict[str, int]
    epochs: list[EpochMetrics]
    best: EpochMetrics
    base_mcc: float

    @classmethod
    def read(cls, written: dict[str, Any]) -> "FoldReport":
        """The report that JSON holds.

        Raises:
            TypeError: it is of another form.
            KeyError: likewise.
        """
        epochs = [EpochMetrics(**epoch) for epoch in written["epochs"]]
        best = EpochMetrics(**written["best"])
        return cls(**written | {"epochs": epochs, "best": best})


@dataclass(frozen=True)
class FineTuningReport:
    """The result of a fine-tuning.

    `base` identifies the base model (`sha256` of its weights, `run_id` of its training). `rows`
    counts those that were used, `images` their challenges, `streets` what no two folds share;
    `left_out` counts the other rows by reason. `averaged` has the numbers of the folds whose
    weights were averaged into the checkpoint in `out`, which has no score of its own.
    """

    run_id: str
    out: str
    base: dict[str, str | None]
    backbone: str
    image_only: bool
    rows: int
    images: int
    streets: int
    left_out: dict[str, int]
    folds: list[FoldReport]
    out_of_fold: OutOfFoldScores
    averaged: list[int]
    note: str = f"{NO_OWN_SCORE}; {OPTIMISM}"

    @classmethod
    def read(cls, outcome: dict[str, Any], out: str) -> "FineTuningReport":
        """The report that a `run.json` holds under `outcome`, for a checkpoint in `out`.

        Raises:
            TypeError: it is of another form.
            KeyError: likewise.
        """
        folds = [FoldReport.read(fold) for fold in outcome["folds"]]
        scores = {name: Estimate.read(value) for name, value in outcome["out_of_fold"].items()}
        read = {"folds": folds, "out_of_fold": OutOfFoldScores(**scores), "out": out}
        return cls(**outcome | read)
