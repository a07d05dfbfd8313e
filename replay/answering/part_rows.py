"""The rows of the file that a part of a replay becomes."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.errors import RunError
from replay.answering.image_workers import PlannedImage
from replay.candidates.predictor import Predictions
from replay.plans.plan import Planned
from replay.rebuilding.variants import Variant

Row = dict[str, Any]


def answer_rows(
    images: Sequence[PlannedImage], predictions: Predictions, candidate: str
) -> list[Row]:
    """Check a candidate's predictions, and make one row of each image.

    Args:
        images: what was predicted.
        predictions: of these images.
        candidate: its name, for errors.

    Raises:
        RunError: it is not one probability each, or the gates are none in 0..1 of that number.
    """
    if len(predictions.probability) != len(images):
        raise RunError(
            f"answers of {candidate}",
            found=len(predictions.probability),
            expected=f"{len(images)}, one each",
        )
    gates = _gates(predictions, len(images), candidate)
    return [
        part_row(item, variant, _probability(value, candidate), image_gates)
        for (item, variant), value, image_gates in zip(
            images, predictions.probability, gates, strict=True
        )
    ]


def part_row(
    item: Planned,
    variant: Variant | None = None,
    probability: float | None = None,
    gates: list[float] | None = None,
) -> Row:
    """A row of `part_file.PART_SCHEMA`; without an answer where there is no image."""
    return {
        "challenge_id": item.challenge.challenge_id,
        "fidelity": item.fidelity,
        "reason": item.reason,
        "variant": None if variant is None else variant.index,
        "weight": None if variant is None else variant.weight,
        "noisy": None if variant is None else variant.noisy,
        "probability": probability,
        "gates": gates,
    }


def in_plan_order(part: Sequence[Planned], rows: Sequence[Row]) -> list[Row]:
    """Sort the rows of a part: those without an answer first, each group in order of the plan."""
    order = {
        (item.challenge.challenge_id, variant): (ordinal, variant_ordinal)
        for ordinal, item in enumerate(part)
        for variant_ordinal, variant in enumerate(
            (None, *(variant.index for variant in item.variants))
        )
    }
    return sorted(
        rows,
        key=lambda row: (
            row["probability"] is not None,
            order[row["challenge_id"], row["variant"]],
        ),
    )


def _probability(prediction: float, candidate: str) -> float:
    value = float(prediction)
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise RunError(f"answer of {candidate}", found=value, expected="a probability in 0..1")
    return value


def _gates(
    predictions: Predictions, image_count: int, candidate: str
) -> Sequence[list[float] | None]:
    if predictions.gates is None:
        return [None] * image_count
    gates = np.asarray(predictions.gates, np.float32)
    if gates.ndim != 2 or len(gates) != image_count:  # noqa: PLR2004
        raise RunError(
            f"gates of {candidate}",
            found=f"shape {gates.shape}",
            expected=f"({image_count}, views)",
        )
    if not ((gates >= 0) & (gates <= 1)).all():
        raise RunError(f"gates of {candidate}", found="values outside 0..1", expected="0..1")
    rows: list[list[float]] = gates.tolist()
    return rows
